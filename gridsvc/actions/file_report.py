"""A report comes in and becomes a case: filed and on its way to routing, or waiting for a desk.

Takes any number of reports at once, because reports that arrive together share one commit
(gridsvc/api/desk.py); one that is refused does not touch the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from events.catalog import Announcement, CaseFiled, CaseReported
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.domain.case import Pool, State
from gridsvc.domain.clock import CaseClock, start_clock
from gridsvc.domain.history import ROOT, Entry, chained
from gridsvc.domain.report import Opening, Report, acceptance_number, case_number, opening_of
from gridsvc.domain.rulebook import Category, Rulebook
from gridsvc.errors import BadRequest, GridError, OutsideTheGrid, UnknownCategory
from gridsvc.ids import new_id
from gridsvc.store import attachments, cases, clocks, history, outbox, reports
from gridsvc.store.cases import CaseRow, located
from gridsvc.store.cells import Owner, Wanted, owners_of
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


@dataclass(frozen=True)
class _Accepted:
    report: Report
    category: Category
    owner: Owner | None
    opening: Opening


async def file_reports(
    conn: Conn, incoming: Sequence[Report], numbers: NumberBlocks, now: datetime
) -> list[Taken | GridError]:
    """Open a case for each of `incoming`; one answer each, in the same order.

    A refused report (UnknownCategory, OutsideTheGrid) is answered with its error and leaves nothing;
    the others are kept. Evidence that is not the reporter's own raises Unknown for the whole call,
    so the caller files a report with evidence by itself. Runs in the caller's transaction.
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
    asked = [
        index
        for index, (report, category) in enumerate(zip(incoming, known, strict=True))
        if report.place is not None and isinstance(category, Category)
    ]
    found = await owners_of(conn, [_wanted(incoming[i], known[i]) for i in asked], now) if asked else []
    owners = dict(zip(asked, found, strict=True))
    return [
        _accept(report, category, owners.get(index), now)
        for index, (report, category) in enumerate(zip(incoming, known, strict=True))
    ]


def _category(book: Rulebook, report: Report) -> Category | UnknownCategory:
    try:
        return book.category(report.category)
    except UnknownCategory as error:
        return error


def _wanted(report: Report, category: Category | UnknownCategory) -> Wanted:
    assert report.place is not None  # noqa: S101 - chosen above
    assert isinstance(category, Category)  # noqa: S101 - chosen above
    return Wanted(report.place, category.duty_line)


def _accept(
    report: Report, category: Category | UnknownCategory, owner: Owner | None, now: datetime
) -> _Accepted | GridError:
    if isinstance(category, UnknownCategory):
        return category
    try:
        check_occurred(report, now)
    except BadRequest as error:
        return error
    if report.place is not None and owner is None:
        return OutsideTheGrid(report.place.lon, report.place.lat)
    return _Accepted(report, category, owner, opening_of(category, owner is not None))


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
        taken.append(Taken(each.report, accepted_as, _open(each, number, first.hash, now), first))
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
        desk=report.desk,
        pool=opening.pool,
        route_again_at=now + ROUTE_WITHIN if opening.pool is Pool.ROUTING else None,
        reported_by=report.reported_by,
        occurred_at=report.occurred_at or now,
        reported_at=now,
        filed_at=now if opening.state is State.FILED else None,
        updated_at=now,
        seen_by=case_keys(_whereabouts(each)),
        head=head,
        **(located(report.place, owner) if report.place and owner else {}),
    )


def _whereabouts(each: _Accepted) -> Whereabouts:
    """Who sees the case at its birth: it belongs to nobody yet."""
    return Whereabouts(
        divisions=each.owner.divisions if each.owner else (),
        duty_line=each.category.duty_line,
        reported_by=each.report.reported_by,
        desk=each.report.desk,
    )


async def _keep(
    conn: Conn, book: Rulebook, accepted: Sequence[_Accepted], taken: Sequence[Taken], now: datetime
) -> None:
    await cases.add(conn, [each.case for each in taken])
    numbered = [
        NumberedReport(each.report, looked.category, each.acceptance_number)
        for looked, each in zip(accepted, taken, strict=True)
    ]
    await reports.add(conn, numbered, now)
    await history.add(conn, [each.first_entry for each in taken])
    await clocks.add(
        conn,
        [_clock(book, looked, each.case, now) for looked, each in zip(accepted, taken, strict=True)],
    )
    for each in taken:
        if each.report.evidence:
            await attachments.attach(
                conn, each.report.evidence, each.case.id, each.report.id, "report", each.report.reported_by
            )
    await outbox.append(conn, [_news(each.case, now) for each in taken], now)


def _first_entry(each: _Accepted, accepted_as: str, number: str | None, now: datetime) -> Entry:
    report, owner = each.report, each.owner
    facts = {
        "report": str(report.id),
        "acceptance_number": accepted_as,
        "number": number,
        "category": each.category.id,
        "cell": owner.cell_code if owner else None,
        "grid_set": owner.grid_set_id if owner else None,
        "method": owner.method if owner else None,
        "evidence": [str(picture) for picture in report.evidence],
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
    limit = book.limit(looked.opening.clock, looked.category)
    return start_clock(new_id(), case.id, case.cycle, looked.opening.clock, limit, book.ladder(limit.ladder), now)


def _news(case: CaseRow, now: datetime) -> Announcement:
    common = news_of(case, case.reported_by, now)
    if case.state == State.FILED:
        return CaseFiled(**common, cycle=case.cycle)
    return CaseReported(**common, pool=case.pool or "")
