"""What may be reported: categories of the published editions, with their conditions and limits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, path_code, read_query, reply
from gridsvc.domain.attribute import Attribute
from gridsvc.domain.category import Category
from gridsvc.domain.gazetteer import syllables
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import Unknown
from gridsvc.store.categories import EDITIONS
from gridsvc.store.rulebook import rulebook


class CategoriesQuery(Wanted):
    """Which edition; left out: the default one."""

    edition: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class LimitOut(Told):
    """How long the handling may take; `unit` is urgent_minute, urgent_hour, urgent_day, work_hour, work_day or day."""

    amount: float
    unit: str


class ConditionOut(Told):
    """A filing condition (立案条件) and what must be so to close (结案条件). A report names it by its `code`."""

    code: str
    says: str
    closing: str
    is_default: bool


class AttributeOut(Told):
    """What a report of the category says besides its words; `kind` is text, number, time or choice (of `choices`)."""

    name: str
    kind: str
    choices: list[str]
    required: bool

    @classmethod
    def of(cls, attribute: Attribute) -> AttributeOut:
        """As it is told."""
        return cls(attribute.name, attribute.kind, list(attribute.choices), attribute.required)


class ExactLimitOut(Told):
    """A limit for a condition, a management level or both; null: whichever. `stage` is the clock that runs on it."""

    condition: str | None
    management_level: str | None
    stage: str
    amount: float
    unit: str


class CategoryOut(Told):
    """One category. `ref` is what a report's `category` may say; `limit` holds where no exact one of `limits` does.

    `pinyin` is how the name sounds, without tones, its syllables apart: `jing gai que shi`.
    """

    ref: str
    edition: str
    code: str
    kind: str
    major: str | None
    major_name: str
    major_name_en: str
    name: str
    name_en: str
    pinyin: str
    duty_line: str
    department: str | None
    handled_by: str
    severity: str
    files_itself: bool
    dispatches_itself: bool
    attributes: list[AttributeOut]
    evidence: list[str]
    duplicate_radius_m: float
    duplicate_window_h: float
    checks: list[str]
    calendar: str
    ladder: str
    limit: LimitOut
    limits: list[ExactLimitOut]
    conditions: list[ConditionOut]


class EditionOut(Told):
    """One published edition; reports that name no edition mean the default one."""

    code: str
    name: str
    is_default: bool
    published_at: datetime
    source: str
    categories: int


async def _categories(request: web.Request) -> web.Response:
    asked = read_query(request, CategoriesQuery)
    async with scoped(request) as (conn, _):
        book = await rulebook(conn)
    edition = asked.edition or book.default_edition
    found = [each for each in book.categories.values() if each.edition == edition and each.active]
    return reply(Page[CategoryOut](items=[_out(each, book) for each in sorted(found, key=lambda each: each.code)]))


async def _category(request: web.Request) -> web.Response:
    name = path_code(request, "ref")
    async with scoped(request) as (conn, _):
        book = await rulebook(conn)
    edition, _, code = name.rpartition(":")
    found = book.categories.get((edition or book.default_edition or "", code))
    if found is None:
        raise Unknown(f"no category {name!r}", given=name)
    return reply(_out(found, book))


async def _editions(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        found = await EDITIONS.all(conn)
    return reply(Page[EditionOut](items=[EditionOut(**vars(row)) for row in found]))


def _out(category: Category, book: Rulebook) -> CategoryOut:
    return CategoryOut(
        ref=category.code if category.edition == book.default_edition else category.id,
        edition=category.edition, code=category.code, kind=category.kind, major=category.major,
        major_name=category.major_name, major_name_en=category.major_name_en, name=category.name,
        name_en=category.name_en, pinyin=syllables(category.name), duty_line=category.duty_line,
        department=category.department,
        handled_by=category.handled_by, severity=category.severity, files_itself=category.files_itself,
        dispatches_itself=category.dispatches_itself,
        attributes=[AttributeOut.of(each) for each in category.attributes],
        evidence=list(category.evidence), duplicate_radius_m=category.duplicate_radius_m,
        duplicate_window_h=category.duplicate_window_h, checks=list(category.checks), calendar=category.calendar,
        ladder=category.ladder,
        limit=LimitOut(amount=category.limit_amount, unit=category.limit_unit),
        limits=[ExactLimitOut(each.condition, each.management_level, each.stage, each.amount, each.unit)
                for each in category.limits],
        conditions=[ConditionOut(each.code, each.says, each.closing, each.is_default)
                    for each in category.conditions],
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/categories", handler=_categories, roles=SIGNED_IN, scope="grid:read",
        query=CategoriesQuery, answers=Page[CategoryOut],
        summary="Categories of one edition, with conditions and limits, all on one page.",
    ),
    Route(
        method="GET", path="/api/v1/categories/{ref}", handler=_category, roles=SIGNED_IN, scope="grid:read",
        answers=CategoryOut,
        summary="One category by edition:code, or by a code of the default edition; also one out of use.",
    ),
    Route(
        method="GET", path="/api/v1/category-editions", handler=_editions, roles=SIGNED_IN, scope="grid:read",
        answers=Page[EditionOut], summary="The published editions of categories.",
    ),
)  # fmt: skip
