"""What a sample message says under a mapping, or under one that is proposed from it; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.intake.camera_event import CameraEvent, Parsed
from events.intake.mapped import BadMapping, Line, preview, read_mapping
from events.intake.mapping_proposal import Guess, missing, propose
from events.intake.unreadable import Unreadable
from geo.place import BadPlace, Place, read_place
from gridsvc.actions.know_cameras import owners
from gridsvc.db import Conn
from gridsvc.errors import MappingRefused


@dataclass(frozen=True)
class Item:
    """One event of the sample: how each rule came about, what was read, what it does not say, and in which cell."""

    told: Parsed
    lines: Sequence[Line]
    missing: Sequence[str]
    cell: str | None  # of the place that it carries; None: it carries none, or one outside the grid


@dataclass(frozen=True)
class Tried:
    """A mapping on a sample. `guesses` and `open` are of one that was proposed: what a person must still say."""

    document: Mapping[str, Any]
    items: Sequence[Item] = ()
    guesses: Sequence[Guess] = ()
    open: Sequence[str] = field(default_factory=tuple)


async def try_mapping(
    conn: Conn, sample: bytes, document: Mapping[str, Any] | None, datum: str | None, now: datetime
) -> Tried:
    """Read `sample` with `document`; without one, with what looks right (`datum`: whose degrees its places are).

    Raises MappingRefused for a document that cannot be, and for a sample that is no JSON.
    """
    proposal = None
    if document is None:
        try:
            proposal = propose(sample, datum)
        except Unreadable as unread:
            raise MappingRefused(f"the sample: {unread.says}", reason=unread.code) from unread
        document = proposal.document
    told = Tried(document, (), proposal.guesses if proposal else (), proposal.open if proposal else ())
    if proposal is not None and "kind" not in document["rules"]:
        return told
    try:
        mapping = read_mapping(document)
    except BadMapping as bad:
        raise MappingRefused(str(bad), reason="bad_mapping") from bad
    shown = preview(sample, mapping)
    cells = await _cells(conn, shown.items, now)
    lines = shown.lines or [()] * len(shown.items)
    items = [
        Item(each, rules, missing(each, mapping), cell)
        for each, rules, cell in zip(shown.items, lines, cells, strict=True)
    ]
    return Tried(told.document, items, told.guesses, told.open)


async def _cells(conn: Conn, items: Sequence[Parsed], now: datetime) -> list[str | None]:
    places = [_place(each) for each in items]
    found = iter(await owners(conn, [place for place in places if place is not None], now))
    cells: list[str | None] = []
    for place in places:
        owner = next(found) if place is not None else None
        cells.append(owner.cell_code if owner else None)
    return cells


def _place(item: Parsed) -> Place | None:
    if not isinstance(item, CameraEvent) or item.spot is None:
        return None
    try:
        return read_place(item.spot.lon, item.spot.lat, item.spot.datum)
    except BadPlace:
        return None
