"""`gridsvc cameras`: the registry of cameras, their tokens, what their words mean, and what they have sent."""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from geo.boundaries import UnreadablePoints, read_points
from geo.datum import Datum
from gridsvc.actions.give_token import give_token
from gridsvc.actions.import_cameras import import_cameras, plan_cameras
from gridsvc.actions.write_labels import write_labels
from gridsvc.commands import (
    camera_accounts,
    camera_gateways,
    camera_ledger,
    camera_mapping,
    camera_quarantine,
    camera_sip,
    camera_sites,
)
from gridsvc.commands.components import progress
from gridsvc.db import Conn, ConnPool, open_pool, transaction
from gridsvc.domain.camera import NAMES, facts_of
from gridsvc.domain.camera_file import opened, read_ape, read_csv, read_features, table_of
from gridsvc.domain.camera_label import read_table
from gridsvc.domain.camera_label import table_of as label_table_of
from gridsvc.domain.component import Sheet
from gridsvc.domain.roster import Fault
from gridsvc.errors import ImportRefused, Refused, SetupError, Unknown
from gridsvc.settings import Settings
from gridsvc.store import camera_labels, camera_tokens, cameras

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

ACTOR: Final = "command:cameras"
_SHOWN: Final = 200  # faults printed one by one; the rest is counted
_PAGE: Final = 500
_GRACE_HOURS: Final = 24.0  # how long the old token of a rotated one is good beside the new one

_EXAMPLES: Final = {
    "import": """\
example: a table from the video department, coordinates from a domestic Chinese map
  gridsvc cameras import cameras.csv --datum gcj02 --preview
  gridsvc cameras import cameras.csv --datum gcj02

example: the list of devices of a GA/T 1400 platform
  gridsvc cameras import apes.json --datum cgcs2000

Columns and what is refused: docs/cameras/registry.md.
Exit code 0: all rows are in; 1: rows were refused; 2: the command itself was wrong.""",
    "list": """\
example: those that are not heard any more, in one district
  gridsvc cameras list --health offline --division 620102""",
    "show": """\
example: what one camera sees and how it stands
  gridsvc cameras show 62010000001320000001""",
    "export": """\
example: the registry as the table that `import` takes (its coordinates are WGS-84)
  gridsvc cameras export > cameras.csv""",
    "token": """\
example: the secret that is typed into one device; it is printed once
  gridsvc cameras token 62010000001320000001 --protocol hikvision --label "crossing 1" --network 10.20.0.0/16

example: one for all cameras of a site; a new one instead of it, the old one good for another day
  gridsvc cameras token 62010000001320000001 62010000001320000002 --protocol frigate --label "market"
  gridsvc cameras token --rotate 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11 --grace-hours 24

  gridsvc cameras token --revoke 019aaf3e-6c1b-7c3e-9d5c-0a5b8f6f1f11

example: one for JSON of any kind, read with a published mapping
  gridsvc cameras token CAR-7 --protocol mapped --label 'survey car 7' --mapping survey-car""",
    "tokens": """\
example:
  gridsvc cameras tokens""",
    "labels": """\
example: the map out, and in again after it was edited
  gridsvc cameras labels > labels.csv
  gridsvc cameras labels labels.csv""",
    "unmapped": """\
example: which words came that nobody has given a meaning
  gridsvc cameras unmapped""",
}


def add(subparsers: Subparsers) -> None:
    """Add `cameras` with its parts to the command line."""
    what = "the registry of cameras, their tokens, what their words mean, and what they have sent"
    parser = subparsers.add_parser("cameras", help=what)
    parts = parser.add_subparsers(dest="part", required=True, metavar="COMMAND")
    importing = _part(parts, "import", "import cameras from CSV, GeoJSON, GeoPackage, Shapefile or an APE list")
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.add_argument(
        "--datum", type=Datum, choices=list(Datum), required=True, help="whose degrees the coordinates are"
    )
    importing.add_argument("--protocol", help="of rows that name none")
    importing.add_argument("--preview", action="store_true", help="only say what would change; write nothing")
    importing.add_argument("--partial", action="store_true", help="import the good rows even when others are refused")
    listing = _part(parts, "list", "cameras, one a line: code, name, state, health, division, cells in view")
    listing.add_argument("--division")
    listing.add_argument("--protocol")
    listing.add_argument("--health", choices=["never", "online", "offline"])
    showing = _part(parts, "show", "one camera, as JSON")
    showing.add_argument("camera")
    _part(parts, "export", "the registry as CSV")
    token = _part(parts, "token", "the secret that a device posts with: give out, rotate, revoke")
    token.add_argument("cameras", nargs="*", metavar="CAMERA", help="codes of the cameras that it speaks for")
    token.add_argument("--protocol", help="what the device speaks")
    token.add_argument("--mapping", metavar="NAME", help="with --protocol mapped: what its messages are read with")
    token.add_argument("--label", default="", help="what the token is for")
    token.add_argument("--network", action="append", default=[], metavar="CIDR", help="from where alone it is good")
    token.add_argument("--days", type=int, help="how long it is good for; for ever if left out")
    other = token.add_mutually_exclusive_group()
    other.add_argument("--rotate", type=UUID, metavar="ID", help="a new secret instead of this one")
    other.add_argument("--revoke", type=UUID, metavar="ID", help="end this one at once")
    token.add_argument("--grace-hours", type=float, default=_GRACE_HOURS, help="how long a rotated one stays good")
    _part(parts, "tokens", "every token, never its secret")
    labels = _part(parts, "labels", "what devices' words mean: print the map, or read it from a file")
    labels.add_argument("file", type=Path, nargs="?", metavar="FILE", help="rows to write; left out: print all")
    _part(parts, "unmapped", "words that came and have no meaning yet")
    camera_accounts.add_to(parts)
    camera_ledger.add_to(parts)
    camera_quarantine.add_to(parts)
    camera_mapping.add_to(parts)
    camera_sites.add_to(parts)
    camera_sip.add_to(parts)
    camera_gateways.add_to(parts)


def _part(parts: Subparsers, name: str, says: str) -> argparse.ArgumentParser:
    return parts.add_parser(
        name, help=says, epilog=_EXAMPLES[name], formatter_class=argparse.RawDescriptionHelpFormatter
    )


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one of the parts; the exit code. Raises GridError with the reason where it cannot."""
    if arguments.part in camera_accounts.NAMES:
        return await camera_accounts.run(arguments, settings)
    if arguments.part == camera_ledger.NAME:
        return await camera_ledger.run(arguments, settings)
    if arguments.part == camera_quarantine.NAME:
        return await camera_quarantine.run(arguments, settings)
    if arguments.part == camera_mapping.NAME:
        return await camera_mapping.run(arguments, settings)
    if arguments.part == camera_sites.NAME:
        return await camera_sites.run(arguments, settings)
    if arguments.part == camera_sip.NAME:
        return await camera_sip.run(arguments, settings)
    if arguments.part in camera_gateways.NAMES:
        return await camera_gateways.run(arguments, settings)
    async with open_pool(settings.database.url, size=1, name="gridsvc cameras") as pool:
        if arguments.part == "import":
            return await _import(pool, arguments)
        if arguments.part == "labels" and arguments.file is not None:
            return await _import_labels(pool, arguments.file)
        async with transaction(pool) as (conn, now):
            lines = await _PARTS[arguments.part](conn, arguments, now)
    for line in lines:
        print(line)
    return 0


# -- the registry ---------------------------------------------------------------------------------


async def _import(pool: ConnPool, given: argparse.Namespace) -> int:
    sheet = read_sheet(given.file)
    if isinstance(sheet, Fault):
        raise SetupError(str(sheet))
    try:
        async with transaction(pool) as (conn, now):
            with progress() as told:
                plan = await plan_cameras(
                    conn, sheet, str(given.datum), given.protocol, partial=given.partial or given.preview, now=now,
                    told=told,
                )  # fmt: skip
                if not given.preview:
                    await import_cameras(conn, plan, ACTOR, now, told)
    except ImportRefused as refused:
        _print_some([defect.message for defect in refused.defects])
        print(f"gridsvc cameras import: {refused.message}", file=sys.stderr)
        return 1
    _print_some([str(fault) for fault in plan.faults])
    if sheet.ignored:
        print(f"warning: columns that nobody reads: {', '.join(sheet.ignored)}", file=sys.stderr)
    for name, count in sorted(plan.changed_fields.items()):
        print(f"{name}: {count} changed")
    done = "would be imported" if given.preview else "imported"
    warnings = len(plan.faults) - len(plan.refused)
    print(
        f"{plan.added} new and {plan.changed} changed cameras {done}, {plan.unchanged} as before; "
        f"{len(plan.refused)} refusals, {warnings} warnings"
    )
    return 1 if plan.refused else 0


def read_sheet(path: Path) -> Sheet | Fault:
    """The rows of a file by its kind: a table, a map file, or a list of devices. Raises SetupError if unreadable."""
    try:
        content = path.read_bytes()
        if path.suffix.lower() in {".csv", ".txt"}:
            return read_csv(path.name, content)
        if path.suffix.lower() == ".json":
            document = opened(path.name, content)
            if isinstance(document, Fault):
                return document
            if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
                return read_ape(path.name, document)
        points = read_points(path)
    except (OSError, UnreadablePoints) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"{path} cannot be read: {reason}") from error
    return read_features(path.name, points.columns, points.at, points.shapes)


def _print_some(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        print(line, file=sys.stderr)
    if len(lines) > _SHOWN:
        print(f"… and {len(lines) - _SHOWN} more", file=sys.stderr)


async def _every(
    conn: Conn, division: str | None = None, protocol: str | None = None, health: str | None = None
) -> list[cameras.CameraRow]:
    found: list[cameras.CameraRow] = []
    page: list[cameras.CameraRow] = []
    while not found or len(page) == _PAGE:
        after = found[-1].code if found else ""
        page = await cameras.LISTED.all(conn, after, division, None, protocol, None, health, None, None, _PAGE)
        found += page
        if not page:
            break
    return found


async def _list(conn: Conn, given: argparse.Namespace, _: datetime) -> list[str]:
    rows = await _every(conn, given.division, given.protocol, given.health)
    seen = await cameras.SEEN.all(conn, [row.code for row in rows])
    cells: dict[str, int] = {}
    for each in seen:
        if each.kind == "view":
            cells[each.camera] = cells.get(each.camera, 0) + 1
    return [
        f"{row.code}\t{row.name}\t{row.protocol}\t{row.state}\t{row.health}\t"
        f"{row.divisions[-1] if row.divisions else '-'}\t{cells.get(row.code, 0)} cells"
        for row in rows
    ]


async def _show(conn: Conn, given: argparse.Namespace, _: datetime) -> list[str]:
    kept = (await cameras.current(conn, [given.camera])).get(given.camera)
    if kept is None:
        raise Unknown(f"no camera {given.camera} in the registry; gridsvc cameras list shows them")
    seen = await cameras.SEEN.all(conn, [given.camera])
    told = {
        "code": kept.row.code,
        **facts_of(kept.camera),
        "health": kept.row.health,
        "heard_at": kept.row.heard_at.isoformat() if kept.row.heard_at else None,
        "divisions": kept.row.divisions,
        "version": kept.row.version,
        "cells": [{"kind": each.kind, "name": each.name, "cell": each.cell, "share": each.share} for each in seen],
    }
    return [json.dumps(told, ensure_ascii=False, indent=1)]


async def _export(conn: Conn, _: argparse.Namespace, __: datetime) -> list[str]:
    kept = await cameras.whole(conn, await _every(conn))
    rows = []
    for code, each in kept.items():
        facts = facts_of(each.camera)
        row = {"code": code, "x": each.row.lon, "y": each.row.lat, **facts}
        row |= {name: " ".join(facts[name]) for name in (*NAMES, "streams")}
        rows.append(row)
    return [table_of(rows).rstrip("\n")]


# -- tokens ---------------------------------------------------------------------------------------


async def _token(conn: Conn, given: argparse.Namespace, now: datetime) -> list[str]:
    if given.revoke is not None:
        if not await camera_tokens.REVOKE.run(conn, given.revoke, now):
            raise Unknown(f"no token {given.revoke} that could be revoked; gridsvc cameras tokens shows them")
        return [f"{given.revoke} is revoked: nothing that comes with it is taken any more"]
    if given.days is not None and given.days < 1:
        raise Refused(f"--days is {given.days}; want 1 or more")
    ends = None if given.days is None else now + timedelta(days=given.days)
    if given.rotate is not None:
        return await _rotate(conn, given, ends, now)
    known = await cameras.known(conn)
    if not given.cameras or given.protocol not in known.protocols:
        raise Refused(f"a token needs a camera's code and a --protocol, one of {', '.join(sorted(known.protocols))}")
    token_id, secret = await give_token(
        conn, given.cameras, given.protocol, given.label, ACTOR, now, networks=_networks(given.network),
        expires_at=ends, mapping=given.mapping,
    )  # fmt: skip
    return [f"{token_id}\t{secret}"]


async def _rotate(conn: Conn, given: argparse.Namespace, ends: datetime | None, now: datetime) -> list[str]:
    old = await camera_tokens.LISTED.one(conn, given.rotate)
    if old is None or old.revoked_at is not None:
        raise Unknown(f"no token {given.rotate} that could be rotated; gridsvc cameras tokens shows them")
    if given.grace_hours < 0:
        raise Refused(f"--grace-hours is {given.grace_hours:g}; want 0 or more")
    token_id, secret = await give_token(
        conn, old.cameras, old.protocol, given.label or old.label, ACTOR, now, expires_at=ends,
        networks=_networks(given.network) or old.networks, mapping=given.mapping or old.mapping,
    )  # fmt: skip
    await camera_tokens.END_BY.run(conn, old.id, now + timedelta(hours=given.grace_hours))
    return [f"{token_id}\t{secret}", f"{old.id} is good for another {given.grace_hours:g} hours"]


def _networks(given: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(each)) for each in given]
    except ValueError as wrong:
        raise Refused(f"--network: {wrong}; want e.g. 10.20.0.0/16") from wrong


async def _tokens(conn: Conn, _: argparse.Namespace, now: datetime) -> list[str]:
    return [
        f"{row.id}\t{_speaks(row)}\t{_standing(row, now)}\t{row.label}\t{' '.join(row.networks) or 'anywhere'}\t"
        f"{' '.join(row.cameras)}"
        for row in await camera_tokens.LISTED.all(conn, None)
    ]


def _speaks(row: camera_tokens.Listed) -> str:
    return row.protocol if row.mapping is None else f"{row.protocol}:{row.mapping}"


def _standing(row: camera_tokens.Listed, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "active"


# -- what words mean -------------------------------------------------------------------------------


async def _labels(conn: Conn, _: argparse.Namespace, __: datetime) -> list[str]:
    rows: list[camera_labels.LabelRow] = []
    page = await camera_labels.ALL.all(conn, None, None, 0, _PAGE)
    while page:
        rows += page
        page = await camera_labels.ALL.all(conn, None, None, rows[-1].id, _PAGE)
    return [label_table_of([row.label() for row in rows]).rstrip("\n")]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


async def _import_labels(pool: ConnPool, path: Path) -> int:
    content = _read(path)
    async with transaction(pool) as (conn, now):
        codes = [row.code for row in await _every(conn)]
        known = await camera_labels.known_words(conn, codes)
        rows, faults = read_table(path.name, content, known)
        if faults:
            _print_some([str(fault) for fault in faults])
            print(f"gridsvc cameras labels: nothing was written: {len(faults)} faults", file=sys.stderr)
            return 1
        _, settled = await write_labels(conn, rows, known.default_edition, ACTOR, now)
    print(f"{len(rows)} rows written; {settled} words that waited have a meaning now")
    return 0


async def _unmapped(conn: Conn, _: argparse.Namespace, __: datetime) -> list[str]:
    return [
        f"{row.camera}\t{row.camera_name}\t{row.kind}\t{row.zone or '-'}\t{row.target or '-'}\t{row.count} times\t"
        f"{row.last_at:%Y-%m-%d %H:%M:%S%z}"
        for row in await camera_labels.UNMAPPED.all(conn, "", "", "", "", 100_000)
    ]


_PARTS: Final[dict[str, Callable[[Conn, argparse.Namespace, datetime], Awaitable[list[str]]]]] = {
    "list": _list, "show": _show, "export": _export, "token": _token, "tokens": _tokens, "labels": _labels,
    "unmapped": _unmapped,
}  # fmt: skip
