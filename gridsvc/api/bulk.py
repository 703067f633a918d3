"""POST /api/v1/bulk/{move}: one move for many cases, an outcome for each; POST /api/v1/bulk/{id}/undo takes it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.move_cases import IN_BULK, move_cases
from gridsvc.actions.move_cases import Wanted as Named
from gridsvc.actions.undo_bulk import Outcome, undo_bulk
from gridsvc.api.case_moves import callers_of, fields_of, particulars_of
from gridsvc.api.case_wire import Moved, moved_told
from gridsvc.api.desk import DESK
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of
from gridsvc.api.problems import status_of
from gridsvc.api.route import Route
from gridsvc.api.wire import Told, Wanted, path_id, read_body
from gridsvc.db import Conn
from gridsvc.domain.case import MOVES, Rule
from gridsvc.domain.case_state import AtVersion, Move, WhileAssigned
from gridsvc.domain.undoing import UNDO_WITHIN
from gridsvc.errors import BadRequest, GridError
from gridsvc.store.cases import CaseRow


class BulkItem(Wanted):
    """One case, and the version or the assignment that the move was decided on: one of the two."""

    case: UUID
    version: Annotated[int, msgspec.Meta(ge=1, le=2_000_000_000)] | None = None
    assignment: UUID | None = None


class RefusedTold(Told):
    """Why a case was not moved: the code and facts of the error that the move alone would have ended in."""

    status: int
    code: str
    detail: str
    facts: dict[str, Any]


class OutcomeTold(Told):
    """What became of one case: `moved`, or `refused`."""

    case: UUID
    moved: Moved | None
    refused: RefusedTold | None


class BulkTold(Told):
    """An outcome for each item, in their order. POST /api/v1/bulk/{id}/undo undoes what was moved,
    until `undo_until`.
    """

    id: UUID
    undo_until: datetime
    items: list[OutcomeTold]
    moved: int
    refused: int


class UndoneTold(Told):
    """The case was set back: the version that made, when and by whom; the same when it is undone again."""

    version: int
    at: datetime
    by: str


class UndoOutcomeTold(Told):
    """What became of one case that the bulk move had moved: `undone`, or `refused`."""

    case: UUID
    undone: UndoneTold | None
    refused: RefusedTold | None


class BulkUndoneTold(Told):
    """An outcome for each case that the bulk move had moved, in the order of their ids."""

    id: UUID
    move: str
    items: list[UndoOutcomeTold]
    undone: int
    refused: int


def _body_of(rule: Rule) -> type[Wanted]:
    items = ("items", Annotated[list[BulkItem], msgspec.Meta(min_length=1, max_length=200)])
    said = [field for field in fields_of(rule) if field[0] != "evidence"]  # a photograph shows one case
    name = "".join(part.title() for part in str(rule.move).split("_")) + "ManySaid"
    made = msgspec.defstruct(
        name, [items, *said], bases=(Wanted,), module=__name__, kw_only=True, forbid_unknown_fields=True
    )
    assert issubclass(made, Wanted)  # noqa: S101 - by its bases
    return made


def _handler_of(rule: Rule, body: type[Wanted]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def make_moves(request: web.Request) -> web.StreamResponse:
        read = await read_body(request, body)
        named = [_named(index, item) for index, item in enumerate(getattr(read, "items"))]  # noqa: B009 - made above
        said = await particulars_of(request, read, without={"items"})
        desk, caller = request.app[DESK], caller_of(request)

        async def work(conn: Conn, now: datetime) -> Answer:
            made = await move_cases(conn, named, rule.move, caller, said, desk.numbers, now)
            items = [_outcome(each, outcome) for each, outcome in zip(named, made.outcomes, strict=True)]
            refused = sum(item.refused is not None for item in items)
            until = now + UNDO_WITHIN
            told = BulkTold(id=made.id, undo_until=until, items=items, moved=len(items) - refused, refused=refused)
            return Answer(told)

        return await write(request, work)

    make_moves.__doc__ = rule.says
    return make_moves


def _named(index: int, item: BulkItem) -> Named:
    if item.version is not None and item.assignment is None:
        return Named(item.case, AtVersion(item.version))
    if item.assignment is not None and item.version is None:
        return Named(item.case, WhileAssigned(item.assignment))
    raise BadRequest(
        f"items[{index}] says neither version nor assignment, or both; want one of them",
        field=f"items[{index}]", wanted="version or assignment",
    )  # fmt: skip


def _outcome(named: Named, outcome: CaseRow | GridError) -> OutcomeTold:
    if isinstance(outcome, CaseRow):
        return OutcomeTold(case=named.case_id, moved=moved_told(outcome), refused=None)
    return OutcomeTold(case=named.case_id, moved=None, refused=refused_told(outcome))


def refused_told(error: GridError) -> RefusedTold:
    """Why one case of several was not moved, as the move alone would have answered."""
    return RefusedTold(
        status=status_of(type(error)), code=error.code, detail=error.message,
        facts={name: value if isinstance(value, int | float | list | None) else str(value)
               for name, value in error.facts.items()},
    )  # fmt: skip


async def _undo(request: web.Request) -> web.StreamResponse:
    bulk_id, caller = path_id(request), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        bulk, outcomes = await undo_bulk(conn, bulk_id, caller, now)
        items = [_undo_outcome(each) for each in outcomes]
        refused = sum(item.refused is not None for item in items)
        told = BulkUndoneTold(id=bulk.id, move=bulk.move, items=items, undone=len(items) - refused, refused=refused)
        return Answer(told)

    return await write(request, work)


def _undo_outcome(outcome: Outcome) -> UndoOutcomeTold:
    item = outcome.item
    if outcome.refused is not None:
        return UndoOutcomeTold(case=item.case_id, undone=None, refused=refused_told(outcome.refused))
    assert item.undone_version is not None  # noqa: S101 - not refused: undone
    assert item.undone_at is not None  # noqa: S101
    assert item.undone_by is not None  # noqa: S101
    undone = UndoneTold(version=item.undone_version, at=item.undone_at, by=item.undone_by)
    return UndoOutcomeTold(case=item.case_id, undone=undone, refused=None)


def _route_of(move: Move, rule: Rule) -> Route:
    body = _body_of(rule)
    return Route(
        method="POST",
        path=f"/api/v1/bulk/{move}",
        handler=_handler_of(rule, body),
        roles=callers_of(rule),
        summary=f"For up to 200 cases, an outcome for each. {rule.says}",
        reads=body,
        answers=BulkTold,
        statuses=(200, 409),
        idempotent=True,
    )


ROUTES: Final = (
    *(_route_of(move, MOVES[move]) for move in IN_BULK),
    Route(
        method="POST", path="/api/v1/bulk/{id}/undo", handler=_undo,
        roles=frozenset().union(*(callers_of(MOVES[move]) for move in IN_BULK)), answers=BulkUndoneTold,
        statuses=(200,), idempotent=True,
        summary="What a bulk move made is undone, case by case, where nobody has touched it since.",
    ),
)  # fmt: skip
