"""An officer puts right on the spot what he found: report, filed case and closed case in one act (自行处置)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from events.catalog import CaseSelfHandled
from gridsvc.actions.file_report import Taken, attributes_of, check_occurred, dated
from gridsvc.actions.judge_capture import facts_of_birth
from gridsvc.actions.move_case import facts_of
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.access import Caller
from gridsvc.domain.captured import Captured
from gridsvc.domain.case import check_birth
from gridsvc.domain.case_state import Actor, Move, Particulars, State
from gridsvc.domain.category import Category
from gridsvc.domain.checking import SEND_WITHIN
from gridsvc.domain.history import ROOT, Entry, chained
from gridsvc.domain.report import Report, acceptance_number, case_number
from gridsvc.domain.self_handling import is_sampled
from gridsvc.errors import GuardFailed, OutsideTheGrid
from gridsvc.store import attachments, cases, history, outbox, reports
from gridsvc.store.cases import CaseRow, located
from gridsvc.store.cells import Owner, Wanted, owners_of
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.reports import NumberedReport
from gridsvc.store.rulebook import rulebook


async def self_handle(
    conn: Conn, report: Report, by: Caller, said: Particulars, numbers: NumberBlocks, now: datetime
) -> Taken:
    """Keep the report with a case that is closed at its birth; one history row says all of it.

    Raises UnknownCategory, OutsideTheGrid, BadAttribute and BadRequest as a report does; NotAllowed for whoever is
    no officer of that area and duty line; GuardFailed for what is too grave; Unknown for photographs that are not his.
    """
    book = await rulebook(conn)
    category = book.category(report.category)
    assert report.place is not None  # noqa: S101 - the edge demands it
    [owner] = await owners_of(conn, [Wanted(report.place, category.duty_line)], now)
    if owner is None:
        raise OutsideTheGrid(report.place.lon, report.place.lat)
    check_occurred(report, now)
    report, captured = dated(report, now)
    attributes = attributes_of(report, category)
    draft = replace(_closed(report, by, category, owner, now), attributes=attributes)
    check_birth(draft.case(), Move.SELF_HANDLE, Actor(by), said, now)
    today = now.astimezone(book.zone)
    [accepted] = await numbers.take("acceptance", "", today.date())
    [taken] = await numbers.take("case", owner.division_code, today.date())
    draft = replace(draft, number=case_number(owner.division_code, today, taken))
    entry = _entry(draft, report, captured, acceptance_number(today, accepted), said, now)
    case = replace(draft, head=entry.hash).keyed()
    await cases.add(conn, [case])
    await reports.add(conn, [NumberedReport(report, category, acceptance_number(today, accepted), attributes)], now)
    before = await attachments.attach(conn, said.before, case.id, report.id, "before", by.id)
    after = await attachments.attach(conn, said.evidence, case.id, report.id, "after", by.id)
    if not (before and after):
        raise GuardFailed("a voice note shows nothing; want both photographs", guard="before_and_after")
    await history.add(conn, [entry])
    await outbox.append(conn, [CaseSelfHandled(**news_of(case, by.id, now))], now)
    return Taken(report, acceptance_number(today, accepted), case, entry, category)


def _closed(report: Report, by: Caller, category: Category, owner: Owner, now: datetime) -> CaseRow:
    assert report.place is not None  # noqa: S101 - as above
    return CaseRow(
        id=report.case_id,
        number=None,
        version=1,
        cycle=1,
        state=State.CLOSED,
        suspended=False,
        source=report.source,
        edition=category.edition,
        category=category.code,
        duty_line=category.duty_line,
        severity=category.severity,
        description=report.description,
        address=report.address,
        officer_id=by.user_id,
        reported_by=report.reported_by,
        occurred_at=report.occurred_at or now,
        reported_at=now,
        filed_at=now,
        closed_at=now,
        updated_at=now,
        self_handled=True,
        sampled=is_sampled(report.case_id),
        check_again_at=now + SEND_WITHIN if is_sampled(report.case_id) else None,
        **located(report.place, owner),
    )


def _entry(
    case: CaseRow, report: Report, captured: Captured | None, accepted_as: str, said: Particulars, now: datetime
) -> Entry:
    facts = {
        "report": str(report.id),
        "acceptance_number": accepted_as,
        "number": case.number,
        "category": f"{case.edition}:{case.category}",
        "cell": case.cell_code,
        "grid_set": case.grid_set_id,
        "method": case.cell_method,
        "sampled": case.sampled,
        **({"attributes": dict(case.attributes)} if case.attributes else {}),
        **facts_of_birth(captured),
        **facts_of(said, {}),
    }
    return chained(
        Entry(
            case_id=case.id,
            version=1,
            move=Move.SELF_HANDLE,
            from_state=None,
            to_state=State.CLOSED,
            actor=report.reported_by,
            at=now,
            facts=facts,
            before=ROOT,
        )
    )
