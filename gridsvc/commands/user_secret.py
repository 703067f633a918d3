"""`gridsvc user secret`: what programs sign their camera events with; given out, rotated, revoked, required."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.actions.give_secret import give_secret
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.errors import BadSettings, Refused, Unknown
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store import api_keys, signing_secrets

ACTOR: Final = "command:user"
_GRACE_HOURS: Final = 24.0


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add its words to `gridsvc user secret`."""
    parser.add_argument("verb", choices=sorted(_VERBS))
    parser.add_argument(
        "id", nargs="?", type=UUID,
        help="of the key (gridsvc user list); with revoke: of the secret (gridsvc user secret list)",
    )  # fmt: skip
    parser.add_argument("--grace-hours", type=float, default=_GRACE_HOURS, help="how long a rotated one stays good")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; 0 when done. Raises GridError with the reason otherwise."""
    if (arguments.id is None) != (arguments.verb == "list"):
        wanted = "no id" if arguments.verb == "list" else "one id"
        raise Refused(f"gridsvc user secret {arguments.verb} wants {wanted}")
    if not any(settings.identity.sealing):
        raise BadSettings("neither GRIDSVC_SEALING_SECRETS nor GRIDSVC_SECRET is set; want one to seal with")
    sealer = Sealer.of_secrets(settings.identity.sealing)
    async with (
        open_pool(settings.database.url, size=1, name="gridsvc user secret") as pool,
        transaction(pool, SERVICE) as (conn, now),
    ):
        for line in await _VERBS[arguments.verb](conn, arguments, sealer, now):
            print(line)
    return 0


async def _give(conn: Conn, given: argparse.Namespace, sealer: Sealer, now: datetime) -> list[str]:
    secret_id, text = await give_secret(conn, given.id, sealer, ACTOR, now)
    return [f"{secret_id}\t{text}"]


async def _rotate(conn: Conn, given: argparse.Namespace, sealer: Sealer, now: datetime) -> list[str]:
    if given.grace_hours < 0:
        raise Refused(f"--grace-hours is {given.grace_hours:g}; want 0 or more")
    grace = timedelta(hours=given.grace_hours)
    secret_id, text = await give_secret(conn, given.id, sealer, ACTOR, now, grace=grace)
    return [f"{secret_id}\t{text}", f"the one before is good for another {given.grace_hours:g} hours"]


async def _revoke(conn: Conn, given: argparse.Namespace, _: Sealer, now: datetime) -> list[str]:
    if not await signing_secrets.REVOKE.run(conn, given.id, now):
        raise Unknown(f"no secret {given.id} that could be revoked; gridsvc user secret list shows them")
    return [f"{given.id} is revoked: nothing that is signed with it is taken any more"]


async def _require(conn: Conn, given: argparse.Namespace, _: Sealer, now: datetime) -> list[str]:
    if not await signing_secrets.IN_FORCE.all(conn, given.id, now):
        raise Refused("this key has no secret to sign with; gridsvc user secret give makes one")
    await api_keys.REQUIRE_SIGNATURES.run(conn, given.id, True)
    return [f"camera events of {given.id} are refused within 10 s where they are not signed"]


async def _release(conn: Conn, given: argparse.Namespace, _: Sealer, __: datetime) -> list[str]:
    if not await api_keys.REQUIRE_SIGNATURES.run(conn, given.id, False):
        raise Unknown(f"no key {given.id} that is active; gridsvc user list shows them")
    return [f"camera events of {given.id} need no signature"]


async def _list(conn: Conn, _: argparse.Namespace, __: Sealer, now: datetime) -> list[str]:
    return [
        f"{row.id}\t{row.key_id}\t{row.key_name}\t{_standing(row, now)}\t"
        f"{'required' if row.signed_only else 'optional'}"
        for row in await signing_secrets.LISTED.all(conn)
    ]


def _standing(row: signing_secrets.Listed, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is None:
        return "in force"
    return "expired" if row.expires_at <= now else f"in force until {row.expires_at:%Y-%m-%d %H:%M%z}"


_VERBS: Final[dict[str, Callable[[Conn, argparse.Namespace, Sealer, datetime], Awaitable[list[str]]]]] = {
    "give": _give, "rotate": _rotate, "revoke": _revoke, "require": _require, "release": _release, "list": _list,
}  # fmt: skip
