"""`gridsvc cameras quarantine`: messages that could not be read; see them, and replay them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsvc.actions.replay_message import StillUnread, replay_message
from gridsvc.api.camera_protocols import protocol_of
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.settings import Settings
from gridsvc.store import camera_mappings, camera_quarantine
from gridsvc.store.camera_quarantine import Kept, Listed

if TYPE_CHECKING:
    from datetime import datetime

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME: Final = "quarantine"

_EXAMPLE: Final = """\
examples:
  gridsvc cameras quarantine list                 what waits, the newest first
  gridsvc cameras quarantine show ID              one message: its headers, and its body as it came
  gridsvc cameras quarantine replay ID            read it once more, as if it came now
  gridsvc cameras quarantine replay --all         all that waits

Exit code 0: done; 1: nothing such is there, or it cannot be read still; 2: the command was wrong."""

_SHOWN: Final = 200


def add_to(parts: Subparsers) -> None:
    """Add `quarantine` to the parts of `gridsvc cameras`."""
    parser = parts.add_parser(
        NAME, help="messages that could not be read: see them, replay them", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("verb", choices=["list", "show", "replay"])
    parser.add_argument("id", nargs="?", type=UUID)
    parser.add_argument("--all", action="store_true", help="with list: the replayed ones too; with replay: all")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code."""
    if not _is_whole(arguments):
        print(f"gridsvc cameras quarantine {arguments.verb}: want {_wanted(arguments.verb)}", file=sys.stderr)
        return 2
    async with open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras quarantine") as pool:
        if arguments.verb == "list":
            async with transaction(pool) as (conn, _):
                for row in await camera_quarantine.LISTED.all(conn, arguments.all, _SHOWN):
                    print(_line(row))
            return 0
        ids = [arguments.id]
        if arguments.verb == "replay" and arguments.all:
            async with transaction(pool) as (conn, _):
                ids = [row.id for row in await camera_quarantine.LISTED.all(conn, False, _SHOWN)]
        worst = 0
        for each in ids:
            async with transaction(pool) as (conn, now):
                worst = max(worst, await _one(conn, each, arguments.verb, now))
        return worst


def _is_whole(arguments: argparse.Namespace) -> bool:
    """Whether there is an id where one is wanted, and none where not."""
    without = arguments.verb == "list" or (arguments.verb == "replay" and arguments.all)
    return bool((arguments.id is None) == without)


def _wanted(verb: str) -> str:
    return "no id" if verb == "list" else "one id, as `gridsvc cameras quarantine list` shows it"


async def _one(conn: Conn, message_id: UUID, verb: str, now: datetime) -> int:
    kept = await camera_quarantine.ONE.one(conn, message_id)
    if kept is None:
        print(f"gridsvc cameras quarantine: no message {message_id}", file=sys.stderr)
        return 1
    if verb == "show":
        _show(kept)
        return 0
    reading = await camera_mappings.OF_TOKEN.one(conn, kept.token_id)  # as it is read today, whatever it was then
    protocol = protocol_of(kept.protocol, reading.document if reading else None)
    if protocol is None:
        print(f"{kept.id}: nothing here reads {kept.protocol}", file=sys.stderr)
        return 1
    done = await replay_message(conn, kept, protocol.parse(kept.body, kept.content_type, kept.headers), now)
    if isinstance(done, StillUnread):
        print(f"{kept.id}: {done.code}: {done.says}", file=sys.stderr)
        return 1
    print(f"{kept.id}: {len(done)} events, " + ", ".join(answer.outcome for answer in done))
    return 0


def _line(row: Listed) -> str:
    done = f"replayed {row.replayed_at:%Y-%m-%d %H:%M}: {row.replayed_as}" if row.replayed_at else "waits"
    cameras = ",".join(row.cameras)
    came = f"{row.id} {row.received_at:%Y-%m-%d %H:%M:%S} {row.protocol} {cameras} {row.bytes} B"
    return f"{came} {row.code}: {row.says} ({done})"


def _show(kept: Kept) -> None:
    print(f"{kept.id} {kept.protocol} from {kept.peer}, {kept.received_at.isoformat()}")
    print(f"{kept.code}: {kept.says}")
    for name, value in kept.headers.items():
        print(f"{name}: {value}")
    print()
    sys.stdout.flush()
    sys.stdout.buffer.write(kept.body + b"\n")
    sys.stdout.buffer.flush()
    if kept.bytes > len(kept.body):
        print(f"… {kept.bytes - len(kept.body)} bytes more came and were not kept")
