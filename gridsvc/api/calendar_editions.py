"""A new edition of a working calendar over HTTP: what it changes, where its sources disagree, and publishing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from gridsvc.actions.publish_calendar import Order, Plan, plan_calendar, publish_calendar
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of
from gridsvc.api.route import Route
from gridsvc.api.set_up import ADMIN, FileIn, refusing, whole_city
from gridsvc.api.wire import Told, Wanted, path_code, read_body
from gridsvc.db import Conn
from gridsvc.domain.calendar_edition import Source
from gridsvc.domain.calendar_notice import read_holiday_cn
from gridsvc.domain.roster import Fault


class CalendarIn(Wanted):
    """What is to be in force: notices of holiday-cn, one of a year each, and hours (docs/rules/calendars.md).

    `follow` is the notice that is right where two disagree. iCalendar files and packages are for the command.
    """

    sources: Annotated[list[FileIn], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=list)
    hours: FileIn | None = None
    follow: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class DayChangeOut(Told):
    """A day, what it was, and what it would be."""

    day: date
    before: str
    after: str


class DisagreementOut(Told):
    """A day of which the sources made different things, by source; one of them was followed."""

    day: date
    said: dict[str, str]


class CalendarPlanOut(Told):
    """What the edition would change, or has changed: days, years, and the clocks that are open on it.

    `later`, `earlier`: deadlines that move; `certain` are provisional no more. `same`: it is as the one in force.
    """

    calendar: str
    edition: int
    same: bool
    days: list[DayChangeOut]
    new_years: list[int]
    disputed: list[DisagreementOut]
    open_clocks: int
    later: int
    earlier: int
    certain: int
    provisional: int


async def _preview(request: web.Request) -> web.StreamResponse:
    code, said, caller = path_code(request), await read_body(request, CalendarIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _WHAT, now)
        with refusing():
            plan = await plan_calendar(conn, _order(code, said), _read)
        return Answer(_told(code, plan))

    return await write(request, work)


async def _publish(request: web.Request) -> web.StreamResponse:
    code, said, caller = path_code(request), await read_body(request, CalendarIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _WHAT, now)
        with refusing():
            plan = await plan_calendar(conn, _order(code, said), _read)
        if not plan.changes_nothing:
            await publish_calendar(conn, plan, caller.id, now)
        return Answer(_told(code, plan), status=201)

    return await write(request, work)


def _order(code: str, said: CalendarIn) -> Order:
    return Order(
        code=code,
        sources=[(each.name, each.content) for each in said.sources],
        hours=None if said.hours is None else (said.hours.name, said.hours.content),
        years=[],
        follow=said.follow,
        name=said.name,
    )


def _read(name: str, content: bytes | None, _: Sequence[int], faults: list[Fault]) -> Source | None:
    return read_holiday_cn(name, content or b"", faults)


def _told(code: str, plan: Plan) -> CalendarPlanOut:
    effect = plan.effect
    return CalendarPlanOut(
        calendar=code,
        edition=plan.edition.number,
        same=plan.changes_nothing,
        days=[DayChangeOut(each.day, each.before, each.after) for each in plan.days],
        new_years=sorted(plan.edition.years - plan.base.years),
        disputed=[DisagreementOut(each.day, dict(each.said)) for each in plan.overruled],
        open_clocks=effect.open,
        later=effect.later,
        earlier=effect.earlier,
        certain=effect.certain,
        provisional=effect.provisional,
    )


_WHAT: Final = "calendars"

ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/calendars/{code}/preview", handler=_preview, roles=ADMIN, reads=CalendarIn,
        answers=CalendarPlanOut, statuses=(200, 413, 422), idempotent=True,
        summary="What a new edition of a calendar would change: days, deadlines, disagreements; nothing is kept.",
    ),
    Route(
        method="POST", path="/api/v1/calendars/{code}/editions", handler=_publish, roles=ADMIN, reads=CalendarIn,
        answers=CalendarPlanOut, statuses=(201, 413, 422), idempotent=True,
        summary="Publish a new edition of a calendar; open clocks are computed anew within seconds.",
    ),
)  # fmt: skip
