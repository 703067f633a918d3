"""Calls to emergencies (紧急呼叫): what rings with me, who was called to a case, and the case as a CAP 1.2 alert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from gridsvc.actions.export_alert import export_alert
from gridsvc.api.cases import READERS
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, path_id, reply
from gridsvc.domain.access import Role, scope_keys
from gridsvc.domain.reasons import Reason
from gridsvc.errors import Unknown
from gridsvc.store import calls, case_views
from gridsvc.store.calls import CalledRow, CallRow, MyCall, WideningRow
from gridsvc.store.rulebook import rulebook

CAP: Final = "application/cap+xml"


class DeclineOut(Told):
    """A reason to say no: `code` is the `reason_code` of the move `decline`; `wants_words`: with words in `reason`."""

    code: str
    name: str
    name_en: str
    wants_words: bool


class MyCallOut(Told):
    """A call that rings with me. Answer it by `move`, with `If-Match: "c:<id>"`, or decline it.

    `distance_m` is from where I was when it rang first; null: nobody knew. `rung` says how often it rang.
    """

    id: UUID
    move: str
    wanted: str
    round: int
    case_id: UUID
    number: str | None
    version: int
    state: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    distance_m: float | None
    called_at: datetime
    rung: int
    decline: list[DeclineOut]


class CalledTold(Told):
    """An officer who was called: in which round first, why he, from how far, and what he said."""

    officer: UUID
    round: int
    because: str
    distance_m: float | None
    position_age_s: float | None
    called_at: datetime
    rung_at: datetime
    rung: int
    answer: str | None
    answered_at: datetime | None
    reason_code: str | None


class RoundTold(Told):
    """A round that was rung, when it was due, and with how many."""

    round: int
    scheduled_at: datetime
    fired_at: datetime
    officers: int


class CallTold(Told):
    """One call of a case. `ended_why` is `answered`, or the move that ended it."""

    id: UUID
    cycle: int
    wanted: str
    round: int
    started_at: datetime
    next_round_at: datetime | None
    answered_by: UUID | None
    ended_at: datetime | None
    ended_why: str | None
    rounds: list[RoundTold]
    called: list[CalledTold]


async def _mine(request: web.Request) -> web.Response:
    caller = caller_of(request)
    async with scoped(request) as (conn, _):
        found = await calls.MINE.all(conn, caller.user_id)
        reasons = [each for each in (await rulebook(conn)).reasons["decline"] if each.active]
    return reply(Page[MyCallOut](items=[_my_call(each, reasons) for each in found]))


def _my_call(call: MyCall, reasons: Sequence[Reason]) -> MyCallOut:
    return MyCallOut(
        id=call.id, move="answer" if call.wanted == "owner" else "respond", wanted=call.wanted, round=call.round,
        case_id=call.case_id, number=call.number, version=call.version, state=call.state,
        category=f"{call.edition}:{call.category}", category_name=call.category_name,
        category_name_en=call.category_name_en, description=call.description, address=call.address, lon=call.lon,
        lat=call.lat, distance_m=call.distance_m, called_at=call.called_at, rung=call.rung,
        decline=[DeclineOut(each.code, each.name, each.name_en, each.wants_words) for each in reasons],
    )  # fmt: skip


async def _of_case(request: web.Request) -> web.Response:
    case_id = path_id(request)
    async with scoped(request) as (conn, now):
        if await case_views.one(conn, scope_keys(caller_of(request)), now, case_id) is None:
            raise Unknown(f"no case {case_id}", case=str(case_id))
        found = await calls.OF_CASE.all(conn, case_id)
        rounds: dict[UUID, list[RoundTold]] = defaultdict(list)
        for widening in await calls.WIDENINGS_OF_CASE.all(conn, case_id):
            rounds[widening.call_id].append(_round(widening))
        called: dict[UUID, list[CalledTold]] = defaultdict(list)
        for each in await calls.CALLED_OF_CASE.all(conn, case_id):
            called[each.call_id].append(_called(each))
    return reply(Page[CallTold](items=[_call(row, rounds[row.id], called[row.id]) for row in found]))


def _call(row: CallRow, rounds: list[RoundTold], called: list[CalledTold]) -> CallTold:
    return CallTold(
        id=row.id, cycle=row.cycle, wanted=row.wanted, round=row.round, started_at=row.started_at,
        next_round_at=None if row.ended_at else row.next_round_at, answered_by=row.answered_by,
        ended_at=row.ended_at, ended_why=row.ended_why, rounds=rounds, called=called,
    )  # fmt: skip


def _round(row: WideningRow) -> RoundTold:
    return RoundTold(row.round, row.scheduled_at, row.fired_at, row.officers)


def _called(row: CalledRow) -> CalledTold:
    return CalledTold(
        officer=row.officer_id, round=row.round, because=row.because, distance_m=row.distance_m,
        position_age_s=row.position_age_s, called_at=row.called_at, rung_at=row.rung_at, rung=row.rung,
        answer=row.answer, answered_at=row.answered_at, reason_code=row.reason_code,
    )  # fmt: skip


async def _alert(request: web.Request) -> web.Response:
    alerts = request.app[SETTINGS].alerts
    async with scoped(request) as (conn, now):
        xml = await export_alert(
            conn, scope_keys(caller_of(request)), path_id(request), alerts.sender, alerts.restriction, now
        )
    return web.Response(body=xml, content_type=CAP, charset="utf-8")


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/calls", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=Page[MyCallOut],
        summary="What rings with me, the first call first.",
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/calls", handler=_of_case, roles=READERS, scope="cases:read",
        answers=Page[CallTold],
        summary="Who was called to a case, round by round, and what they said.",
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/cap", handler=_alert, roles=READERS, scope="cases:read",
        statuses=(200, 422),
        summary="An emergency as an alert for other systems (CAP 1.2, XML).",
    ),
)  # fmt: skip
