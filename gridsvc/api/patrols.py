"""Patrols over HTTP: which cells of a beat are walked in this shift, what came of it, and the plans."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.import_patrols import import_patrols
from gridsvc.api.evaluation import MEDIA, Form, Headings
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.report_wire import Line
from gridsvc.api.route import DESK, Route
from gridsvc.api.visits import administered, plan_refused
from gridsvc.api.wire import (
    Page,
    Told,
    Wanted,
    path_id,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.patrol import CellWalk, Walked, coverage, judge
from gridsvc.domain.sheet import Cell, written_csv
from gridsvc.errors import BadRequest, ImportRefused, Unknown
from gridsvc.store import patrols
from gridsvc.store.patrols import PatrolPlanRow, PatrolRow, Tally
from gridsvc.store.rulebook import rulebook

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

TODAY: Final = timedelta(hours=12)
"""So long after its end an officer still sees a patrol."""

_MOST_DAYS: Final = 366


class CellOut(Told):
    """One cell: `walked`, `open` until the shift ends, `unknown` where nobody can say, or `missed`."""

    cell: str
    state: str
    times: int


class PatrolOut(Told):
    """One shift of a plan. `coverage`: the share of cells that were walked, of those of which it is known.

    `counts` by state. `officers`: of the beat, on duty in the shift. `warn_at`: when what is open is told.
    `judged`: it is over and kept; what phones send late may still change it until `settled`.
    """

    id: UUID
    code: str
    duty_line: str
    beat: str
    divisions: list[str]
    from_at: datetime
    until_at: datetime
    warn_at: datetime
    times: int
    stay_s: int
    counts: dict[str, int]
    coverage: float | None
    officers: list[UUID]
    judged: bool
    settled: bool


class PatrolDetail(PatrolOut):
    """The same with its cells."""

    cells: list[CellOut]


class PatrolsQuery(Wanted):
    """Which patrols; what is left out narrows nothing. `running`: their shift has not ended; else of the last day."""

    running: bool | None = None
    duty_line: _Code | None = None
    beat: _Code | None = None
    division: _Code | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PatrolPlanOut(Told):
    """One plan; no `cells`: all of the beat."""

    id: UUID
    code: str
    duty_line: str
    beat: str
    shifts: str
    cells: list[str]
    times: int
    stay_s: int
    warn_s: int
    active: bool


class PatrolPlansQuery(Wanted):
    """A page of plans."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PatrolPlansIn(Wanted):
    """Plans as `gridsvc patrols import` reads them: the text of a CSV file."""

    csv: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000_000)]
    file: Line = "patrols.csv"


class PatrolPlansImported(Told):
    """How many plans the file has, and how many of them are walked."""

    rows: int
    active: int


class WalkBy(StrEnum):
    """What walks are added up by."""

    OFFICER = "officer"
    CELL = "cell"


class WalksQuery(Wanted, rename={"first": "from", "end": "to"}):
    """Patrols that began in a stretch: days of the city's zone, `to` not counted."""

    first: date
    end: date
    by: WalkBy = WalkBy.CELL
    division: _Code | None = None
    format: Form = Form.JSON
    headings: Headings = Headings.ZH


class WalksOut(Told):
    """The walks of an officer (`key` his id) or of a cell (`key` its code), of patrols that are over.

    `wanted` counts cells of patrols. `walked_by`: in how many of them the officer was himself; of a cell how often it
    was walked. `coverage`: `walked` by what is known.
    """

    key: str
    name: str
    patrols: int
    wanted: int
    walked: int
    unknown: int
    missed: int
    walked_by: int
    coverage: float | None


async def _mine(request: web.Request) -> web.Response:
    caller = caller_of(request)
    async with scoped(request) as (conn, now):
        rows = await patrols.MINE.all(conn, caller.user_id, now - TODAY, now)
        items = await _judged(conn, rows, now)
    return reply(Page[PatrolDetail](items=[_detail(row, walks) for row, walks in items]))


async def _patrols(request: web.Request) -> web.Response:
    asked = read_query(request, PatrolsQuery)
    after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[UUID])[0]
    async with scoped(request) as (conn, now):
        rows = await patrols.LISTED.all(
            conn, now, asked.running, asked.duty_line, asked.beat, asked.division, now - timedelta(days=1), after,
            asked.limit + 1,
        )  # fmt: skip
        items = await _judged(conn, rows[: asked.limit], now)
    cursor = write_cursor(rows[asked.limit - 1].id) if len(rows) > asked.limit else None
    return reply(Page[PatrolDetail](items=[_detail(row, walks) for row, walks in items], next=cursor))


async def _one(request: web.Request) -> web.Response:
    patrol_id = path_id(request)
    async with scoped(request) as (conn, now):
        row = await patrols.ONE.one(conn, patrol_id)
        if row is None:
            raise Unknown(f"no patrol {patrol_id}", given=str(patrol_id))
        [(_, walks)] = await _judged(conn, [row], now)
    return reply(_detail(row, walks))


async def _judged(
    conn: Conn, rows: Sequence[PatrolRow], now: datetime
) -> list[tuple[PatrolRow, Mapping[str, CellWalk]]]:
    """Each patrol as what is known now has it; one that is settled as it was kept, since ways are not kept for long."""
    settled = await patrols.cells_kept(conn, [row.id for row in rows if row.settled_at is not None])
    known = await patrols.facts(conn, [row.id for row in rows if row.settled_at is None], now)
    told: list[tuple[PatrolRow, Mapping[str, CellWalk]]] = []
    for row in rows:
        if row.settled_at is not None:
            told.append((row, settled.get(row.id, {})))
            continue
        facts = known[row.id]
        walks = judge(row.patrol(), facts.passages, facts.gaps, now)
        told.append((replace(row, officers=sorted(facts.officers)), walks))
    return told


def _detail(row: PatrolRow, walks: Mapping[str, CellWalk]) -> PatrolDetail:
    counts = {str(state): sum(walk.state is state for walk in walks.values()) for state in Walked}
    return PatrolDetail(
        id=row.id, code=row.code, duty_line=row.duty_line, beat=row.beat_code, divisions=row.divisions,
        from_at=row.from_at, until_at=row.until_at, warn_at=row.warn_at, times=row.times,
        stay_s=round(row.stay.total_seconds()), counts=counts, coverage=coverage(walks), officers=row.officers,
        judged=row.judged_at is not None, settled=row.settled_at is not None,
        cells=[CellOut(cell=cell, state=str(walk.state), times=walk.times) for cell, walk in walks.items()],
    )  # fmt: skip


async def _walks(request: web.Request) -> web.StreamResponse:
    asked = read_query(request, WalksQuery)
    if asked.format is Form.XLSX:
        raise BadRequest("format is 'xlsx'", field="format", given="xlsx", wanted="json or csv")
    if not 0 < (asked.end - asked.first).days <= _MOST_DAYS:
        raise BadRequest(
            f"from {asked.first} to {asked.end}", field="to", given=asked.end.isoformat(),
            wanted=f"a day after `from`, at most {_MOST_DAYS} later",
        )  # fmt: skip
    statement = patrols.BY_OFFICER if asked.by is WalkBy.OFFICER else patrols.BY_CELL
    async with scoped(request) as (conn, _):
        zone = (await rulebook(conn)).zone
        since, until = (datetime.combine(day, time(), zone) for day in (asked.first, asked.end))
        found = await statement.all(conn, since, until, asked.division)
    if asked.format is Form.JSON:
        return reply(Page[WalksOut](items=[_tally(row) for row in found]))
    rows: list[list[Cell]] = [list(_HEADINGS[asked.headings]), *(_line(_tally(row)) for row in found)]
    name = f"patrols-{asked.by}-{asked.first}-{asked.end}.csv"
    return web.Response(
        body=await asyncio.to_thread(written_csv, rows, frozenset({0, 1})), content_type=MEDIA[Form.CSV],
        charset="utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


_HEADINGS: Final[Mapping[Headings, Sequence[str]]] = {
    Headings.ZH: ("编号", "名称", "巡查次数", "应巡单元", "已巡", "不明", "漏巡", "本人或累计到访", "覆盖率"),
    Headings.EN: ("key", "name", "patrols", "wanted", "walked", "unknown", "missed", "walked_by", "coverage"),
}


def _tally(row: Tally) -> WalksOut:
    known = row.wanted - row.unknown
    return WalksOut(**vars(row), coverage=round(row.walked / known, 4) if known else None)


def _line(told: WalksOut) -> list[Cell]:
    return [
        told.key, told.name, told.patrols, told.wanted, told.walked, told.unknown, told.missed, told.walked_by,
        told.coverage,
    ]  # fmt: skip


async def _plans(request: web.Request) -> web.Response:
    asked = read_query(request, PatrolPlansQuery)
    after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[str])[0]
    async with scoped(request) as (conn, _):
        found = await patrols.PLANS.all(conn, after, asked.limit + 1)
    cursor = write_cursor(found[asked.limit - 1].code) if len(found) > asked.limit else None
    return reply(Page[PatrolPlanOut](items=[_plan(row) for row in found[: asked.limit]], next=cursor))


def _plan(row: PatrolPlanRow) -> PatrolPlanOut:
    return PatrolPlanOut(
        id=row.id, code=row.code, duty_line=row.duty_line, beat=row.beat_code, shifts=row.shifts, cells=row.cells,
        times=row.times, stay_s=round(row.stay.total_seconds()), warn_s=round(row.warn.total_seconds()),
        active=row.active,
    )  # fmt: skip


async def _import(request: web.Request) -> web.Response:
    said, caller = await read_body(request, PatrolPlansIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await act_as_service(conn)
        try:
            done = await import_patrols(conn, said.file, said.csv.encode(), caller.id, now, administered(caller))
        except ImportRefused as refused:
            raise plan_refused(refused) from refused
        return Answer(PatrolPlansImported(rows=done.rows, active=done.active))

    return await write(request, work)


_ADMIN: Final = frozenset({Role.ADMIN})

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/patrols", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=Page[PatrolDetail],
        summary="Patrols of my beats that run or ended today, with each cell's state.",
    ),
    Route(
        method="GET", path="/api/v1/patrols", handler=_patrols, roles=DESK, query=PatrolsQuery,
        answers=Page[PatrolDetail],
        summary="Patrols of my area, of this shift and of the last day, with coverage and cells.",
    ),
    Route(
        method="GET", path="/api/v1/patrols/walks", handler=_walks, roles=DESK, query=WalksQuery,
        answers=Page[WalksOut],
        summary="How patrols were walked in a stretch of days, by officer or by cell; JSON or CSV.",
    ),
    Route(
        method="GET", path="/api/v1/patrols/{id}", handler=_one, roles=DESK, answers=PatrolDetail,
        summary="One patrol, as what is known now has it; once settled, as it was kept.",
    ),
    Route(
        method="GET", path="/api/v1/patrol-plans", handler=_plans, roles=_ADMIN | {Role.SUPERVISOR},
        query=PatrolPlansQuery, answers=Page[PatrolPlanOut],
        summary="Which cells are walked in which shifts, how often.",
    ),
    Route(
        method="POST", path="/api/v1/patrol-plans", handler=_import, roles=_ADMIN, reads=PatrolPlansIn,
        answers=PatrolPlansImported, statuses=(200, 422), idempotent=True,
        summary="Import patrol plans from the text of a CSV file: whole, or not at all.",
    ),
)  # fmt: skip
