"""The moves of a person over HTTP: a route for each row of the table, and what its body says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from geo.place import Place
from gridsvc.actions.move_case import move_case
from gridsvc.api.captured_wire import captured_of
from gridsvc.api.case_wire import Moved, moved_told
from gridsvc.api.desk import DESK
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of
from gridsvc.api.report_wire import Attributes, FixedLocation, Location, read_location
from gridsvc.api.route import Route
from gridsvc.api.wire import Moment, Wanted, if_match, path_id, read_body
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES, Rule
from gridsvc.domain.case_state import Actor, Move, Particulars, Party
from gridsvc.domain.fix import Fix

_FIELDS: Final[dict[str, Any]] = {
    "reason": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "reason_code": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "note": Annotated[str, msgspec.Meta(max_length=4_000)],
    "officer": UUID,
    "department": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "evidence": Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=20)],
    "before": Annotated[list[UUID], msgspec.Meta(max_length=20)],
    "until": Moment,
    "into": UUID,
    "division": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "location": Location,
    "condition": Annotated[str, msgspec.Meta(min_length=1, max_length=32)],
    "category": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "description": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "address": Annotated[str, msgspec.Meta(min_length=1, max_length=400)],
    "attributes": Attributes,
    "result": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "kind": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "level": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "wanted": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "reply": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "cause": UUID,
    "call_back": UUID,
    "satisfaction": Annotated[int, msgspec.Meta(ge=1, le=5)],
    "no_fix": Annotated[str, msgspec.Meta(min_length=1, max_length=400)],
}
"""How each particular of a move is written; the table of moves tells which of them a move has."""

_FIELDS_OF: Final[dict[Move, dict[str, Any]]] = {Move.ARRIVE: {"location": FixedLocation}}
"""What a move reads in another form than others do."""


def fields_of(rule: Rule) -> list[Any]:
    """What the body of a move holds, by the table: name, type and, where it may be left out, the default."""
    types = _FIELDS | _FIELDS_OF.get(rule.move, {})
    # Where the move has a list of reasons, one of them or words will do; the table looks at both.
    either = {"reason"} if "reason_code" in rule.takes else set()
    fields: list[Any] = [(name, types[name]) for name in rule.needs if name not in either]
    return [*fields, *((name, types[name] | None, None) for name in (*sorted(either), *rule.takes))]


def _body_of(rule: Rule) -> type[Wanted]:
    name = "".join(part.title() for part in str(rule.move).split("_")) + "Said"
    made = msgspec.defstruct(
        name, fields_of(rule), bases=(Wanted,), module=__name__, kw_only=True, forbid_unknown_fields=True
    )
    assert issubclass(made, Wanted)  # noqa: S101 - by its bases
    return made


def _handler_of(rule: Rule, body: type[Wanted]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def make_move(request: web.Request) -> web.StreamResponse:
        case_id, expected = path_id(request), if_match(request)
        said = await particulars_of(request, await read_body(request, body))
        claimed, desk, actor = captured_of(request), request.app[DESK], Actor(caller_of(request))

        async def work(conn: Conn, now: datetime) -> Answer:
            row = await move_case(conn, case_id, rule.move, actor, said, expected, desk.numbers, now, claimed)
            return Answer(moved_told(row), headers={"ETag": f'"{row.version}"'})

        return await write(request, work)

    make_move.__doc__ = rule.says
    return make_move


async def particulars_of(request: web.Request, body: Wanted, without: Container[str] = ()) -> Particulars:
    """What the body says with a move; `without` names fields that are none of the move's."""
    given = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not None and name not in without
    }
    place: Place | None = None
    if "location" in given:
        location = given.pop("location")
        place, _ = read_location(location, await request.app[DESK].city_bounds())
        if isinstance(location, FixedLocation):
            given["fix"] = Fix(taken_at=location.taken_at, mocked=location.mocked)
    for name in {"evidence", "before"} & given.keys():
        given[name] = tuple(dict.fromkeys(given[name]))
    return Particulars(**given, location=place)


def callers_of(rule: Rule) -> frozenset[Role]:
    """The roles that may call the move's route at all; the table looks at the case."""
    roles = {by for by in rule.by if isinstance(by, Role)}
    if Party.DEPARTMENT in rule.by:
        roles.add(Role.SUPERVISOR)
    if rule.by & {Party.CHECKER, Party.CALLED, Party.RESPONDER}:
        roles.add(Role.OFFICER)
    if Party.CO_OWNER in rule.by:
        roles.add(Role.HANDLER)
    return frozenset(roles | {Role.OFFICER, Role.HANDLER} if Party.OWNER in rule.by else roles)


def _route_of(move: Move, rule: Rule) -> Route:
    body = _body_of(rule)
    return Route(
        method="POST",
        path=f"/api/v1/cases/{{id}}/{move}",
        handler=_handler_of(rule, body),
        roles=callers_of(rule),
        summary=rule.says,
        reads=body,
        answers=Moved,
        statuses=(200, 409, 422, 428),
        idempotent=True,
        if_match=True,
        captured=True,
    )


ROUTES: Final = tuple(_route_of(move, rule) for move, rule in MOVES.items() if rule.over_http)
