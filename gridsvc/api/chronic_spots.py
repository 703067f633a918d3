"""GET /api/v1/chronic-spots: where the same class of thing came back soon after it was closed, ranked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from geo.place import Place
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Told, Wanted, read_query, reply
from gridsvc.domain.access import scope_keys
from gridsvc.domain.chronic import AGAIN_WITHIN_DAYS, Seen, Spot, spots_of
from gridsvc.errors import BadRequest
from gridsvc.store import chronic_spots
from gridsvc.store.chronic_spots import AT_MOST, Candidate
from gridsvc.store.rulebook import rulebook

_BACK: Final = timedelta(days=365)


class ChronicQuery(Wanted, rename={"first": "from", "end": "to"}):
    """Cases reported on days of the city's zone in [from, to) that came back within `days` after a closing.

    Left out: `to` is tomorrow, `from` a year before `to`.
    """

    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = AGAIN_WITHIN_DAYS
    first: date | None = None
    end: date | None = None
    division: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class PointTold(Told):
    """GeoJSON; WGS-84 degrees, longitude first."""

    coordinates: tuple[float, float]
    type: str = "Point"


class MemberTold(Told):
    """One case of a spot."""

    id: UUID
    number: str | None
    state: str
    reported_at: datetime
    closed_at: datetime | None


class SpotTold(Told):
    """One place. Point, cell and divisions are those of its first case; `first` and `last` are times of report."""

    category: str
    category_name: str
    category_name_en: str
    count: int
    first: datetime
    last: datetime
    geometry: PointTold
    cell: str | None
    divisions: list[str]
    members: list[MemberTold]


class ChronicTold(Told, rename={"start": "from", "end": "to"}):
    """The spots, the worst first. `found` counts all of them, also those beyond `limit`."""

    start: date
    end: date
    days: int
    found: int
    items: list[SpotTold]


async def _spots(request: web.Request) -> web.Response:
    query = read_query(request, ChronicQuery)
    async with scoped(request) as (conn, now):
        zone = (await rulebook(conn)).zone
        first, end = _stretch(query, now, zone)
        since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, end))
        rows = await chronic_spots.filed(conn, scope_keys(caller_of(request)), since, until, query.division)
    if len(rows) > AT_MOST:
        raise BadRequest(
            f"more than {AT_MOST} cases were reported from {first} to {end}; want a shorter stretch or a division",
            field="from", given=str(first), wanted="a shorter stretch, or a division",
        )  # fmt: skip
    found = await asyncio.to_thread(spots_of, [_seen(row) for row in rows], timedelta(days=query.days))
    by_id = {row.id: row for row in rows}
    return reply(
        ChronicTold(
            start=first, end=end, days=query.days, found=len(found),
            items=[_told(spot, [by_id[each.id] for each in spot.members]) for spot in found[: query.limit]],
        )
    )  # fmt: skip


def _stretch(query: ChronicQuery, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    end = query.end or now.astimezone(zone).date() + timedelta(days=1)
    first = query.first or end - _BACK
    if end <= first:
        raise BadRequest(
            f"to is {end}, from is {first}; want a day after it: to itself is not counted",
            field="to", given=str(end), wanted=f"a day after {first}",
        )  # fmt: skip
    return first, end


def _seen(row: Candidate) -> Seen:
    return Seen(
        id=row.id, edition=row.edition, category=row.category, place=Place(row.lon, row.lat), radius_m=row.radius_m,
        reported_at=row.reported_at, closed_at=row.closed_at,
    )  # fmt: skip


def _told(spot: Spot, rows: Sequence[Candidate]) -> SpotTold:
    first = rows[0]
    return SpotTold(
        category=f"{first.edition}:{first.category}", category_name=first.category_name,
        category_name_en=first.category_name_en, count=len(rows), first=first.reported_at,
        last=spot.last.reported_at, geometry=PointTold(coordinates=(first.lon, first.lat)), cell=first.cell_code,
        divisions=first.divisions,
        members=[MemberTold(row.id, row.number, row.state, row.reported_at, row.closed_at) for row in rows],
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/chronic-spots", handler=_spots, roles=DESK, scope="cases:read",
        query=ChronicQuery, answers=ChronicTold,
        summary="Where the same class of thing came back soon after it was closed, the worst first.",
    ),
)  # fmt: skip
