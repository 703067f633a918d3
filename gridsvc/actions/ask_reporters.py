"""Call-backs (回访): who is asked when a case closes, what follows an answer, and when nobody is asked any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from events.catalog import CaseToCallBack
from gridsvc.actions.file_report import ROUTE_WITHIN
from gridsvc.actions.follow_grid import where_it_lies_now
from gridsvc.actions.news import news_of
from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.actions.stop_clocks import stop_clocks
from gridsvc.db import Conn, act_as_service, act_for
from gridsvc.domain.access import Whereabouts, case_keys, scope_keys
from gridsvc.domain.call_back import LEVELS, NOT_SOLVED, SOLVED, UNREACHABLE, ends_with, next_level, try_counts
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Clock, Move, Particulars
from gridsvc.domain.clock import CaseClock, start_clock
from gridsvc.domain.escalation import division_at
from gridsvc.domain.rulebook import Rulebook
from gridsvc.ids import new_id
from gridsvc.store import call_backs, cases, clocks, outbox
from gridsvc.store.call_backs import CallBackRow, Reporter
from gridsvc.store.cases import CaseRow
from gridsvc.store.cells import division_names
from gridsvc.store.rulebook import rulebook

OBJECTS: Final = "reporter_objects"
"""The reason of a reopening that follows a call-back."""


@dataclass(frozen=True, kw_only=True)
class AnsweredBack:
    """What somebody says of a call-back that he made or tried to make."""

    row: CallBackRow
    result: str
    counts: bool  # a try that found nobody counts, or not (docs/rules/call-backs.md)

    @property
    def tries(self) -> int:
        """Those that counted, this one included."""
        return len(self.row.tries) + (self.result == UNREACHABLE and self.counts)

    @property
    def ends(self) -> bool:
        """Whether asking is over."""
        return ends_with(self.result, self.tries)

    def facts(self) -> dict[str, object]:
        """What the history says of it, in JSON's own types."""
        row = self.row
        told: dict[str, object] = {"call_back": str(row.id), "level": row.level, "report": str(row.report_id)}
        if self.result == UNREACHABLE:
            told |= {"tries": self.tries, "counts": self.counts}
        return told

    def told(self) -> dict[str, object]:
        """What its announcement says besides the case."""
        return {"call_back_id": self.row.id, "level": self.row.level, "result": self.result}


async def lock_for_unmerging(conn: Conn, case_id: UUID, actor: Actor) -> None:
    """Lock the case together with those that may still ask its reporters, in one order, whoever sees them."""
    assert actor.caller is not None  # noqa: S101 - only people unmerge
    await act_as_service(conn)
    await cases.lock_many(conn, [case_id, *await call_backs.line_up(conn, case_id)])
    await act_for(conn, scope_keys(actor.caller))


async def call_back_meant(conn: Conn, locked: CaseRow, said: Particulars) -> CallBackRow | None:
    """The call-back that a move names, where that waits; None for any other move."""
    if said.call_back is None:
        return None
    waits = await call_backs.OPEN_OF_CASE.all(conn, locked.id)
    return next((each for each in waits if each.id == said.call_back), None)


def call_back_answered(
    book: Rulebook, locked: CaseRow, row: CallBackRow | None, said: Particulars, now: datetime
) -> AnsweredBack | None:
    """What an answer means, by the calendar of the place; None where no call-back is answered."""
    if row is None or said.result is None:
        return None
    category = book.categories[(locked.edition, locked.category)]
    calendar = book.calendar_for(category, locked.divisions, None)
    return AnsweredBack(row=row, result=said.result, counts=try_counts(calendar, row.tries, now))


async def ask_reporters(conn: Conn, book: Rulebook, closed: CaseRow, actor: str, now: datetime) -> None:
    """Open the first call-back for each reporter of a case that was just closed. As the service."""
    reporters = await call_backs.to_ask(conn, closed.id)
    if reporters:
        await _open(conn, book, closed, reporters, None, actor, now)


async def keep_call_back(
    conn: Conn, book: Rulebook, after: CaseRow, answer: AnsweredBack, actor: Actor, said: Particulars, now: datetime
) -> CaseRow:
    """Keep what was said and let follow what follows; the case after. As the service, the case held locked."""
    if not answer.ends:
        if answer.counts:
            await call_backs.tried(conn, answer.row.id, now)
        return after
    if answer.result == UNREACHABLE:
        await call_backs.tried(conn, answer.row.id, now)
    await call_backs.end(
        conn,
        replace(
            answer.row, ended_at=now, result=answer.result, satisfaction=said.satisfaction, note=said.note or "",
            made_by=actor.id,
        ),
    )  # fmt: skip
    await _stop_clocks(conn, after.id, [answer.row.clock_id], now)
    if answer.result == SOLVED:
        again = [each for each in await call_backs.to_ask(conn, after.id) if each.report_id == answer.row.report_id]
        await _open(conn, book, after, again, answer.row.level, actor.id, now)
    return await _reopened(conn, book, after, actor, said, now) if answer.result == NOT_SOLVED else after


async def call_off_for(conn: Conn, merged: CaseRow, now: datetime) -> None:
    """Reporters of a case that is about to stand for itself again are asked no more about the other. As the service."""
    mains = await call_backs.line_up(conn, merged.id)
    ended = await call_backs.call_off_of_family(conn, merged.id, mains, now)
    for main in mains if ended else ():
        await _stop_clocks(conn, main, ended, now)


async def _stop_clocks(conn: Conn, case_id: UUID, clock_ids: Sequence[UUID], now: datetime) -> None:
    """The clocks of call-backs that ended; those of a case that the caller holds locked."""
    live = [clock for clock in await clocks.live(conn, [case_id]) if clock.id in clock_ids]
    await clocks.change(conn, await stop_clocks(conn, await rulebook(conn), live, now))


async def _reopened(
    conn: Conn, book: Rulebook, after: CaseRow, actor: Actor, said: Particulars, now: datetime
) -> CaseRow:
    because = Particulars(reason_code=OBJECTS, reason=said.note or None)
    moved = decide(after.case(), Move.REOPEN, actor, because, now)
    facts: dict[str, object] = {"reason_code": OBJECTS, **({"reason": said.note} if said.note else {})}
    anew = await where_it_lies_now(conn, after, now)
    if anew:
        facts |= {"cell": anew["cell_code"], "grid_set": anew["grid_set_id"], "method": anew["cell_method"]}
    return await record_move(
        conn,
        book,
        after,
        Recorded(
            moved=moved,
            actor=actor.id,
            facts=facts,
            changes={**anew, "held_by": None, "route_again_at": now + ROUTE_WITHIN},
            told={"cycle": moved.cycle},
        ),
        now,
    )


async def _open(
    conn: Conn,
    book: Rulebook,
    case: CaseRow,
    reporters: Sequence[Reporter],
    after: str | None,
    actor: str,
    now: datetime,
) -> None:
    levels = await _levels(conn, case)
    begun: list[CaseClock] = []
    rows: list[CallBackRow] = []
    for reporter in reporters:
        desks = _desks(case, levels, reporter)
        level = next_level(after, book.call_backs, desks, case.id)
        if level is None:
            continue
        limit = case.limit(book, Clock.CALL_BACK)
        limit = replace(limit, ladder=book.call_backs[level].ladder or limit.ladder)
        clock = start_clock(new_id(), case.id, case.cycle, Clock.CALL_BACK, limit, book.ladder(limit.ladder), now)
        begun.append(clock)
        rows.append(
            CallBackRow(
                id=new_id(), case_id=case.id, cycle=case.cycle, report_id=reporter.report_id, clock_id=clock.id,
                level=level, division_code=desks[level], asked_by=_keys(case, reporter, desks[level]), opened_at=now,
                tries=[], ended_at=None, result=None, satisfaction=None, note="", made_by=None,
            )
        )  # fmt: skip
    await clocks.add(conn, begun)
    await call_backs.add(conn, rows)
    news = [
        CaseToCallBack(
            **news_of(case, actor, now), call_back_id=row.id, level=row.level, division=row.division_code
        )
        for row in rows
    ]
    await outbox.append(conn, news, now)


async def _levels(conn: Conn, case: CaseRow) -> dict[str, str]:
    """The level of each division of the case."""
    if case.grid_set_id is None:
        return {}
    named = await division_names(conn, case.grid_set_id, case.divisions)
    return {code: level for code, (_, level) in named.items()}


def _desks(case: CaseRow, levels: Mapping[str, str], reporter: Reporter) -> dict[str, str]:
    """Which division's desk asks at each level: that of the level, or the nearest above, that has the case.

    A report of a case that was merged into this one is asked about by a desk that sees both.
    """
    sees = set(reporter.whereabouts().areas())
    path = [(code, levels[code]) for code in case.case().whereabouts().areas() if code in sees and code in levels]
    found = {level: division_at(level, path) for level in LEVELS}
    return {level: code for level, code in found.items() if code is not None}


def _keys(case: CaseRow, reporter: Reporter, division: str) -> list[str]:
    """The scope keys of the desks that see both the case and the report, from the top down to `division`."""
    own = Whereabouts(divisions=case.divisions, duty_line=case.duty_line, held_by=division)
    return sorted(set(case_keys(own)) & set(case_keys(reporter.whereabouts())))
