"""How the queue of reviews stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Told, reply
from gridsvc.domain.access import scope_keys
from gridsvc.store.review_tally import TALLY

_HOUR: Final = timedelta(hours=1)


class TallyOut(Told):
    """How many wait; how many verdicts fell in the last hour, `mine` those of the caller."""

    waiting: int
    judged: int
    mine: int


async def _tally(request: web.Request) -> web.Response:
    caller = caller_of(request)
    async with scoped(request) as (conn, now):
        row = await TALLY.one(conn, scope_keys(caller), caller.id, now - _HOUR)
    assert row is not None  # noqa: S101 - one row by construction
    return reply(TallyOut(waiting=row.waiting, judged=row.judged, mine=row.mine))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/camera-reviews/tally", handler=_tally, roles=DESK, answers=TallyOut,
        summary="How many reviews wait, and how many were judged in the last hour.",
    ),
)  # fmt: skip
