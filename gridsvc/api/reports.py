"""POST /api/v1/reports: who asks, is it well-formed, hand it to the desk, answer."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gridsvc.api.captured_wire import captured_of
from gridsvc.api.desk import DESK
from gridsvc.api.idempotency import claim_of
from gridsvc.api.parts import caller_of
from gridsvc.api.report_wire import ReportFiled, ReportSaid, read_location
from gridsvc.api.route import Route
from gridsvc.api.wire import read_body
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.domain.report import Report, Reporter
from gridsvc.errors import BadRequest, NotAllowed
from gridsvc.ids import new_id

_STAFF: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR})
_WHO: Final = _STAFF | {Role.OFFICER}


async def post_report(request: web.Request) -> web.Response:
    """Take a report; 201 means one commit wrote report, case, first history row and outbox row."""
    said = await read_body(request, ReportSaid)
    caller = caller_of(request)
    desk = request.app[DESK]
    if said.exercise and (caller.user_id is None or caller.roles.isdisjoint(_STAFF)):
        raise NotAllowed(
            f"an exercise is reported by {', '.join(sorted(_STAFF))}",
            field="exercise", wanted=sorted(str(role) for role in _STAFF),
        )  # fmt: skip
    place, claim = None, None
    if said.location is not None:
        place, claim = read_location(said.location, await desk.city_bounds())
    elif said.component is None:
        _may_be_placeless(caller, said)
    report = Report(
        id=new_id(),
        case_id=new_id(),
        source=_source(caller, said),
        reported_by=caller.id,
        category=said.category,
        description=said.description,
        address=said.address,
        place=place,
        claim=claim,
        occurred_at=said.occurred_at,
        reporter=Reporter(said.reporter.name, said.reporter.phone) if said.reporter else None,
        evidence=tuple(dict.fromkeys(said.attachments)),
        desk=None if place or said.component else _desk_of(caller),
        condition=said.condition,
        component=said.component,
        attributes=said.attributes,
        exercise=said.exercise,
        claimed=captured_of(request),
    )
    return await desk.file(claim_of(request), report, scope_keys(caller))


def _may_be_placeless(caller: Caller, said: ReportSaid) -> None:
    """Staff may file for somebody on the telephone who has no coordinates, only words for the place."""
    if caller.roles.isdisjoint(_STAFF):
        raise BadRequest("location is missing", field="location", wanted="{lon, lat, datum, accuracy_m}")
    if not said.address.strip():
        raise BadRequest(
            "neither location nor address is given", field="address", wanted="location, or the place in words"
        )


def _desk_of(caller: Caller) -> str:
    """The division whose desk will find the place: the caller's own."""
    return next(grant.division for grant in caller.grants if grant.role in _STAFF)


def _source(caller: Caller, said: ReportSaid) -> str:
    """Staff and programs name the channel; an officer's own report is an officer's."""
    if Role.OFFICER in caller.roles and caller.roles.isdisjoint(_STAFF):
        return "officer"
    return said.source or ("partner" if caller.user_id is None else "desk")


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/reports",
        handler=post_report,
        roles=_WHO,
        scope="reports:write",
        summary="Report something; it becomes one case.",
        reads=ReportSaid,
        answers=ReportFiled,
        statuses=(201, 409, 422),
        idempotent=True,
        captured=True,
    ),
)
