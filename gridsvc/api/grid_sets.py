"""Versions of the grid: which there are, and what publishing a draft would do to the open cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.preview_grid import CaseChange, Preview, cell_changes, lost_cases, preview_grid
from gridsvc.actions.publish_grid import publish_grid_at_once, rollback_grid
from gridsvc.actions.redraw_grid import copy_grid, give_cells
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import POOL, caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.set_up import ADMIN, refusing, whole_city
from gridsvc.api.wire import Page, Told, Wanted, path_code, read_body, read_query, reply
from gridsvc.db import Conn, act_as_service, transaction
from gridsvc.domain.access import scope_keys
from gridsvc.errors import SetupError, Unknown
from gridsvc.store import grids, regrid


class GridSetOut(Told):
    """One set; histories name its `id`. `to_follow` and `lost` are told of the set in force (grid-versions.md)."""

    id: int
    name: str
    state: str
    in_force: bool
    valid_from: datetime | None
    published_at: datetime | None
    retired_at: datetime | None
    cell_scheme: str
    divisions: int
    cells: int
    beats: int
    to_follow: int | None
    lost: int | None


class CellsOut(Told):
    """How many cells the set changes in one way, and how large they are together."""

    kind: str
    cells: int
    area_m2: float


class CaseChangeOut(Told):
    """An open case that comes into another cell, beat or division, or changes its owner: each pair is before, after.

    `keeps` says why its officer keeps it; null: he loses it, and `officer_after` is whom routing would choose now.
    """

    id: UUID
    number: str | None
    state: str
    duty_line: str
    category: str
    cell: tuple[str, str]
    beat: tuple[str | None, str | None]
    division: tuple[str, str]
    calendar: tuple[str, str]
    officer: str | None
    officer_after: str | None
    keeps: str | None


class LostCaseOut(Told):
    """An open case that the set has no cell for: it keeps the one it has."""

    id: UUID
    number: str | None
    cell: str
    division: str


class OfficerLoadOut(Told):
    """Cases in hand of an officer, now and afterwards."""

    officer: str
    before: int
    after: int
    change_percent: int | None


class BeatOut(Told):
    """A beat that no active officer walks."""

    duty_line: str
    beat: str


class GrantOut(Told):
    """A role that somebody holds in a division which the set does not know: it would open nothing."""

    username: str
    role: str
    division: str


class DivisionSumOut(Told):
    """The open cases of a division as it is now, and how many of them the set touches in each way."""

    division: str
    cases: int
    other_cell: int
    other_beat: int
    other_division: int
    other_calendar: int
    rerouted: int
    lost: int


class PreviewOut(Told):
    """What publishing the draft at `at` would have done. Counts are of all open cases, lists of those in my sight."""

    grid_set: str
    against: str
    at: datetime
    cells: list[CellsOut]
    cases: list[CaseChangeOut]
    more_cases: bool
    lost: list[LostCaseOut]
    departments_keep: int
    officers_keep: dict[str, int]
    loads: list[OfficerLoadOut]
    beats_without_officer: list[BeatOut]
    grants_without_division: list[GrantOut]
    divisions: list[DivisionSumOut]


class PreviewQuery(Wanted):
    """How many cases to list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 500


def told(preview: Preview, keys: Sequence[str] | None, limit: int | None) -> PreviewOut:
    """The preview as JSON tells it: of cases those that one of `keys` opens, at most `limit`; None: all of them."""
    seen = [each for each in preview.changes if keys is None or not set(keys).isdisjoint(each.row.seen_by)]
    lost = [row for row in preview.lost if keys is None or not set(keys).isdisjoint(row.seen_by)]
    return PreviewOut(
        grid_set=preview.grid_set.name,
        against=preview.against,
        at=preview.at,
        cells=[
            CellsOut(
                kind=kind,
                cells=sum(each.kind == kind for each in preview.cells),
                area_m2=round(sum(each.area_m2 for each in preview.cells if each.kind == kind), 1),
            )
            for kind in ("added", "removed", "redrawn", "moved")
        ],
        cases=[_change(preview, each) for each in seen[:limit]],
        more_cases=limit is not None and len(seen) > limit,
        lost=[
            LostCaseOut(id=row.id, number=row.number, cell=row.cell_code or "", division=row.division_code or "")
            for row in lost[:limit]
        ],
        departments_keep=preview.departments,
        officers_keep={str(why): number for why, number in sorted(preview.keeps.items())},
        loads=[
            OfficerLoadOut(officer=name, before=load.before, after=load.after, change_percent=load.change_percent)
            for name, load in sorted(preview.loads.items())
        ],
        beats_without_officer=[BeatOut(duty_line=each.duty_line, beat=each.code) for each in preview.beats_unmanned],
        grants_without_division=[GrantOut(**vars(each)) for each in preview.grants_adrift],
        divisions=[DivisionSumOut(division=code, **vars(sums)) for code, sums in preview.by_division.items()],
    )


def _change(preview: Preview, each: CaseChange) -> CaseChangeOut:
    row, owner, follows = each.row, each.owner, each.follows
    return CaseChangeOut(
        id=row.id,
        number=row.number,
        state=row.state,
        duty_line=row.duty_line,
        category=f"{row.edition}:{row.category}",
        cell=(row.cell_code or "", owner.cell_code),
        beat=(row.beat_code, owner.beat_code),
        division=(row.division_code or "", owner.division_code),
        calendar=(each.calendar_before, each.calendar_after),
        officer=None if row.officer_id is None else preview.names.get(row.officer_id),
        officer_after=None if each.officer_after is None else preview.names.get(each.officer_after),
        keeps=None if follows.keeps is None else str(follows.keeps),
    )


async def _grid_sets(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        await act_as_service(conn)
        force = await grids.in_force(conn, now)
        known = await grids.every_set(conn)
        waiting = None if force is None else await regrid.waiting(conn, force)
    return reply(
        Page[GridSetOut](
            items=[
                GridSetOut(
                    id=each.id, name=each.name, state=each.state, in_force=each.id == force, valid_from=each.valid_from,
                    published_at=each.published_at, retired_at=each.retired_at, cell_scheme=each.cell_scheme,
                    divisions=each.divisions, cells=each.cells, beats=each.beats,
                    to_follow=waiting.to_follow if waiting and each.id == force else None,
                    lost=waiting.lost if waiting and each.id == force else None,
                )
                for each in known
            ]
        )
    )  # fmt: skip


async def _preview(request: web.Request) -> web.Response:
    asked, name = read_query(request, PreviewQuery), path_code(request, "name")
    # As the service: loads are of all cases, whoever asks. Which cases are named is decided by the caller's keys.
    keys = scope_keys(caller_of(request))
    async with transaction(request.app[POOL], keys, snapshot=True) as (conn, now):
        await act_as_service(conn)
        try:
            preview = await preview_grid(conn, name, now)
        except SetupError as error:
            raise Unknown(error.message) from error
    return reply(told(preview, keys, asked.limit))


class ChangedCellOut(Told):
    """A cell that the draft changes: `added`, `removed`, `redrawn` or `moved`; beats by duty line, before and after."""

    code: str
    kind: str
    area_m2: float
    division: tuple[str | None, str | None]
    beats: tuple[dict[str, str], dict[str, str]]


class ChangedFeature(Told):
    """It as GeoJSON; one that is removed has the outline that it had."""

    geometry: dict[str, Any]
    properties: ChangedCellOut
    type: str = "Feature"


class CellChangesOut(Told):
    """The cells that a draft changes, by code; `more`: that are not in `features`."""

    features: list[ChangedFeature]
    more: int
    type: str = "FeatureCollection"


class ChangesQuery(Wanted):
    """How many cells to draw."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 2_000


class DraftIn(Wanted):
    """The name of a draft to begin, and the set that it is a copy of."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
    of: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class GiveCellsIn(Wanted):
    """Which cells a beat of a duty line gets in the draft, whichever beat had them."""

    duty_line: Annotated[str, msgspec.Meta(max_length=64)]
    beat: Annotated[str, msgspec.Meta(max_length=64)]
    cells: Annotated[list[str], msgspec.Meta(min_length=1, max_length=2_000)]


class PublishGridIn(Wanted):
    """`accept_lost`: also where open cases have no cell in it, or a duty line has no beats."""

    accept_lost: bool = False


class DraftOut(Told):
    """The draft as it is now."""

    grid_set: str


class GridInForceOut(Told):
    """Which set is in force from now on; open cases follow within seconds. `lost` of them have no cell in it."""

    grid_set: str
    withdrawn: str | None
    lost: int
    warnings: list[str]


async def _changes(request: web.Request) -> web.Response:
    asked, name = read_query(request, ChangesQuery), path_code(request, "name")
    async with transaction(request.app[POOL], scope_keys(caller_of(request)), snapshot=True) as (conn, now):
        await act_as_service(conn)
        try:
            force, draft, found = await cell_changes(conn, name, now)
        except SetupError as error:
            raise Unknown(error.message) from error
        shown = found[: asked.limit]
        codes = [each.code for each in shown]
        before = {row.code: row for row in await regrid.OUTLINES.all(conn, force, codes)}
        after = {row.code: row for row in await regrid.OUTLINES.all(conn, draft, codes)}
    features = [_feature(each, before.get(each.code), after.get(each.code)) for each in shown]
    return reply(CellChangesOut(features=features, more=len(found) - len(shown)))


def _feature(
    each: regrid.CellChange, before: regrid.CellOutline | None, after: regrid.CellOutline | None
) -> ChangedFeature:
    shape = after or before
    assert shape is not None  # noqa: S101 - a change is of a cell that one of the two has
    return ChangedFeature(
        geometry=shape.outline,
        properties=ChangedCellOut(
            code=each.code, kind=each.kind, area_m2=round(each.area_m2, 1),
            division=(before.division if before else None, after.division if after else None),
            beats=(before.beats if before else {}, after.beats if after else {}),
        ),
    )  # fmt: skip


async def _begin(request: web.Request) -> web.StreamResponse:
    caller, said = caller_of(request), await read_body(request, DraftIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _GRIDS, now)
        with refusing():
            await copy_grid(conn, said.name, said.of, now.isoformat())
        return Answer(DraftOut(grid_set=said.name), status=201)

    return await write(request, work)


async def _give(request: web.Request) -> web.StreamResponse:
    caller, name, said = caller_of(request), path_code(request, "name"), await read_body(request, GiveCellsIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _GRIDS, now)
        with refusing():
            await give_cells(conn, name, said.duty_line, said.beat, said.cells, now.isoformat())
        return Answer(DraftOut(grid_set=name))

    return await write(request, work)


async def _publish(request: web.Request) -> web.StreamResponse:
    caller, name, said = caller_of(request), path_code(request, "name"), await read_body(request, PublishGridIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _GRIDS, now)
        with refusing():
            done = await publish_grid_at_once(conn, name, now, accept_lost=said.accept_lost)
        warnings = [str(each) for each in done.warnings[:_MOST_WARNINGS]]
        return Answer(GridInForceOut(grid_set=name, withdrawn=None, lost=done.lost, warnings=warnings))

    return await write(request, work)


async def _roll_back(request: web.Request) -> web.StreamResponse:
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _GRIDS, now)
        with refusing():
            withdrawn, left = await rollback_grid(conn, now)
        lost = len(await lost_cases(conn, left.id, now))
        return Answer(GridInForceOut(grid_set=left.name, withdrawn=withdrawn.name, lost=lost, warnings=[]))

    return await write(request, work)


_GRIDS: Final = "grid sets"
_MOST_WARNINGS: Final = 50

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/grid-sets", handler=_grid_sets, roles=DESK, scope="grid:read",
        answers=Page[GridSetOut],
        summary="Versions of the grid: which is in force, and how many open cases have yet to follow it.",
    ),
    Route(
        method="GET", path="/api/v1/grid-sets/{name}/preview", handler=_preview, roles=ADMIN,
        query=PreviewQuery, answers=PreviewOut,
        summary="What publishing a draft would do: cases that change cell, beat or owner, officers' loads.",
    ),
    Route(
        method="GET", path="/api/v1/grid-sets/{name}/changes", handler=_changes, roles=ADMIN, query=ChangesQuery,
        answers=CellChangesOut,
        
        summary="The cells that a draft changes, as GeoJSON: how, and whose they were and would be.",
    ),
    Route(
        method="POST", path="/api/v1/grid-sets", handler=_begin, roles=ADMIN, reads=DraftIn, answers=DraftOut,
        statuses=(201, 422), idempotent=True, summary="Begin a draft of the grid as a copy of another set.",
    ),
    Route(
        method="POST", path="/api/v1/grid-sets/rollback", handler=_roll_back, roles=ADMIN, answers=GridInForceOut,
        statuses=(200, 422), idempotent=True,
        summary="Withdraw the set that was published last; the one before is in force again.",
    ),
    Route(
        method="POST", path="/api/v1/grid-sets/{name}/cells", handler=_give, roles=ADMIN, reads=GiveCellsIn,
        answers=DraftOut, statuses=(200, 422), idempotent=True, summary="Give cells of a draft to another beat.",
    ),
    Route(
        method="POST", path="/api/v1/grid-sets/{name}/publish", handler=_publish, roles=ADMIN, reads=PublishGridIn,
        answers=GridInForceOut, statuses=(200, 422), idempotent=True,
        summary="Check a draft of the grid and put it in force at once; open cases follow.",
    ),
)  # fmt: skip
