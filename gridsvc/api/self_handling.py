"""POST /api/v1/self-handled: an officer has put right on the spot what he found (自行处置)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.self_handle import self_handle
from gridsvc.api.captured_wire import captured_of
from gridsvc.api.desk import DESK
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of
from gridsvc.api.report_wire import Attributes, Line, Location, ReportFiled, Words, filed_answer, read_location
from gridsvc.api.route import Route
from gridsvc.api.wire import Moment, Wanted, read_body
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES
from gridsvc.domain.case_state import Move, Particulars
from gridsvc.domain.report import Report
from gridsvc.ids import new_id
from gridsvc.store.cells import division_names

_Pictures = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=20)]


class SelfHandledSaid(Wanted):
    """What was found and put right. `before` and `evidence` are uploads: how it was, how it is now."""

    category: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    location: Location
    before: _Pictures
    evidence: _Pictures
    description: Words = ""
    address: Line = ""
    note: Words = ""
    occurred_at: Moment | None = None
    attributes: Attributes = msgspec.field(default_factory=dict)


async def post_self_handled(request: web.Request) -> web.Response:
    """Keep a case that is closed at its birth; 201 means one commit wrote all of it."""
    said = await read_body(request, SelfHandledSaid)
    caller, desk = caller_of(request), request.app[DESK]
    place, claim = read_location(said.location, await desk.city_bounds())
    before, after = tuple(dict.fromkeys(said.before)), tuple(dict.fromkeys(said.evidence))
    report = Report(
        id=new_id(),
        case_id=new_id(),
        source="officer",
        reported_by=caller.id,
        category=said.category,
        description=said.description,
        address=said.address,
        place=place,
        claim=claim,
        occurred_at=said.occurred_at,
        attributes=said.attributes,
        claimed=captured_of(request),
    )
    particulars = Particulars(before=before, evidence=after, note=said.note or None)

    async def work(conn: Conn, now: datetime) -> Answer:
        taken = await self_handle(conn, report, caller, particulars, desk.numbers, now)
        names = await division_names(conn, taken.case.grid_set_id or 0, taken.case.divisions)
        return Answer(filed_answer(taken, names), status=201, headers={"Location": f"/api/v1/cases/{taken.case.id}"})

    return await write(request, work)


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/self-handled",
        handler=post_self_handled,
        roles=frozenset({Role.OFFICER}),
        summary=MOVES[Move.SELF_HANDLE].says,
        reads=SelfHandledSaid,
        answers=ReportFiled,
        statuses=(201, 409, 422),
        idempotent=True,
        captured=True,
    ),
)
