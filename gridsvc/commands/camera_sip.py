"""`gridsvc cameras sip`: which devices and platforms of GB/T 28181 may register, for which cameras."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from gridsvc.actions.give_sip_device import give_sip_device, rotate_sip_device
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.errors import BadSettings, Unknown
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store import sip_devices

if TYPE_CHECKING:
    from datetime import datetime

    from gridsvc.db import Conn

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME: Final = "sip"
ACTOR: Final = "command:cameras sip"

_EXAMPLE: Final = """\
examples:
  gridsvc cameras sip add 62010200001180000001 CAMERA CAMERA …   a recorder and its cameras; prints the password once
  gridsvc cameras sip rotate 62010200001180000001                another password; it must register anew
  gridsvc cameras sip revoke 62010200001180000001
  gridsvc cameras sip list

The service listens where GRIDSVC_SIP_LISTEN says, and knows of a change within five seconds.
Exit code 0: done; 1: refused; 2: the command was wrong."""


def add_to(parts: Subparsers) -> None:
    """Add `sip` to the parts of `gridsvc cameras`."""
    parser = parts.add_parser(
        NAME, help="which devices of GB/T 28181 may register, for which cameras", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("verb", choices=["add", "rotate", "revoke", "list"])
    parser.add_argument("code", nargs="?", metavar="DEVICE", help="20 digits")
    parser.add_argument("cameras", nargs="*", metavar="CAMERA", help="with add: codes of the cameras it speaks for")
    parser.add_argument("--label", default="", help="with add: what it is")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code."""
    if (arguments.verb == "list") == (arguments.code is not None) or bool(arguments.cameras) != (
        arguments.verb == "add"
    ):
        print(f"gridsvc cameras sip {arguments.verb}: want {_wanted(arguments.verb)}", file=sys.stderr)
        return 2
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras sip") as pool,
        transaction(pool) as (conn, now),
    ):
        lines = await _lines(conn, arguments, settings, now)
    for line in lines:
        print(line)
    return 0


def _wanted(verb: str) -> str:
    return {"add": "a device and at least one camera", "list": "nothing more"}.get(verb, "a device")


async def _lines(conn: Conn, given: argparse.Namespace, settings: Settings, now: datetime) -> list[str]:
    match given.verb:
        case "add":
            password = await give_sip_device(
                conn, given.code, given.cameras, given.label, _sealer(settings), ACTOR, now
            )
            return [f"{given.code}\t{password}"]
        case "rotate":
            return [f"{given.code}\t{await rotate_sip_device(conn, given.code, _sealer(settings), now)}"]
        case "revoke":
            if not await sip_devices.REVOKE.run(conn, given.code, now):
                raise Unknown(f"no device {given.code} that could be revoked; gridsvc cameras sip list shows them")
            return [f"{given.code} is revoked: nothing that it sends is taken any more"]
    return [_line(row, now) for row in await sip_devices.LISTED.all(conn)]


def _sealer(settings: Settings) -> Sealer:
    if not (settings.identity.secret or settings.identity.sealing_secrets):
        raise BadSettings("GRIDSVC_SECRET is empty; the password of a device is sealed with it")
    return Sealer.of_secrets(settings.identity.sealing)


def _line(row: sip_devices.Listed, now: datetime) -> str:
    if row.revoked_at is not None:
        standing = "revoked"
    elif row.registered_until is not None and row.registered_until > now:
        standing = f"registered from {row.host} until {row.registered_until.isoformat(timespec='seconds')}"
    else:
        standing = "not registered"
    heard = row.heard_at.isoformat(timespec="seconds") if row.heard_at else "never"
    return f"{row.code}\t{standing}\t{row.label}\theard {heard}\t{' '.join(row.cameras)}"
