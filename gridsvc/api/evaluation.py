"""GET /api/v1/evaluation: how work is judged, for boards as JSON and for offices as CSV or XLSX."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from aiohttp import web

from gridsvc.actions.evaluate_work import evaluate
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Told, Wanted, read_query, reply
from gridsvc.db import act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.evaluation import (
    CODES,
    COUNTS,
    EVALUATORS,
    INDICATORS,
    Asked,
    By,
    Item,
    Period,
    Profile,
    cut,
    scope_names,
    scope_of,
    table,
)
from gridsvc.domain.sheet import written_csv
from gridsvc.domain.workbook_out import written_workbook
from gridsvc.errors import NotAllowed
from gridsvc.store.rulebook import rulebook


class Form(StrEnum):
    """What the answer is written as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


MEDIA: Final = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Headings(StrEnum):
    """The language of a table's headings and names."""

    ZH = "zh"
    EN = "en"


class EvaluationQuery(Wanted, rename={"first": "from", "end": "to"}):
    """Which stretch: days of the city's zone, `to` not counted, cut into `period`s; grouped how, narrowed to what."""

    first: date
    end: date
    group_by: By = By.DISTRICT
    period: Period = Period.WHOLE
    division: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    profile: Profile = Profile.SUSPENDED_LEFT_OUT
    format: Form | None = None
    headings: Headings = Headings.ZH


class GroupTold(Told):
    """Whose work: a division of `level`, a department, a post or an officer."""

    level: str
    code: str
    name: str
    name_en: str


class ValueTold(Told):
    """What the formula of this code gives; `value` null: there was nothing to judge."""

    indicator: str
    value: float | None
    numerator: int
    denominator: int


class ItemTold(Told, rename={"start": "from", "end": "to"}):
    """One group in one piece of the stretch, [from, to)."""

    group: GroupTold
    start: datetime
    end: datetime
    counts: dict[str, int]
    values: list[ValueTold]


class EvaluationTold(Told):
    """The report, as everything stood `at`. `scope`: the areas, departments and duty lines whose figures these are."""

    at: datetime
    zone: str
    group_by: str
    period: str
    profile: str
    scope: list[str]
    items: list[ItemTold]


class CountTold(Told):
    """Something that is counted. `belongs`: which moment of it decides the period."""

    code: str
    name: str
    name_en: str
    belongs: str
    unit: str
    group_by: list[str]


class SumTold(Told):
    """Counts that are added, and counts that are taken off."""

    plus: list[str]
    minus: list[str]


class IndicatorTold(Told):
    """A formula: numerator by denominator, to two decimals, halves up; `source` says who counts so."""

    code: str
    name: str
    name_en: str
    unit: str
    numerator: SumTold
    denominator: SumTold
    belongs: str
    group_by: list[str]
    source: str


class FormulasTold(Told):
    """Every count and every formula. Under `suspended_counted` no formula takes off `due_suspended`."""

    counts: list[CountTold]
    items: list[IndicatorTold]


async def _evaluation(request: web.Request) -> web.StreamResponse:
    query, caller = read_query(request, EvaluationQuery), caller_of(request)
    if query.group_by is not By.OFFICER and caller.roles.isdisjoint(EVALUATORS):
        raise NotAllowed(f"officers see figures of their own; want group_by={By.OFFICER}", wanted=str(By.OFFICER))
    form = query.format or _accepted(request)
    async with scoped(request) as (conn, now):
        zone = (await rulebook(conn)).zone
        asked = Asked(
            edges=cut(query.first, query.end, query.period, zone), by=query.group_by, profile=query.profile,
            division=query.division, scope=scope_of(caller), now=now,
        )  # fmt: skip
        await act_as_service(conn)
        items = await evaluate(conn, asked)
    if form is Form.JSON:
        return reply(_told(asked, query, zone.key, items))
    rows = table(asked, items, zone, chinese=query.headings is Headings.ZH)
    write = written_workbook if form is Form.XLSX else written_csv
    return web.Response(
        body=await asyncio.to_thread(write, rows, CODES), content_type=MEDIA[form],
        charset="utf-8" if form is Form.CSV else None,
        headers={"Content-Disposition": f'attachment; filename="{query.group_by}-{query.first}-{query.end}.{form}"'},
    )  # fmt: skip


def _accepted(request: web.Request) -> Form:
    """What the header Accept asks for: the first of its kinds that we can write, JSON where it names none of them."""
    kinds = [part.partition(";")[0].strip() for part in request.headers.get("Accept", "").split(",")]
    return next((form for kind in kinds for form in Form if MEDIA[form] == kind), Form.JSON)


def _told(asked: Asked, query: EvaluationQuery, zone: str, items: Sequence[Item]) -> EvaluationTold:
    return EvaluationTold(
        at=asked.now, zone=zone, group_by=str(query.group_by), period=str(query.period), profile=str(query.profile),
        scope=scope_names(asked.scope), items=[_item(item) for item in items],
    )  # fmt: skip


def _item(item: Item) -> ItemTold:
    return ItemTold(
        group=GroupTold(level=item.level, code=item.code, name=item.name, name_en=item.name_en),
        start=item.start, end=item.end, counts=dict(item.counts),
        values=[ValueTold(each.indicator, each.value, each.numerator, each.denominator) for each in item.values],
    )  # fmt: skip


async def _indicators(_: web.Request) -> web.Response:
    return reply(_FORMULAS)


_FORMULAS: Final = FormulasTold(
    counts=[
        CountTold(each.code, each.name, each.name_en, str(each.belongs), each.unit, sorted(map(str, each.subjects)))
        for each in COUNTS.values()
    ],
    items=[
        IndicatorTold(
            code=each.code, name=each.name, name_en=each.name_en, unit=each.unit,
            numerator=SumTold(list(each.numerator.plus), list(each.numerator.minus)),
            denominator=SumTold(list(each.denominator.plus), list(each.denominator.minus)),
            belongs=str(each.belongs), group_by=sorted(map(str, each.subjects)), source=each.source,
        )
        for each in INDICATORS.values()
    ],
)  # fmt: skip

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/evaluation", handler=_evaluation, roles=EVALUATORS | {Role.OFFICER},
        scope="evaluation:read", query=EvaluationQuery, answers=EvaluationTold,
        summary="How work is judged: counts and indicators by area, department, post or officer; JSON, CSV or XLSX.",
    ),
    Route(
        method="GET", path="/api/v1/evaluation/indicators", handler=_indicators, roles=SIGNED_IN,
        scope="evaluation:read", answers=FormulasTold,
        summary="Every count and every formula of the evaluation.",
    ),
)  # fmt: skip
