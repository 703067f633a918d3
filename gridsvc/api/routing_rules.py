"""Routing rules over HTTP: the editions, who may change them, and why a case was routed as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.publish_rules import draft_rules, edition_row, faults_of, publish_rules, roll_back_rules
from gridsvc.actions.rehearse_rules import rehearse_rules
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.set_up import ADMIN, whole_city
from gridsvc.api.wire import Page, Told, Wanted, read_body, read_query, reply
from gridsvc.db import Conn
from gridsvc.domain.rehearsal import Rehearsed
from gridsvc.domain.routing_rules import FRESH_SECONDS, RoutingEdition, RuleFault, read_rules
from gridsvc.errors import ImportRefused, RulesRefused, Unknown
from gridsvc.store import assignments, regrid, rehearsal, routing_rules
from gridsvc.store.routing_rules import EditionRow

# -- why a case was routed as it was ------------------------------------------------------------------------------


class RoutedTold(Told):
    """One assignment: by which rule of which edition, on which inputs, who else was weighed and why they lost.

    `passed` are the rules before it: the condition that did not hold, or `nobody` and why. Names and inputs are
    null where a person chose, and of assignments from before they were kept. `grid_set`: by which set the case lay
    where it did when it was assigned.
    """

    id: UUID
    cycle: int
    officer: UUID | None
    department: str | None
    rule: str
    rule_name: str | None
    rule_name_en: str | None
    edition: int
    inputs: dict[str, Any] | None
    passed: list[dict[str, Any]]
    reasons: dict[str, Any]
    assigned_by: str
    assigned_at: datetime
    ended_at: datetime | None
    ended_why: str | None
    grid_set: str | None


class PooledTold(Told):
    """One time that routing found nobody, or a rule wanted a person to choose; the rest as of an assignment."""

    version: int
    at: datetime
    why: str
    rule: str | None
    rule_name: str | None
    rule_name_en: str | None
    edition: int | None
    inputs: dict[str, Any] | None
    passed: list[dict[str, Any]]
    reasons: dict[str, Any]


class RoutingTold(Told):
    """How a case was routed: every assignment, and every time that it went to the pool; each oldest first."""

    items: list[RoutedTold]
    pooled: list[PooledTold]
    next: str | None = None


async def routing_told(conn: Conn, case_id: UUID) -> RoutingTold:
    """Everything that routing and people decided of the owner of a case that the caller sees."""
    assigned = await assignments.of_case(conn, case_id)
    sets = await regrid.sets_at(conn, case_id, [row.assigned_at for row in assigned])
    pooled = await assignments.POOLINGS_OF_CASE.all(conn, case_id)
    numbers = {row.edition for row in assigned} | {n for row in pooled if (n := _edition_of(row.reasons)) is not None}
    editions = {row.number: row.edition() for row in await routing_rules.OF_NUMBERS.all(conn, sorted(numbers))}
    return RoutingTold(
        items=[
            RoutedTold(
                id=row.id, cycle=row.cycle, officer=row.officer_id, department=row.department, rule=row.rule,
                **_names(editions, row.edition, row.rule), edition=row.edition, **_looked_at(row.reasons),
                assigned_by=row.assigned_by, assigned_at=row.assigned_at, ended_at=row.ended_at,
                ended_why=row.ended_why, grid_set=name,
            )
            for row, name in zip(assigned, sets, strict=True)
        ],
        pooled=[
            PooledTold(
                version=row.version, at=row.at, why=row.why, rule=_rule_of(row.reasons),
                **_names(editions, _edition_of(row.reasons), _rule_of(row.reasons)),
                edition=_edition_of(row.reasons), **_looked_at(row.reasons),
            )
            for row in pooled
        ],
    )  # fmt: skip


def reasons_told(reasons: Mapping[str, Any]) -> dict[str, Any]:
    """What was weighed, without what is kept for rehearsals alone."""
    return {name: value for name, value in reasons.items() if name not in {"kept", "passed", "rule", "edition"}}


def _edition_of(reasons: Mapping[str, Any]) -> int | None:
    edition = reasons.get("edition")
    return edition if isinstance(edition, int) else None


def _rule_of(reasons: Mapping[str, Any]) -> str | None:
    rule = reasons.get("rule")
    return None if rule is None else str(rule)


def _names(editions: Mapping[int, RoutingEdition], number: int | None, code: str | None) -> dict[str, Any]:
    edition = editions.get(number or 0)
    rule = edition.rule(code) if edition is not None and code is not None else None
    return {"rule_name": rule.name if rule else None, "rule_name_en": rule.name_en if rule else None}


def _looked_at(reasons: Mapping[str, Any]) -> dict[str, Any]:
    kept = reasons.get("kept")
    inputs = None
    if kept is not None:
        inputs = {name: value for name, value in kept["inputs"].items() if name != "words"}
        inputs["weekday"] = datetime.fromisoformat(inputs["local"]).isoweekday()
        inputs["keywords"] = reasons.get("keywords", [])
    return {"inputs": inputs, "passed": reasons.get("passed", []), "reasons": reasons_told(reasons)}


# -- editions ---------------------------------------------------------------------------------------------------


class RoutingEditionTold(Told):
    """An edition: draft, published (in force) or retired; `replaces` was in force when it was first published."""

    number: int
    name: str
    state: str
    drafted_at: datetime
    drafted_by: str
    published_at: datetime | None
    published_by: str | None
    replaces: int | None
    rules: int


class RoutingEditionDetail(Told):
    """An edition with its rules, in the form in which they are written (docs/rules/routing.md)."""

    edition: RoutingEditionTold
    position_max_age_s: int
    rules: list[dict[str, Any]]


class RulesSaid(Wanted):
    """Routing rules as a file has them."""

    rules: list[dict[str, Any]]
    name: str = ""
    position_max_age_s: int = FRESH_SECONDS


class RuleFaultTold(Told):
    """One thing wrong with a rule (null: with the edition); `refuses` false: a warning."""

    rule: str | None
    field: str
    given: str
    wanted: str
    refuses: bool


class RulesChecked(Told):
    """What is wrong with rules in this city."""

    good: bool
    faults: list[RuleFaultTold]


class RulesDrafted(Told):
    """The number of a new draft, and its warnings."""

    number: int
    warnings: list[RuleFaultTold]


class RulesInForce(Told):
    """Which edition is in force from now on, and which was before."""

    edition: int
    before: int | None


class RehearsalQuery(Wanted):
    """How far back."""

    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


class MovedTold(Told):
    """How many decisions gave cases of one owner to another: `officer <id>`, `department <code>`, or `pool`."""

    before: str
    after: str
    cases: int


class RehearsedTold(Told):
    """One decision that would have been another. `changed` are inputs that are not what they were."""

    case: UUID
    at: datetime
    before: str
    after: str
    rule: str | None
    why: str | None
    rebuilt: bool
    changed: list[str]


class RehearsalTold(Told):
    """What an edition would have made of the decisions of the last days (docs/rules/routing.md).

    `pooled` and `differences` are cut after 200; `matrix` counts all. `differences`: the edition that decided does
    not agree with itself.
    """

    edition: int
    since: datetime
    decisions: int
    rehearsed: int
    rebuilt: int
    not_kept: dict[str, int]
    rules: dict[str, int]
    matrix: list[MovedTold]
    pooled: list[RehearsedTold]
    differences: list[RehearsedTold]


async def _in_force(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        row = await routing_rules.IN_FORCE.one(conn)
    assert row is not None  # noqa: S101 - one is always in force
    return reply(_detail(row))


async def _editions(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        found = await routing_rules.EDITIONS.all(conn)
    return reply(Page[RoutingEditionTold](items=[_listed(row) for row in found]))


async def _edition(request: web.Request) -> web.Response:
    number = _number(request)
    async with scoped(request) as (conn, _):
        row = await edition_row(conn, number)
    return reply(_detail(row))


async def _check(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, RulesSaid), caller_of(request)
    read = read_rules(msgspec.to_builtins(said))

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, "routing rules", now)
        found = [*read.faults, *await faults_of(conn, read.edition, now)]
        return Answer(RulesChecked(good=not any(each.refuses for each in found), faults=_faults(found)))

    return await write(request, work)


async def _draft(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, RulesSaid), caller_of(request)
    read = read_rules(msgspec.to_builtins(said))

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, "routing rules", now)
        try:
            drafted = await draft_rules(conn, read, caller.id, now)
        except ImportRefused as refused:
            raise _refused(refused) from refused
        return Answer(RulesDrafted(number=drafted.number, warnings=_faults(drafted.warnings)), status=201)

    return await write(request, work)


async def _publish(request: web.Request) -> web.StreamResponse:
    number, caller = _number(request), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, "routing rules", now)
        try:
            before = await publish_rules(conn, number, caller.id, now)
        except ImportRefused as refused:
            raise _refused(refused) from refused
        return Answer(RulesInForce(edition=number, before=before))

    return await write(request, work)


async def _roll_back(request: web.Request) -> web.StreamResponse:
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await whole_city(conn, caller, "routing rules", now)
        left, back = await roll_back_rules(conn, caller.id, now)
        return Answer(RulesInForce(edition=back, before=left))

    return await write(request, work)


async def _rehearsal(request: web.Request) -> web.Response:
    number, asked, caller = _number(request), read_query(request, RehearsalQuery), caller_of(request)
    async with scoped(request) as (conn, now):
        await whole_city(conn, caller, "routing rules", now)
        edition = (await edition_row(conn, number)).edition()
        since = now - timedelta(days=asked.days)
        there_are = await rehearsal.count(conn, since)
        if there_are > _MOST_REHEARSED:
            raise RulesRefused(
                f"{there_are} decisions are too many for one answer; ask for fewer days, or use gridsvc rules rehearse",
                given=there_are, wanted=f"at most {_MOST_REHEARSED}", reason="too_many", n=there_are,
            )  # fmt: skip
        found = await rehearse_rules(conn, edition, since)
    return reply(
        RehearsalTold(
            edition=number, since=since, decisions=found.decisions, rehearsed=found.rehearsed, rebuilt=found.rebuilt,
            not_kept=dict(found.not_kept), rules=dict(found.rules),
            matrix=[MovedTold(before, after, cases) for (before, after), cases in sorted(found.matrix.items())],
            pooled=[_rehearsed(each) for each in found.pooled[:_MOST_TOLD]],
            differences=[_rehearsed(each) for each in found.differences[:_MOST_TOLD]],
        )
    )  # fmt: skip


def _rehearsed(each: Rehearsed) -> RehearsedTold:
    return RehearsedTold(
        case=each.decision.case_id, at=each.decision.at, before=each.decision.owner, after=each.after, rule=each.rule,
        why=each.why, rebuilt=each.rebuilt, changed=list(each.changed),
    )  # fmt: skip


def _refused(refused: ImportRefused) -> RulesRefused:
    faults = [each.message for each in refused.defects]
    return RulesRefused(refused.message, faults=faults, wanted="rules without faults")


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not text.isdecimal() or len(text) > 9:
        raise Unknown(f"{text[:40]!r} is no number of an edition", given=text[:40])
    return int(text)


def _listed(row: EditionRow) -> RoutingEditionTold:
    return RoutingEditionTold(
        number=row.number, name=row.name, state=row.state, drafted_at=row.drafted_at, drafted_by=row.drafted_by,
        published_at=row.published_at, published_by=row.published_by, replaces=row.replaces,
        rules=len(row.rules["rules"]),
    )  # fmt: skip


def _detail(row: EditionRow) -> RoutingEditionDetail:
    return RoutingEditionDetail(
        edition=_listed(row), position_max_age_s=row.rules["position_max_age_s"], rules=list(row.rules["rules"])
    )


def _faults(found: Iterable[RuleFault]) -> list[RuleFaultTold]:
    return [RuleFaultTold(each.rule, each.field, each.given, each.wanted, each.refuses) for each in found]


_MOST_REHEARSED: Final = 10_000  # decisions: some seconds of one process, in pieces of 50 ms
_MOST_TOLD: Final = 200

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/routing-rules", handler=_in_force, roles=DESK, scope="grid:read",
        answers=RoutingEditionDetail, summary="The routing rules in force, in their order.",
    ),
    Route(
        method="POST", path="/api/v1/routing-rules/check", handler=_check, roles=ADMIN, reads=RulesSaid,
        answers=RulesChecked, idempotent=True,
        summary="What is wrong with routing rules in this city, all of it; nothing is kept.",
    ),
    Route(
        method="POST", path="/api/v1/routing-rules/rollback", handler=_roll_back, roles=ADMIN,
        answers=RulesInForce, statuses=(200, 422), idempotent=True,
        summary="The edition is in force again that the present one replaced.",
    ),
    Route(
        method="GET", path="/api/v1/routing-rules/editions", handler=_editions, roles=DESK, scope="grid:read",
        answers=Page[RoutingEditionTold], summary="Every edition of the routing rules, the newest first.",
    ),
    Route(
        method="POST", path="/api/v1/routing-rules/editions", handler=_draft, roles=ADMIN, reads=RulesSaid,
        answers=RulesDrafted, statuses=(201, 422), idempotent=True,
        summary="Routing rules become a draft, if this city can route by them.",
    ),
    Route(
        method="GET", path="/api/v1/routing-rules/editions/{number}", handler=_edition, roles=DESK, scope="grid:read",
        answers=RoutingEditionDetail, summary="One edition of the routing rules.",
    ),
    Route(
        method="POST", path="/api/v1/routing-rules/editions/{number}/publish", handler=_publish, roles=ADMIN,
        answers=RulesInForce, statuses=(200, 422), idempotent=True,
        summary="A draft of the routing rules comes into force.",
    ),
    Route(
        method="GET", path="/api/v1/routing-rules/editions/{number}/rehearsal", handler=_rehearsal, roles=ADMIN,
        query=RehearsalQuery, answers=RehearsalTold, statuses=(200, 422),
        summary="What an edition would have made of the routing of the last days; nothing is written.",
    ),
)  # fmt: skip
