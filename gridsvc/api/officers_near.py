"""Officers from nearer: the way one has come, who takes over from him, and who is nearest to a case."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from geo.place import Place
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import areas_of, check_reach
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_query, reply
from gridsvc.domain.access import scope_keys
from gridsvc.domain.stays import Fix, jumps
from gridsvc.errors import Unknown
from gridsvc.store import duty, positions
from gridsvc.store.officers_near import CASE_PLACE, NEAR, TAKE_OVER

MOST_STEPS: Final = 5_000  # a day of fixes as far apart as they are kept


class StepOut(Told):
    """Where he was at a moment; WGS-84 degrees.

    `mocked`: his phone said that a program made the place up; `jump`: nobody can have come there, nor gone on.
    """

    at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    mocked: bool
    jump: bool


class TrailOut(Told):
    """The way of an officer while he was on duty, in time's order, since his shift or the city's day began."""

    officer: UUID
    since: datetime
    steps: list[StepOut]


class TakesOverOut(Told):
    """A colleague on the same beats, and whether routing may give him something now."""

    id: UUID
    display_name: str
    beats: list[str]
    there: bool
    open_cases: int
    most_open: int
    load: float


class NearQuery(Wanted):
    """How many."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


class NearOut(Told):
    """An officer on duty: how far his latest place is from the case, how old that is, what he has in hand."""

    id: UUID
    display_name: str
    duty_line: str
    beats: list[str]
    distance_m: float
    accuracy_m: float | None
    age_s: float
    there: bool
    open_cases: int
    most_open: int
    load: float


async def _trail(request: web.Request) -> web.Response:
    officer_id = path_id(request)
    async with scoped(request) as (conn, now):
        await check_reach(conn, caller_of(request), DESK, officer_id, now)
        standing = (await duty.standings(conn, [officer_id], now))[officer_id]
        since = standing.duty.counts_from
        found = await positions.TRAIL.all(conn, officer_id, since, MOST_STEPS)
    found.reverse()
    true = [Fix(step.taken_at, Place(step.lon, step.lat, step.accuracy_m)) for step in found if not step.mocked]
    leaps = {fix.taken_at for fix, leap in zip(true, jumps(true), strict=True) if leap}
    steps = [
        StepOut(
            at=step.taken_at, lon=step.lon, lat=step.lat, accuracy_m=step.accuracy_m, mocked=step.mocked,
            jump=not step.mocked and step.taken_at in leaps,
        )
        for step in found
    ]  # fmt: skip
    return reply(TrailOut(officer=officer_id, since=since, steps=steps))


async def _takes_over(request: web.Request) -> web.Response:
    officer_id = path_id(request)
    async with scoped(request) as (conn, now):
        await check_reach(conn, caller_of(request), DESK, officer_id, now)
        found = await TAKE_OVER.all(conn, officer_id)
        standing = await duty.standings(conn, [row.id for row in found], now)
    items = [
        TakesOverOut(
            id=row.id, display_name=row.display_name, beats=row.beats, there=standing[row.id].duty.there,
            open_cases=row.open_cases, most_open=row.most_open, load=round(row.open_cases / row.most_open, 3),
        )
        for row in found
    ]  # fmt: skip
    items.sort(key=lambda each: (not each.there, each.load))
    return reply(Page[TakesOverOut](items=items))


async def _near(request: web.Request) -> web.Response:
    case_id, asked, caller = path_id(request), read_query(request, NearQuery), caller_of(request)
    areas = areas_of(caller, DESK)
    async with scoped(request) as (conn, now):
        case = await CASE_PLACE.one(conn, case_id, scope_keys(caller))
        if case is None:
            raise Unknown("there is no such case, or not for you", given=str(case_id))
        found = [] if not case.placed else await NEAR.all(
            conn, [division for division, _ in areas], [line for _, line in areas], now, case_id, asked.limit
        )  # fmt: skip
        standing = await duty.standings(conn, [row.id for row in found], now)
    items = [
        NearOut(
            id=row.id, display_name=row.display_name, duty_line=row.duty_line, beats=row.beats,
            distance_m=round(row.distance_m, 1), accuracy_m=row.accuracy_m,
            age_s=round((now - row.taken_at).total_seconds(), 1), there=standing[row.id].duty.there,
            open_cases=row.open_cases, most_open=row.most_open, load=round(row.open_cases / row.most_open, 3),
        )
        for row in found
    ]  # fmt: skip
    return reply(Page[NearOut](items=items))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers/{id}/trail", handler=_trail, roles=DESK, answers=TrailOut,
        summary="The way of an officer on duty today, a fix in 20 seconds; mocked and impossible ones are marked.",
    ),
    Route(
        method="GET", path="/api/v1/officers/{id}/colleagues", handler=_takes_over, roles=DESK,
        answers=Page[TakesOverOut],
        summary="Who takes over from an officer: colleagues on his beats, those who are there first.",
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/officers-near", handler=_near, roles=DESK, query=NearQuery,
        answers=Page[NearOut],
        summary="Officers on duty by their distance from a case, with what they have in hand.",
    ),
)  # fmt: skip
