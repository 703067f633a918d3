"""`gridsvc cameras mapping`: how any other JSON is read; proposed from a sample, tried, drafted, published."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from events.intake.camera_event import CameraEvent, Refused
from geo.datum import Datum
from gridsvc.actions.try_mapping import Tried, try_mapping
from gridsvc.actions.write_mapping import change_mapping, draft_mapping, publish_mapping
from gridsvc.api.camera_mappings import read_of
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.errors import MappingRefused, SetupError, Unknown
from gridsvc.settings import Settings
from gridsvc.store import camera_mappings
from gridsvc.store.camera_mappings import MappingRow

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME: Final = "mapping"
ACTOR: Final = "command:cameras"
_ALL: Final = 10_000

_EXAMPLE: Final = """\
examples: from one sample to a mapping in force
  gridsvc cameras mapping propose sample.json --datum wgs84 > mapping.json    what looks like what; edit it
  gridsvc cameras mapping try sample.json mapping.json                        what it reads, and what is missing
  gridsvc cameras mapping publish survey-car mapping.json                     keep it, and put it in force
  gridsvc cameras token CAR-7 --protocol mapped --mapping survey-car          what the sender posts with

examples: a draft, kept and published later; what there is
  gridsvc cameras mapping draft survey-car mapping.json
  gridsvc cameras mapping publish survey-car
  gridsvc cameras mapping list
  gridsvc cameras mapping show survey-car                                     the latest version, as a file

SAMPLE is a file with one message as it is sent; - reads it from the standard input.
Exit code 0: done, and with `try` everything was read; 1: something was not; 2: the command was wrong."""


def add_to(parts: Subparsers) -> None:
    """Add `mapping` to the parts of `gridsvc cameras`."""
    parser = parts.add_parser(
        NAME, help="how any other JSON is read: propose, try, draft, publish", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|propose|try|draft|publish")
    _verb(verbs, "list", "every version of every mapping")
    showing = _verb(verbs, "show", "one version as a file: the latest, or --version")
    showing.add_argument("name", metavar="NAME")
    showing.add_argument("--version", type=int)
    proposing = _verb(verbs, "propose", "a mapping from a sample alone; how each rule was found, on standard error")
    proposing.add_argument("sample", type=Path, metavar="SAMPLE")
    proposing.add_argument("--datum", type=Datum, choices=list(Datum), help="whose degrees its places are")
    trying = _verb(verbs, "try", "what a sample becomes, item by item; writes nothing")
    trying.add_argument("sample", type=Path, metavar="SAMPLE")
    trying.add_argument("mapping", metavar="NAME|FILE", help="the name of a mapping (its draft first), or a file")
    drafting = _verb(verbs, "draft", "keep a file as the draft of a name")
    drafting.add_argument("name", metavar="NAME")
    drafting.add_argument("file", type=Path, metavar="FILE")
    publishing = _verb(verbs, "publish", "put a draft, or a file, in force")
    publishing.add_argument("name", metavar="NAME")
    publishing.add_argument("file", type=Path, metavar="FILE", nargs="?")


def _verb(verbs: Subparsers, name: str, says: str) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=says, epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; the exit code. Raises GridError with the reason where it cannot."""
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras mapping") as pool,
        transaction(pool) as (conn, now),
    ):
        return await _VERBS[arguments.verb](conn, arguments, now)


async def _list(conn: Conn, _: argparse.Namespace, __: datetime) -> int:
    for row in await camera_mappings.LISTED.all(conn, None, "", 0, _ALL):
        done = "draft" if row.published_at is None else f"published {row.published_at:%Y-%m-%d %H:%M}"
        rules = len(row.document["rules"])
        print(f"{row.name}\t{row.version}\t{done}\t{rules} rules\t{row.published_by or row.drafted_by}")
    return 0


async def _show(conn: Conn, given: argparse.Namespace, _: datetime) -> int:
    if given.version is not None:
        row = await camera_mappings.ONE.one(conn, given.name, given.version)
    else:
        row = await _latest(conn, given.name)
    if row is None:
        raise Unknown(f"no such version of a mapping {given.name}; gridsvc cameras mapping list shows them")
    print(_file(row.document))
    return 0


async def _propose(conn: Conn, given: argparse.Namespace, now: datetime) -> int:
    datum = None if given.datum is None else str(given.datum)
    tried = await try_mapping(conn, _read(given.sample), None, datum, now)
    print(_file(tried.document))
    for guess in tried.guesses:
        others = f"  (or {', '.join(guess.others)})" if guess.others else ""
        print(f"{guess.target:12} {guess.path:24} {guess.found}{others}", file=sys.stderr)
    for each in tried.open:
        print(f"to be said: {each}", file=sys.stderr)
    return 1 if tried.open else 0


async def _try(conn: Conn, given: argparse.Namespace, now: datetime) -> int:
    row = await _latest(conn, given.mapping)
    document = row.document if row is not None else _document(Path(given.mapping))
    tried = await try_mapping(conn, _read(given.sample), document, None, now)
    for line in _lines(tried):
        print(line)
    return 0 if all(isinstance(item.told, CameraEvent) for item in tried.items) else 1


async def _draft(conn: Conn, given: argparse.Namespace, now: datetime) -> int:
    row = await _keep(conn, given.name, _document(given.file), now)
    print(f"{row.name} {row.version} is a draft; gridsvc cameras mapping publish {row.name}")
    return 0


async def _publish(conn: Conn, given: argparse.Namespace, now: datetime) -> int:
    if given.file is not None:
        await _keep(conn, given.name, _document(given.file), now)
    draft = await camera_mappings.DRAFT.one(conn, given.name)
    if draft is None:
        raise MappingRefused(f"{given.name} has no draft; want one, or a FILE", reason="published")
    row = await publish_mapping(conn, draft.name, draft.version, ACTOR, now)
    print(f"{row.name} {row.version} is in force within 10 s, for every token that names it")
    return 0


async def _keep(conn: Conn, name: str, document: dict[str, Any], now: datetime) -> MappingRow:
    """The draft of a name says this from now on; there is one where there was none."""
    draft = await camera_mappings.DRAFT.one(conn, name)
    if draft is None:
        return await draft_mapping(conn, name, document, ACTOR, now)
    return await change_mapping(conn, name, draft.version, document, ACTOR, now)


async def _latest(conn: Conn, name: str) -> MappingRow | None:
    return await camera_mappings.DRAFT.one(conn, name) or await camera_mappings.IN_FORCE.one(conn, name)


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def _document(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_read(path), type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError) as error:
        raise MappingRefused(f"{path}: {error}; want a mapping in JSON", reason="bad_mapping") from error


def _file(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


def _lines(tried: Tried) -> Sequence[str]:
    lines: list[str] = []
    for number, item in enumerate(tried.items, start=1):
        if isinstance(item.told, Refused):
            lines.append(f"item {number}: refused, {item.told.code}: {item.told.says}")
        if isinstance(item.told, CameraEvent):
            lines.append(f"item {number}: read")
            lines.append(_file(msgspec.to_builtins(read_of(item.told))))
        for line in item.lines:
            said = f"{line.found!r} is {line.became!r}" if line.path else f"constant {line.became!r}"
            lines.append(f"  {line.target:12} {line.path or '-':24} {line.problem or said}")
        if isinstance(item.told, CameraEvent) and item.told.spot is not None:
            lines.append(f"  cell {item.cell}" if item.cell else "  outside the grid: nothing would come of it")
        lines += [f"  missing: {each}" for each in item.missing]
    return lines


_VERBS: Final[dict[str, Callable[[Conn, argparse.Namespace, datetime], Awaitable[int]]]] = {
    "list": _list, "show": _show, "propose": _propose, "try": _try, "draft": _draft, "publish": _publish,
}  # fmt: skip
