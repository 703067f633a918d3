"""What may be reported: categories of the published editions."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, read_query, reply
from gridsvc.store.listings import CATEGORIES, Category


class CategoriesQuery(Wanted):
    """Which edition; left out: the default one."""

    edition: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class LimitOut(Told):
    """How long the handling may take; `unit` is urgent_hour, urgent_day, work_hour, work_day or day."""

    amount: float
    unit: str


class CategoryOut(Told):
    """One category. `ref` is what a report's `category` may say."""

    ref: str
    edition: str
    code: str
    kind: str
    name: str
    name_en: str
    duty_line: str
    department: str | None
    handled_by: str
    severity: str
    files_itself: bool
    limit: LimitOut


async def _categories(request: web.Request) -> web.Response:
    asked = read_query(request, CategoriesQuery)
    async with scoped(request) as (conn, _):
        found = await CATEGORIES.all(conn, asked.edition)
    return reply(Page[CategoryOut](items=[_out(row) for row in found]))


def _out(row: Category) -> CategoryOut:
    return CategoryOut(
        ref=row.code if row.is_default_edition else f"{row.edition}:{row.code}",
        edition=row.edition, code=row.code, kind=row.kind, name=row.name, name_en=row.name_en,
        duty_line=row.duty_line, department=row.department, handled_by=row.handled_by, severity=row.severity,
        files_itself=row.files_itself, limit=LimitOut(amount=row.limit_amount, unit=row.limit_unit),
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/categories", handler=_categories, roles=SIGNED_IN, scope="grid:read",
        query=CategoriesQuery, answers=Page[CategoryOut],
        summary="Categories of one edition, all on one page.",
    ),
)  # fmt: skip
