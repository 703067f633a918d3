"""My quiet hours (免打扰): when what is not urgent waits, and rings afterwards as one."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final, Literal
from uuid import UUID

from aiohttp import web

from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Told, Wanted, read_body, reply
from gridsvc.db import Conn
from gridsvc.domain.notice import Hours, quiet_until
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import listeners

_CLOCK: Final = "%H:%M"


class QuietHoursIn(Wanted, rename={"since": "from"}):
    """Civil times of the city, `HH:MM`; `until` before `from` is over midnight. Both null: none.

    `use: city` instead: the city's own hours for my roles.
    """

    since: str | None = None
    until: str | None = None
    use: Literal["own", "city"] = "own"


class SpanOut(Told, rename={"since": "from"}):
    """From when to when; over midnight where `until` is before `from`."""

    since: str
    until: str


class QuietHoursOut(Told):
    """Mine, whose they are, and until when it is quiet now; `quiet_until` null: it is not.

    Of the city's, `hours` has those of each of my roles, null for one that has none; all must be quiet at once.
    """

    set_by: str
    hours: list[SpanOut | None]
    on_duty: bool
    quiet_until: datetime | None


async def _read(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        return reply(await _told(conn, _me(request), now))


async def _set(request: web.Request) -> web.Response:
    wanted = await read_body(request, QuietHoursIn)
    hours = _hours(wanted)

    async def work(conn: Conn, now: datetime) -> Answer:
        me = _me(request)
        if wanted.use == "city":
            await listeners.forget_quiet(conn, me)
        else:
            await listeners.set_quiet(conn, me, hours, now)
        told = await _told(conn, me, now)
        await listeners.hold_until(conn, me, told.quiet_until or now)
        return Answer(told)

    return await write(request, work)


def _hours(wanted: QuietHoursIn) -> Hours | None:
    if (wanted.since is None) != (wanted.until is None) or (wanted.use == "city" and wanted.since is not None):
        raise BadRequest(
            "half a span is none", field="from", given={"from": wanted.since, "until": wanted.until},
            wanted="both from and until, or none of them; with use: city none",
        )  # fmt: skip
    if wanted.since is None or wanted.until is None:
        return None
    hours = Hours(_time("from", wanted.since), _time("until", wanted.until))
    if hours.since == hours.until:
        raise BadRequest(
            "quiet hours that end when they begin", field="until", given=wanted.until, wanted="another time than from"
        )
    return hours


def _time(name: str, text: str) -> time:
    try:
        return datetime.strptime(text, _CLOCK).time()  # noqa: DTZ007 - a time of day has no zone
    except ValueError:
        raise BadRequest(f"{name} is {text!r}", field=name, given=text, wanted="HH:MM, 00:00 to 23:59") from None


async def _told(conn: Conn, me: UUID, now: datetime) -> QuietHoursOut:
    there = await listeners.listening(conn, [me], now, counted=False)
    if there is None:
        raise Unknown("no rules of notices", user=str(me))
    mine = there.people[me]
    hours = [mine.own] if mine.has_own else list(mine.by_grant)
    if not any(hours):
        hours = []
    return QuietHoursOut(
        set_by="own" if mine.has_own else "city",
        hours=[None if each is None else SpanOut(f"{each.since:%H:%M}", f"{each.until:%H:%M}") for each in hours],
        on_duty=mine.on_duty,
        quiet_until=quiet_until(mine, there.zone, now),
    )


def _me(request: web.Request) -> UUID:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has these routes
    return user_id


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/quiet-hours", handler=_read, roles=SIGNED_IN, answers=QuietHoursOut,
        summary="My quiet hours, and whether it is quiet now.",
    ),
    Route(
        method="PUT", path="/api/v1/me/quiet-hours", handler=_set, roles=SIGNED_IN, reads=QuietHoursIn,
        answers=QuietHoursOut, idempotent=True,
        summary="Set my quiet hours: what is not urgent waits until they end, and then rings as one.",
    ),
)  # fmt: skip
