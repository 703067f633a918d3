"""Rows of a file of service requests, read as reports: which column says what, and what time it was there."""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from gridsvc.errors import SetupError

FIELDS: Final = ("id", "lon", "lat", "occurred", "category", "description", "address")
"""What a column can be mapped to. `lon`, `lat` and `occurred` must be."""

# As files of cities write them; %p is AM or PM. A text with an offset or a Z needs no zone.
_FORMS: Final = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M:%S")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file: columns by field, the zone of its times, its datum, its categories.

    `categories` maps the file's words, compared without case and outer blanks, to our codes; `otherwise`
    is the code of every other word, None where such a row shall be counted as unknown.
    """

    columns: Mapping[str, str]
    zone: ZoneInfo
    datum: str = "wgs84"
    categories: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    truth: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One request that can be sent. `key` is made from the row's own id, so sending it twice is sending it once."""

    line: int
    key: str
    occurred: datetime
    place: tuple[float, float] | None
    category: str
    description: str
    address: str
    truth: str | None
    time_note: str | None  # 'ambiguous' or 'nonexistent', where the local time was


@dataclass(frozen=True)
class Unusable:
    """A row that cannot be sent, and the kind of reason, for counting."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True)
class Moment:
    """A local time as a moment. `note` says where the wall clock was no help."""

    at: datetime
    note: str | None = None


def moment_of(text: str, zone: ZoneInfo) -> Moment:
    """When `text` was. Without an offset it is a wall clock's time in `zone`.

    A time that the wall clock showed twice (clocks went back) is taken as the first of the two and noted
    'ambiguous'; one that it never showed (clocks went forward) is taken with the offset of before, so it
    comes out after the gap, and noted 'nonexistent'. Raises ValueError for a text that is no time.
    """
    local = _parsed(text.strip())
    if local.tzinfo is not None:
        return Moment(local.astimezone(UTC))
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    at = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return Moment(at)
    shown = at.astimezone(zone).replace(tzinfo=None, fold=0) == local
    return Moment(at, "ambiguous" if shown else "nonexistent")


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for form in _FORMS:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
            except ValueError:
                continue
    raise ValueError(f"{text!r} is no time; want 2020-01-31 17:05:00 or 01/31/2020 05:05:00 PM")


def read_columns(text: str) -> dict[str, str]:
    """`lon=longitude,lat=latitude,occurred=createddate` as a table. Raises SetupError naming the piece at fault."""
    columns: dict[str, str] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, column = (part.strip() for part in piece.partition("="))
        if not equals or not column or name not in FIELDS:
            raise SetupError(f"--map has {piece!r}; want field=column with a field of {', '.join(FIELDS)}")
        columns[name] = column
    if missing := [name for name in ("lon", "lat", "occurred") if name not in columns]:
        raise SetupError(f"--map does not say which column is {', '.join(missing)}")
    return columns


def read_rows(path: Path, reading: Reading, limit: int | None = None) -> Iterator[Row | Unusable]:
    """The rows of a CSV file (`.gz` too; UTF-8, with or without a byte order mark), in the file's order.

    Raises SetupError where the file cannot be read or lacks a column that the reading names.
    """
    try:
        with _opened(path) as text:
            table = csv.DictReader(text, strict=True)
            _want_columns(path, reading, table.fieldnames or [])
            digest = hashlib.sha256(str(path.name).encode()).hexdigest()[:12]
            for number, cells in enumerate(table):
                if limit is not None and number >= limit:
                    return
                yield read_row(cells, table.line_num, reading, digest)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise SetupError(f"{path}: cannot be read as a CSV file of UTF-8 text: {error}") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _want_columns(path: Path, reading: Reading, header: Sequence[str]) -> None:
    wanted = [*reading.columns.values(), *([reading.truth] if reading.truth else [])]
    if missing := [column for column in wanted if column not in header]:
        raise SetupError(f"{path}: no column {', '.join(missing)}; it has {', '.join(header) or 'no header at all'}")


def read_row(cells: Mapping[str, str | None], line: int, reading: Reading, file_id: str) -> Row | Unusable:
    """One row of the file as a report, or why it cannot be one."""

    def said(name: str) -> str:
        return (cells.get(reading.columns.get(name, ""), "") or "").strip()

    category = reading.categories.get(said("category").casefold(), reading.otherwise)
    if category is None:
        return Unusable(line, "unknown_category", said("category"))
    try:
        moment = moment_of(said("occurred"), reading.zone)
    except ValueError as error:
        return Unusable(line, "bad_time", str(error))
    try:
        place = _place(said("lon"), said("lat"))
    except ValueError:
        return Unusable(line, "bad_coordinates", f"{said('lon')!r}, {said('lat')!r}")
    return Row(
        line=line,
        key=_key(file_id, said("id"), line),
        occurred=moment.at,
        place=place,
        category=category,
        description=(said("description") or said("category"))[:2000],
        address=said("address")[:300],
        truth=((cells.get(reading.truth) or "").strip() or None) if reading.truth else None,
        time_note=moment.note,
    )


def _place(lon: str, lat: str) -> tuple[float, float] | None:
    """None where the row gives no coordinates at all. Raises ValueError for half a place or no number."""
    if not lon and not lat:
        return None
    place = float(lon), float(lat)
    if not all(math.isfinite(value) for value in place):
        raise ValueError
    return place


def _key(file_id: str, own_id: str, line: int) -> str:
    """The idempotency key: of the row's own id where it has one, else of the file's name and the line."""
    return f"replay-{hashlib.sha256((own_id or f'{file_id}:{line}').encode()).hexdigest()[:40]}"


def in_pace(rows: Iterator[Row], speed: float | None) -> Iterator[tuple[timedelta, Row]]:
    """Each row with how long after the first it is to be sent: `speed` times as fast as it happened, None: at once.

    A row that happened before the first, or before its forerunner, is sent with its forerunner.
    """
    first: datetime | None = None
    due = timedelta()
    for row in rows:
        first = first or row.occurred
        if speed is not None:
            due = max(due, (row.occurred - first) / speed)
        yield due, row
