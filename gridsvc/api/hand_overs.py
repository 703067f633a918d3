"""Handing over (交接班): what I would hand over now, to whom; and a desk takes everything from an officer at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.hand_over_work import becomes
from gridsvc.actions.relieve_officer import Outcome, relieve_officer
from gridsvc.api.bulk import RefusedTold, refused_told
from gridsvc.api.case_wire import Moved, moved_told
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import LEADS, check_reach
from gridsvc.api.route import Route
from gridsvc.api.wire import Told, Wanted, path_id, read_body, reply
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.store import duty, hand_overs
from gridsvc.store.cases import CaseRow
from gridsvc.store.hand_overs import Held
from gridsvc.store.roster import COLLEAGUES


class HandOverItemOut(Told):
    """An open case of mine, and what would become of it if I left now: `route`, or `stay` with me.

    `version` is for `POST /api/v1/cases/{case}/hand_over`.
    """

    case: UUID
    number: str | None
    version: int
    state: str
    category: str
    due_at: datetime | None
    becomes: str


class ColleagueOut(Told):
    """An officer who is there and walks beats of mine."""

    id: UUID
    display_name: str
    beats: list[str]


class HandOverOut(Told):
    """What I would hand over now, and the colleagues to whom I may."""

    items: list[HandOverItemOut]
    colleagues: list[ColleagueOut]


class RelieveIn(Wanted):
    """Why everything is taken from the officer."""

    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=500)]


class RelievedOut(Told):
    """What became of one case: `moved` to routing, or `refused`."""

    case: UUID
    moved: Moved | None
    refused: RefusedTold | None


class OfficerRelievedOut(Told):
    """An outcome for each open case of the officer that I see, in the order of their ids. He is off duty."""

    officer: UUID
    items: list[RelievedOut]
    moved: int
    refused: int


async def _mine(request: web.Request) -> web.Response:
    officer_id = caller_of(request).user_id
    assert officer_id is not None  # noqa: S101 - no API key has this route
    async with scoped(request) as (conn, now):
        held = await hand_overs.held(conn, [officer_id])
        colleagues = await COLLEAGUES.all(conn, officer_id)
        await act_as_service(conn)
        others = [officer_id, *(each.id for each in colleagues), *(other for each in held for other in each.others)]
        standing = await duty.standings(conn, others, now)
    items = [_item(each, "stay" if each.suspended else str(becomes(each, standing))) for each in held]
    there = [
        ColleagueOut(id=each.id, display_name=each.display_name, beats=each.beats)
        for each in colleagues
        if standing[each.id].duty.there
    ]
    return reply(HandOverOut(items=items, colleagues=there))


def _item(held: Held, then: str) -> HandOverItemOut:
    return HandOverItemOut(
        case=held.case_id, number=held.number, version=held.version, state=held.state,
        category=f"{held.edition}:{held.category}", due_at=held.due_at, becomes=then,
    )  # fmt: skip


async def _relieve(request: web.Request) -> web.Response:
    officer_id, caller = path_id(request), caller_of(request)
    wanted = await read_body(request, RelieveIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        await check_reach(conn, caller, LEADS, officer_id, now)
        outcomes = await relieve_officer(conn, officer_id, caller, wanted.reason, now)
        items = [_outcome(each) for each in outcomes]
        refused = sum(item.refused is not None for item in items)
        return Answer(OfficerRelievedOut(officer=officer_id, items=items, moved=len(items) - refused, refused=refused))

    return await write(request, work)


def _outcome(outcome: Outcome) -> RelievedOut:
    if isinstance(outcome.became, CaseRow):
        return RelievedOut(case=outcome.case_id, moved=moved_told(outcome.became), refused=None)
    return RelievedOut(case=outcome.case_id, moved=None, refused=refused_told(outcome.became))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers/me/handover", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=HandOverOut,
        summary="What I would hand over now, what would become of it by itself, and which colleagues are there.",
    ),
    Route(
        method="POST", path="/api/v1/officers/{id}/hand-over", handler=_relieve,
        roles=frozenset({Role.DISPATCHER, Role.SUPERVISOR}), reads=RelieveIn, answers=OfficerRelievedOut,
        statuses=(200, 415), idempotent=True,
        summary="Everything is taken from an officer and routed anew, and he goes off duty: phone lost, an accident.",
    ),
)  # fmt: skip
