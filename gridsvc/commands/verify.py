"""`gridsvc verify`: does the ledger balance, does every chain hold, are the signed days as they were."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tqdm import tqdm

from gridsvc.actions.verify_city import (
    broken_attachments,
    broken_chains,
    broken_days,
    broken_files,
    broken_invariants,
)
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.domain.sound import SUFFIXES
from gridsvc.errors import BadSettings
from gridsvc.files import CAMERAS, ORIGINALS, PICTURE, SEALED
from gridsvc.settings import Settings
from gridsvc.shelves import files_of
from gridsvc.signing import Signer
from gridsvc.store.ledger import INVARIANTS

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_SHOWN = 50
SUFFIXES_OF = {"picture": (PICTURE,), "sound": tuple(SUFFIXES.values()), "original": (SEALED,)}


def add(subparsers: Subparsers) -> None:
    """Add `verify` to the command line."""
    subparsers.add_parser(
        "verify",
        help="check the history chain and the ledger",
        description="Read the whole history and ask every question of the ledger. Changes nothing.",
        epilog="example: gridsvc verify\n\nExit code 0: all holds; 1: something does not, each named on a line.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Verify and name what does not hold."""
    if not settings.database.url:
        raise BadSettings("no database is named; set GRIDSVC_DATABASE_URL")
    secret = settings.identity.secret
    async with open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc verify") as pool:
        async with transaction(pool, snapshot=True) as (conn, _):
            ledger = await broken_invariants(conn)
            with tqdm(unit=" cases", desc="history", disable=None) as bar:
                chains = await broken_chains(conn, bar.update)
            days = await broken_days(conn, Signer.of_secret(secret)) if secret else []
        async with transaction(pool) as (conn, _):
            files = await broken_files(conn, files_of(settings.files, CAMERAS))
            shown, originals = files_of(settings.files), files_of(settings.files, ORIGINALS)
            attached = await broken_attachments(conn, shown, originals, SUFFIXES_OF)
    for rule in INVARIANTS:
        print(f"{'BROKEN' if rule.name in ledger else 'holds '} {rule.name}: {rule.says}")
        for what in ledger.get(rule.name, ()):
            print(f"         {what}")
    for broken in chains[:_SHOWN]:
        print(f"BROKEN history of case {broken.case_id}, version {broken.version}: {broken.what}")
    for what in files[:_SHOWN]:
        print(f"BROKEN file of a camera {what}")
    for what in attached[:_SHOWN]:
        print(f"BROKEN file of an attachment {what}")
    for _, what in days:
        print(f"BROKEN signed day {what}")
    if not secret:
        print("signed days were not checked: GRIDSVC_SECRET is not set")
    count = len(ledger) + len(chains) + len(files) + len(attached) + len(days)
    print(f"{count} broken" if count else "everything holds")
    return 1 if count else 0
