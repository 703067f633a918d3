"""A list of categories becomes an edition over HTTP: what it would change, and publishing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from gridsvc.actions.import_categories import Order, Plan, plan_categories, publish_categories
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of
from gridsvc.api.route import Route
from gridsvc.api.set_up import ADMIN, FileIn, refusing, whole_city
from gridsvc.api.wire import Told, Wanted, read_body
from gridsvc.db import Conn
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import LimitUnit

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[^:/, ]+$")]


class CategoriesIn(Wanted):
    """A list, CSV or XLSX, and how it is to be read (docs/categories-import.md).

    `units` says what words of the limits mean; `against` left out: the edition in force. `partial` leaves out the
    categories that have a row at fault. `beside`: reports go on to mean the edition that is in force.
    """

    file: FileIn
    edition: _Code
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    departments: FileIn | None = None
    units: dict[str, LimitUnit] = msgspec.field(default_factory=dict)
    calendar: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    against: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    partial: bool = False
    beside: bool = False


class CategoryChangeOut(Told):
    """A category that is `added`, `changed` (in which fields) or `removed`; `open_cases` stay on the one before."""

    kind: str
    code: str
    name: str
    name_before: str | None
    fields: list[str]
    open_cases: int


class CategoriesPlanOut(Told):
    """What the list would change, or has changed; `faults` are the rows that cannot be read."""

    edition: str
    against: str | None
    categories: int
    same: int
    changes: list[CategoryChangeOut]
    faults: list[str]
    open_cases: int


async def _preview(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, CategoriesIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _WHAT, now)
        with refusing():
            plan = await plan_categories(conn, _order(said))
        return Answer(_told(said.edition, plan))

    return await write(request, work)


async def _publish(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, CategoriesIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, _WHAT, now)
        with refusing():
            plan = await plan_categories(conn, _order(said))
            await publish_categories(
                conn, plan, said.name, said.file.name, now, partial=said.partial, default=not said.beside
            )
        return Answer(_told(said.edition, plan), status=201)

    return await write(request, work)


def _order(said: CategoriesIn) -> Order:
    departments = said.departments
    return Order(
        file=(said.file.name, said.file.content),
        edition=said.edition,
        departments=None if departments is None else (departments.name, departments.content),
        units=said.units,
        calendar=said.calendar,
        against=said.against,
    )


def _told(edition: str, plan: Plan) -> CategoriesPlanOut:
    changes = plan.changes
    return CategoriesPlanOut(
        edition=edition,
        against=plan.against,
        categories=len(plan.listing.categories),
        same=changes.same,
        changes=[
            *(_change(plan, "added", each, None, ()) for each in changes.added),
            *(_change(plan, "changed", each.after, each.before, each.fields) for each in changes.changed),
            *(_change(plan, "removed", each, each, ()) for each in changes.removed),
        ],
        faults=[str(fault) for fault in plan.listing.faults[:_MOST_FAULTS]],
        open_cases=sum(plan.open_cases.values()),
    )


def _change(
    plan: Plan, kind: str, each: Category, before: Category | None, fields: Sequence[str]
) -> CategoryChangeOut:
    return CategoryChangeOut(
        kind=kind, code=each.code, name=each.name, name_before=before.name if before else None, fields=list(fields),
        open_cases=plan.open_cases.get(each.code, 0) if before else 0,
    )  # fmt: skip


_WHAT: Final = "categories"
_MOST_FAULTS: Final = 200

ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/category-editions/preview", handler=_preview, roles=ADMIN, reads=CategoriesIn,
        answers=CategoriesPlanOut, statuses=(200, 413, 422), idempotent=True,
        summary="What a list of categories would change against the edition in force; nothing is kept.",
    ),
    Route(
        method="POST", path="/api/v1/category-editions", handler=_publish, roles=ADMIN, reads=CategoriesIn,
        answers=CategoriesPlanOut, statuses=(201, 413, 422), idempotent=True,
        summary="A list of categories becomes a new edition; cases stay on the one they were filed under.",
    ),
)  # fmt: skip
