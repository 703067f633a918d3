"""`gridsvc cameras account`: what a device or platform of GA/T 1400 signs in with; and what platforms report."""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsvc.actions.give_account import Wanted, change_cameras, give_account, revoke_account, rotate_account
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.errors import Refused
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store import viid_accounts

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAMES: Final = ("account", "accounts", "reported")

_ACTOR: Final = "command:cameras"
_GRACE_HOURS: Final = 24.0
_PAGE: Final = 500

_EXAMPLES: Final = {
    "account": """\
examples: what is typed into one camera, and into a platform that speaks for two; the secret is printed once
  gridsvc cameras account 62010000001190000001 --camera 62010000001190000001 --network 10.20.0.0/16
  gridsvc cameras account 62010000005030000001 --camera 62010000001320000001 --camera 62010000001320000002

examples: a new secret, the old one good for another day; other cameras; the end of it
  gridsvc cameras account --rotate ID --grace-hours 24
  gridsvc cameras account --change ID --camera 62010000001320000001
  gridsvc cameras account --revoke ID

What to type into a device: docs/cameras/gat1400.md.""",
    "accounts": """\
example: every account, how its device stands, from where it registered
  gridsvc cameras accounts""",
    "reported": """\
examples: cameras that platforms report; those that the registry does not have, as a file that `import` reads
  gridsvc cameras reported
  gridsvc cameras reported --new --json > apes.json
  gridsvc cameras import apes.json --datum gcj02 --preview""",
}


def add_to(parts: Subparsers) -> None:
    """Add `account`, `accounts` and `reported` to the parts of `gridsvc cameras`."""
    account = _part(parts, "account", "what a device of GA/T 1400 signs in with: give out, rotate, change, revoke")
    account.add_argument("device", nargs="?", metavar="DEVICE", help="the 20 digits that it registers as")
    account.add_argument("--camera", action="append", default=[], metavar="CODE", help="a camera that it speaks for")
    account.add_argument("--username", default="", help="what it signs in as; the 20 digits if left out")
    account.add_argument("--label", default="", help="what the account is for")
    account.add_argument("--network", action="append", default=[], metavar="CIDR", help="from where alone it is good")
    account.add_argument("--days", type=int, help="how long it is good for; for ever if left out")
    account.add_argument("--grace-hours", type=float, default=_GRACE_HOURS, help="how long a rotated one stays good")
    other = account.add_mutually_exclusive_group()
    other.add_argument("--rotate", type=UUID, metavar="ID", help="a new secret instead of this one")
    other.add_argument("--change", type=UUID, metavar="ID", help="it speaks for these cameras from now on")
    other.add_argument("--revoke", type=UUID, metavar="ID", help="end this one at once")
    _part(parts, "accounts", "every account, never its secret")
    reported = _part(parts, "reported", "cameras as platforms of GA/T 1400 report them")
    reported.add_argument("--new", action="store_true", help="only those that the registry does not have")
    reported.add_argument("--json", action="store_true", help="as a list of APE, which `import` reads")


def _part(parts: Subparsers, name: str, says: str) -> argparse.ArgumentParser:
    return parts.add_parser(
        name, help=says, epilog=_EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
    )


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code. Raises GridError with the reason where it cannot."""
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras account") as pool,
        transaction(pool) as (conn, now),
    ):
        if arguments.part == "accounts":
            lines = [_line(row, now) for row in await viid_accounts.LISTED.all(conn, None)]
        elif arguments.part == "reported":
            lines = await _reported(conn, arguments)
        else:
            lines = await _account(conn, arguments, Sealer.of_secrets(settings.identity.sealing), now)
    for line in lines:
        print(line)
    return 0


async def _account(conn: Conn, given: argparse.Namespace, sealer: Sealer, now: datetime) -> list[str]:
    if given.revoke is not None:
        await revoke_account(conn, given.revoke, now)
        return [f"{given.revoke} is revoked: nothing that its device sends is taken any more"]
    if given.change is not None:
        await change_cameras(conn, given.change, given.camera)
        return [f"{given.change} speaks for {', '.join(sorted(set(given.camera)))}"]
    if given.rotate is not None:
        if given.grace_hours < 0:
            raise Refused(f"--grace-hours is {given.grace_hours:g}; want 0 or more")
        old_until = now + timedelta(hours=given.grace_hours)
        secret = await rotate_account(conn, given.rotate, sealer, old_until)
        return [f"{given.rotate}\t{secret}", f"the old secret is good for another {given.grace_hours:g} hours"]
    if given.device is None:
        raise Refused("an account needs the 20 digits that the device registers as, and a --camera")
    if given.days is not None and given.days < 1:
        raise Refused(f"--days is {given.days}; want 1 or more")
    wanted = Wanted(
        device=given.device, cameras=given.camera, username=given.username, label=given.label,
        networks=_networks(given.network), expires_at=None if given.days is None else now + timedelta(days=given.days),
    )  # fmt: skip
    account_id, secret = await give_account(conn, wanted, sealer, _ACTOR, now)
    return [f"{account_id}\t{given.username or given.device}\t{secret}"]


def _networks(given: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(each)) for each in given]
    except ValueError as wrong:
        raise Refused(f"--network: {wrong}; want e.g. 10.20.0.0/16") from wrong


def _line(row: viid_accounts.Listed, now: datetime) -> str:
    ended = row.expires_at is not None and row.expires_at <= now
    stands = "revoked" if row.revoked_at is not None else "expired" if ended else str(row.standing(now))
    return (
        f"{row.id}\t{row.device}\t{row.username}\t{stands}\t{row.registered_from or '-'}\t{row.label}\t"
        f"{' '.join(row.networks) or 'anywhere'}\t{' '.join(row.cameras)}"
    )


async def _reported(conn: Conn, given: argparse.Namespace) -> list[str]:
    rows: list[viid_accounts.Reported] = []
    page = await viid_accounts.REPORTED.all(conn, None, "", "", _PAGE)
    while page:
        rows += page
        page = await viid_accounts.REPORTED.all(conn, None, page[-1].code, str(page[-1].account_id), _PAGE)
    rows = [row for row in rows if not (given.new and row.known)]
    if given.json:
        if not rows:
            print("gridsvc cameras reported: there are none", file=sys.stderr)
        return [json.dumps([row.facts for row in rows], ensure_ascii=False, indent=1)] if rows else []
    return [
        f"{row.code}\t{'known' if row.known else 'new'}\t{row.facts.get('Name', '-')}\t"
        f"{_ONLINE.get(str(row.facts.get('IsOnline', '')), '-')}\tby {row.device}\t{row.last_at:%Y-%m-%d %H:%M:%S%z}"
        for row in rows
    ]


_ONLINE: Final = {"1": "online", "2": "offline"}
