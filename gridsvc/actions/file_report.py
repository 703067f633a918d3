"""A report comes in and becomes a case: filed and on its way to routing, or waiting for a desk.

Takes any number of reports at once, because reports that arrive together share one commit
(gridsvc/api/desk.py); one that is refused does not touch the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events.catalog import Announcement, CaseAlarm, CaseFiled, CaseReported
from geo.place import Place
from gridsvc.actions.judge_capture import facts_of_birth
from gridsvc.actions.news import news_of
from gridsvc.actions.sound_alarms import sound_alarms
from gridsvc.db import Conn
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.domain.attribute import checked, refuse_missing
from gridsvc.domain.calling import EMERGENCY
from gridsvc.domain.captured import Captured, judge
from gridsvc.domain.case_state import Pool, State
from gridsvc.domain.category import Category, missing_evidence
from gridsvc.domain.checking import SEND_WITHIN, wanted_check
from gridsvc.domain.clock import CaseClock, start_clock
from gridsvc.domain.component import farthest_m
from gridsvc.domain.history import ROOT, Entry, chained
from gridsvc.domain.report import Opening, Report, acceptance_number, case_number, opening_of
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import (
    BadAttribute,
    BadRequest,
    FarFromComponent,
    GridError,
    OutsideTheGrid,
    UnknownCategory,
    UnknownComponent,
    UnknownCondition,
)
from gridsvc.ids import new_id
from gridsvc.store import attachments, cases, clocks, components, history, outbox, reports
from gridsvc.store.cases import CaseRow, located
from gridsvc.store.cells import Owner, Wanted, division_path, owners_of
from gridsvc.store.components import Surveyed
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.reports import NumberedReport
from gridsvc.store.rulebook import rulebook

ROUTE_WITHIN: Final = timedelta(seconds=15)
"""If routing has not taken a filed case by then, the reconciler sends it again (normally it takes milliseconds)."""

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far a reporter's clock may run ahead of the city's before what he says is called the future."""


@dataclass(frozen=True)
class Taken:
    """A report that is kept, with its acceptance number and the case it opened."""

    report: Report
    acceptance_number: str
    case: CaseRow
    first_entry: Entry
    category: Category


@dataclass(frozen=True)
class _Accepted:
    report: Report
    category: Category
    place: Place | None  # where the case lies: the component's place, or the report's
    distance_m: float | None  # from the one to the other, where the report gives both
    owner: Owner | None
    desk_path: Sequence[str]  # of the desk that is to find the place
    opening: Opening
    attributes: Mapping[str, str]
    captured: Captured | None  # when it was made, where a phone could tell it only later


async def file_reports(
    conn: Conn, incoming: Sequence[Report], numbers: NumberBlocks, now: datetime
) -> list[Taken | GridError]:
    """Open a case for each of `incoming`; one answer each, in the same order.

    A refused report (UnknownCategory, UnknownCondition, BadAttribute, OutsideTheGrid, UnknownComponent,
    FarFromComponent, BadRequest, Unknown for evidence that is not the reporter's own) is answered with its error and
    leaves nothing; the others are kept. Two that bring the same photograph: the first has it. Runs in the caller's
    transaction.
    """
    book = await rulebook(conn)
    looked = await _look(conn, book, incoming, now)
    accepted = [each for each in looked if isinstance(each, _Accepted)]
    if not accepted:
        return [each for each in looked if isinstance(each, GridError)]
    taken = await _number_and_open(book, accepted, numbers, now)
    await _keep(conn, book, accepted, taken, now)
    answers = iter(taken)
    return [each if isinstance(each, GridError) else next(answers) for each in looked]


async def _look(conn: Conn, book: Rulebook, incoming: Sequence[Report], now: datetime) -> list[_Accepted | GridError]:
    known: list[Category | UnknownCategory] = [_category(book, report) for report in incoming]
    stands = await _surveyed(conn, incoming)
    places = [_place(report, stands.get(index)) for index, report in enumerate(incoming)]
    asked = {
        index: Wanted(place, category.duty_line)
        for index, (place, category) in enumerate(zip(places, known, strict=True))
        if isinstance(place, Place) and isinstance(category, Category)
    }
    found = await owners_of(conn, list(asked.values()), now) if asked else []
    owners = dict(zip(asked, found, strict=True))
    desks = {code: await division_path(conn, code, now) or [code] for code in {r.desk for r in incoming if r.desk}}
    looked = [
        _accept(report, category, place, stands.get(index), owners.get(index), desks, now)
        for index, (report, category, place) in enumerate(zip(incoming, known, places, strict=True))
    ]
    return await _with_evidence_of_their_own(conn, looked)


async def _with_evidence_of_their_own(
    conn: Conn, looked: Sequence[_Accepted | GridError]
) -> list[_Accepted | GridError]:
    """The same, but refused where a report brings uploads that are not its reporter's, or evidence already."""
    reports_in = [each.report for each in looked if isinstance(each, _Accepted)]
    wanted = [(upload, report.reported_by) for report in reports_in for upload in report.evidence]
    if not wanted:
        return list(looked)
    loose = await attachments.lock_loose(conn, wanted)
    answers: list[_Accepted | GridError] = []
    for each in looked:
        if isinstance(each, _Accepted):
            missing = [upload for upload in dict.fromkeys(each.report.evidence) if upload not in loose]
            if missing:
                answers.append(attachments.not_yours(missing))
                continue
            shown = [upload for upload in each.report.evidence if loose[upload]]
            for upload in set(each.report.evidence):
                del loose[upload]
            if (blind := _without_photograph(each.report, each.category, shown)) is not None:
                answers.append(blind)
                continue
        answers.append(each)
    return answers


async def _surveyed(conn: Conn, incoming: Sequence[Report]) -> dict[int, Surveyed | None]:
    """Where the components stand that these reports name; one round trip, and none where nobody names one."""
    named = {index: (report.component, report.place) for index, report in enumerate(incoming) if report.component}
    if not named:
        return {}
    return dict(zip(named, await components.surveyed(conn, list(named.values())), strict=True))


def _place(report: Report, stands: Surveyed | None) -> Place | GridError | None:
    """Where the case will lie (docs/rules/components.md)."""
    if report.component is None:
        return report.place
    if stands is None:
        return UnknownComponent(
            f"no component {report.component} in the register",
            field="component", given=report.component, wanted="a code of GET /api/v1/components",
        )  # fmt: skip
    most_m = farthest_m(report.place.accuracy_m if report.place else None)
    if stands.distance_m is not None and stands.distance_m > most_m:
        return FarFromComponent(
            f"component {report.component} stands {stands.distance_m:.0f} m from the place given; "
            f"want at most {most_m:.0f} m",
            field="component", distance_m=round(stands.distance_m, 1), most_m=round(most_m, 1),
        )  # fmt: skip
    return stands.place


def _category(book: Rulebook, report: Report) -> Category | UnknownCategory:
    try:
        return book.category(report.category)
    except UnknownCategory as error:
        return error


def _without_photograph(report: Report, category: Category, shown: Sequence[UUID]) -> BadRequest | None:
    """Only officers stand before the thing: who calls, and the program of another city, may have no picture."""
    missing = missing_evidence(category, "report", shown) if report.source == "officer" else None
    return BadRequest(missing, field="attachments", wanted="at least one photograph") if missing is not None else None


def _accept(
    report: Report,
    category: Category | UnknownCategory,
    place: Place | GridError | None,
    stands: Surveyed | None,
    owner: Owner | None,
    desks: Mapping[str, list[str]],
    now: datetime,
) -> _Accepted | GridError:
    if isinstance(category, UnknownCategory):
        return category
    if isinstance(place, GridError):
        return place
    try:
        check_occurred(report, now)
    except BadRequest as error:
        return error
    if place is not None and owner is None:
        return OutsideTheGrid(place.lon, place.lat)
    if report.condition is not None:
        try:
            category.condition(report.condition)
        except UnknownCondition as error:
            return error
    if (blind := _without_photograph(report, category, report.evidence)) is not None:
        return blind
    try:
        attributes = attributes_of(report, category)
    except BadAttribute as error:
        return error
    distance_m = stands.distance_m if stands else None
    opening = opening_of(category, owner is not None, report.source)
    desk_path = desks[report.desk] if report.desk else []
    report, captured = dated(report, now)
    return _Accepted(report, category, place, distance_m, owner, desk_path, opening, attributes, captured)


def dated(report: Report, now: datetime) -> tuple[Report, Captured | None]:
    """When the report was made, as far as its phone can be believed; it happened then where it does not say when."""
    if report.claimed is None:
        return report, None
    captured = judge(report.claimed, (), now)
    return replace(report, occurred_at=report.occurred_at or captured.at), captured


def attributes_of(report: Report, category: Category) -> dict[str, str]:
    """What the report says of the category's attributes; raises BadAttribute where it cannot be, or an officer's lacks.

    Only officers stand before the thing: who calls, and a program, says what it knows, and the desk adds the rest.
    """
    said = checked(category.attributes, report.attributes)
    if report.source == "officer":
        refuse_missing(category.attributes, said)
    return said


def check_occurred(report: Report, now: datetime) -> None:
    """Raise BadRequest where the report says that it happened in the future."""
    if report.occurred_at is not None and report.occurred_at > now + CLOCKS_DIFFER:
        raise BadRequest(
            f"occurred_at is {report.occurred_at.isoformat()}, in the future; it is {now.isoformat()} now",
            field="occurred_at",
            given=report.occurred_at.isoformat(),
            wanted="a moment that has passed, or none",
        )


async def _number_and_open(
    book: Rulebook, accepted: Sequence[_Accepted], numbers: NumberBlocks, now: datetime
) -> list[Taken]:
    today = now.astimezone(book.zone)
    acceptance = iter(await numbers.take("acceptance", "", today.date(), len(accepted)))
    filed = Counter(each.owner.division_code for each in accepted if each.owner and each.opening.state is State.FILED)
    given = await numbers.take_many("case", filed, today.date())
    series = {division: iter(taken) for division, taken in given.items()}
    taken = []
    for each in accepted:
        number = None
        if each.owner is not None and each.opening.state is State.FILED:
            number = case_number(each.owner.division_code, today, next(series[each.owner.division_code]))
        accepted_as = acceptance_number(today, next(acceptance))
        first = _first_entry(each, accepted_as, number, now)
        taken.append(Taken(each.report, accepted_as, _open(each, number, first.hash, now), first, each.category))
    return taken


def _open(each: _Accepted, number: str | None, head: bytes, now: datetime) -> CaseRow:
    report, category, owner, opening = each.report, each.category, each.owner, each.opening
    return CaseRow(
        id=report.case_id,
        number=number,
        version=1,
        cycle=1,
        state=opening.state,
        suspended=False,
        source=report.source,
        edition=category.edition,
        category=category.code,
        duty_line=category.duty_line,
        severity=category.severity,
        description=report.description,
        address=report.address,
        desk_path=list(each.desk_path),
        pool=opening.pool,
        route_again_at=now + ROUTE_WITHIN if opening.pool is Pool.ROUTING else None,
        check_again_at=now + SEND_WITHIN if _is_looked_at(each) else None,
        reported_by=report.reported_by,
        occurred_at=report.occurred_at or now,
        reported_at=now,
        filed_at=now if opening.state is State.FILED else None,
        updated_at=now,
        seen_by=case_keys(_whereabouts(each)),
        head=head,
        condition=report.condition,
        component=report.component,
        attributes=each.attributes,
        exercise=report.exercise,
        **(located(each.place, owner) if each.place and owner else {}),
    )


def _is_looked_at(each: _Accepted) -> bool:
    state, source = each.opening.state, each.report.source
    return wanted_check(each.category, state, source, located=each.owner is not None) is not None


def _whereabouts(each: _Accepted) -> Whereabouts:
    """Who sees the case at its birth: it belongs to nobody yet."""
    return Whereabouts(
        divisions=each.owner.divisions if each.owner else (),
        duty_line=each.category.duty_line,
        reported_by=each.report.reported_by,
        desk_path=each.desk_path,
    )


async def _keep(
    conn: Conn, book: Rulebook, accepted: Sequence[_Accepted], taken: Sequence[Taken], now: datetime
) -> None:
    await cases.add(conn, [each.case for each in taken])
    numbered = [
        NumberedReport(each.report, looked.category, each.acceptance_number, looked.attributes, looked.distance_m)
        for looked, each in zip(accepted, taken, strict=True)
    ]
    await reports.add(conn, numbered, now)
    await history.add(conn, [each.first_entry for each in taken])
    await clocks.add(
        conn,
        [_clock(book, looked, each.case, now) for looked, each in zip(accepted, taken, strict=True)],
    )
    await attachments.belong(
        conn,
        [(upload, each.case.id, each.report.id) for each in taken for upload in dict.fromkeys(each.report.evidence)],
    )
    told = [news for each in taken for news in _news(each.case, now)]
    await outbox.append(conn, told, now)
    await sound_alarms(conn, told, [each.case for each in taken], now)


def _first_entry(each: _Accepted, accepted_as: str, number: str | None, now: datetime) -> Entry:
    report, owner = each.report, each.owner
    facts: dict[str, object] = {
        "report": str(report.id),
        "acceptance_number": accepted_as,
        "number": number,
        "category": each.category.id,
        "condition": report.condition,
        "cell": owner.cell_code if owner else None,
        "grid_set": owner.grid_set_id if owner else None,
        "method": owner.method if owner else None,
        "evidence": [str(picture) for picture in report.evidence],
    }
    if each.attributes:
        facts["attributes"] = dict(each.attributes)
    if report.exercise:
        facts["exercise"] = True
    facts |= facts_of_birth(each.captured)
    if report.component is not None:
        facts |= {
            "component": report.component,
            "component_distance_m": None if each.distance_m is None else round(each.distance_m, 1),
        }
    return chained(
        Entry(
            case_id=report.case_id,
            version=1,
            move=each.opening.move,
            from_state=None,
            to_state=each.opening.state,
            actor=report.reported_by,
            at=now,
            facts=facts,
            before=ROOT,
        )
    )


def _clock(book: Rulebook, looked: _Accepted, case: CaseRow, now: datetime) -> CaseClock:
    limit = case.limit(book, looked.opening.clock)
    return start_clock(new_id(), case.id, case.cycle, looked.opening.clock, limit, book.ladder(limit.ladder), now)


def _news(case: CaseRow, now: datetime) -> list[Announcement]:
    common = news_of(case, case.reported_by, now)
    filed = case.state == State.FILED
    first = CaseFiled(**common, cycle=case.cycle) if filed else CaseReported(**common, pool=case.pool or "")
    if case.severity != EMERGENCY:
        return [first]
    return [CaseAlarm(**news_of(case, case.reported_by, now), why="reported"), first]
