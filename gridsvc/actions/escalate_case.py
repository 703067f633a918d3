"""Fire every rung that is due: once each, in order, never early, and say how late it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events.catalog import Announcement, CaseEscalated, CaseUnacknowledged, Heard
from gridsvc.actions.follow_outages import follow
from gridsvc.actions.news import news_of
from gridsvc.actions.recompute_clocks import bring_up_to_date
from gridsvc.actions.sound_alarms import sound_alarms
from gridsvc.db import Conn
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, State
from gridsvc.domain.clock import CaseClock, go_on
from gridsvc.domain.deadline import Pause
from gridsvc.domain.escalation import Effect, Rung, division_at, step
from gridsvc.domain.history import Entry, chained
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import cases, clocks, co_handlings, grids, history, outages, outbox, rung_lags
from gridsvc.store.cases import CaseRow
from gridsvc.store.cells import division_names
from gridsvc.store.clocks import EscalationRow
from gridsvc.store.rulebook import rulebook

SWEEPER: Final = Actor(worker=Party.SWEEPER)

MOVE_ON_WITHIN: Final = timedelta(seconds=15)
"""If routing has not heard by then that an owner let his time pass, the reconciler says it again."""


@dataclass
class _Fired:
    """What a round makes of the cases it holds; written at once at its end."""

    cases: list[CaseRow] = field(default_factory=list)
    clocks: list[CaseClock] = field(default_factory=list)
    escalations: list[EscalationRow] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    news: list[Announcement] = field(default_factory=list)


async def fire_due_rungs(conn: Conn, now: datetime, limit: int) -> int:
    """Fire what is due on up to `limit` clocks; how many rungs fired. 0: nothing was due, or others have it.

    Cases are locked first and skipped when somebody else holds them, so any number of sweepers may
    run and a case that is being closed is not escalated behind its back. Runs in the caller's
    transaction as the service; a rung that was fired before is refused by its key.
    """
    locked = await cases.LOCK_DUE.all(conn, now, limit)
    if not locked:
        return 0
    book = await rulebook(conn)
    live = await clocks.live(conn, [case.id for case in locked])
    stood_still = await clocks.pauses(conn, [clock.id for clock in live])
    # By the editions in force: a day off that was published a moment ago must not be counted against anybody.
    locked, live = await bring_up_to_date(conn, book, locked, live, stood_still, now)
    running = await outages.running(conn, now)
    if running:  # what began a moment ago stands still as well
        locked = await follow(conn, book, locked, [each.outage for each in running], now)
        live = await clocks.live(conn, [case.id for case in locked])
        stood_still = await clocks.pauses(conn, [clock.id for clock in live])
    levels = await _division_levels(conn, locked, now)
    parts = await co_handlings.departments(conn, [c.co_handling_id for c in live if c.co_handling_id is not None])
    due: dict[UUID, list[CaseClock]] = defaultdict(list)
    for clock in live:
        due[clock.case_id].append(clock)
    fired = _Fired()
    for case in locked:
        _fire_case(fired, book, case, due[case.id], stood_still, levels.get(case.grid_set_id, {}), parts, now)
    await clocks.change(conn, fired.clocks)
    if not fired.cases:
        return 0
    await cases.change(conn, fired.cases)
    await clocks.add_escalations(conn, fired.escalations)
    await history.add(conn, fired.history)
    await outbox.append(conn, fired.news, now)
    await sound_alarms(conn, fired.news, fired.cases, now)
    await rung_lags.add(conn, [(each.fired_at - each.scheduled_at).total_seconds() for each in fired.escalations])
    return len(fired.escalations)


async def _division_levels(
    conn: Conn, locked: Sequence[CaseRow], now: datetime
) -> dict[int | None, dict[str, str]]:
    """The levels of all divisions that matter, by grid set; by None those of the desks of cases without a place."""
    codes: dict[int | None, set[str]] = defaultdict(set)
    for case in locked:
        codes[case.grid_set_id].update(case.case().whereabouts().areas())
    levels: dict[int | None, dict[str, str]] = {}
    for known, wanted in codes.items():
        grid_set = await grids.in_force(conn, now) if known is None else known
        if grid_set is None:
            continue
        named = await division_names(conn, grid_set, sorted(wanted))
        levels[known] = {code: level for code, (_, level) in named.items()}
    return levels


def _fire_case(
    fired: _Fired,
    book: Rulebook,
    case: CaseRow,
    live: Sequence[CaseClock],
    stood_still: Mapping[UUID, Sequence[Pause]],
    levels: Mapping[str, str],
    parts: Mapping[UUID, str],
    now: datetime,
) -> None:
    clocks_of_case = {clock.id: clock for clock in live}
    touched: set[UUID] = set()
    before = case.version
    while (clock := _next_due(clocks_of_case.values(), now)) is not None:
        touched.add(clock.id)
        rung = step(book.ladder(clock.ladder), clock.next_level)
        if rung is None:  # the city has rewritten the ladder: on to the next rung that there is now
            clocks_of_case[clock.id] = go_on(clock, book, stood_still.get(clock.id, ()))
            continue
        moved = decide(case.case(), Move.ESCALATE, SWEEPER, Particulars(), now)
        case = replace(case, version=moved.version, updated_at=now)
        if rung.effect is Effect.MOVE_ON and case.state == State.ASSIGNED:
            case = replace(case, route_again_at=now + MOVE_ON_WITHIN)
        part = _part(clock, parts)
        entry = _entry(case, clock, rung, part, now)
        case = replace(case, head=entry.hash)
        fired.history.append(entry)
        fired.escalations.append(_escalation(case, clock, rung, now))
        fired.news += _news(case, clock, rung, levels, part, now)
        clocks_of_case[clock.id] = go_on(
            replace(clock, fired_level=rung.level, rung_at=now), book, stood_still.get(clock.id, ())
        )
    if touched:
        if case.version != before:
            fired.cases.append(case)
        fired.clocks += [clocks_of_case[each] for each in sorted(touched)]


def _next_due(live: Iterable[CaseClock], now: datetime) -> CaseClock | None:
    due = [(c.next_fire_at, c.kind, c) for c in live if c.next_fire_at is not None and c.next_fire_at <= now]
    return min(due, key=lambda each: each[:2], default=(None, None, None))[2]


def _escalation(case: CaseRow, clock: CaseClock, rung: Rung, now: datetime) -> EscalationRow:
    assert clock.next_fire_at is not None  # noqa: S101 - it was due
    return EscalationRow(
        case_id=case.id,
        clock_id=clock.id,
        cycle=case.cycle,
        level=rung.level,
        effect=rung.effect,
        scheduled_at=clock.next_fire_at,
        fired_at=now,
        ladder=clock.ladder,
        ladder_edition=clock.ladder_edition,
    )


@dataclass(frozen=True)
class _Part:
    """Whose clock it is: a part's and its department's; both None for a clock of the whole case."""

    id: UUID | None = None
    department: str | None = None


def _part(clock: CaseClock, parts: Mapping[UUID, str]) -> _Part:
    return _Part() if clock.co_handling_id is None else _Part(clock.co_handling_id, parts[clock.co_handling_id])


def _entry(case: CaseRow, clock: CaseClock, rung: Rung, part: _Part, now: datetime) -> Entry:
    facts: dict[str, object] = {
        "clock": clock.kind,
        "clock_id": str(clock.id),
        "level": rung.level,
        "effect": rung.effect,
        "late_by_s": _late_by(clock, now),
    }
    if part.id is not None:
        facts |= {"part": str(part.id), "department": part.department}
    return chained(
        Entry(
            case_id=case.id,
            version=case.version,
            move=Move.ESCALATE,
            from_state=case.state,
            to_state=case.state,
            actor=SWEEPER.id,
            at=now,
            facts=facts,
            before=case.head,
        )
    )


def _news(
    case: CaseRow, clock: CaseClock, rung: Rung, levels: Mapping[str, str], part: _Part, now: datetime
) -> list[Announcement]:
    held = case.case().whereabouts().areas()  # nobody below the level that holds a case hears of it
    desk = case.desk_path[-1] if case.desk_path else None  # where its set is gone
    above = [(code, levels[code]) for code in held if code in levels]
    first, *others = [
        Heard(each.role, division_at(each.division_level, above) or desk, each.axis) for each in rung.hearings
    ]
    told: list[Announcement] = [
        CaseEscalated(
            **news_of(case, SWEEPER.id, now),
            clock_id=clock.id,
            clock=clock.kind,
            level=rung.level,
            effect=rung.effect,
            role=first.role,
            division=first.division,
            axis=first.axis,
            also=tuple(others),
            late_by_s=_late_by(clock, now),
            part_id=part.id,
            department=part.department,
        )
    ]
    if rung.effect is Effect.MOVE_ON and case.state == State.ASSIGNED and case.assignment_id is not None:
        told.append(CaseUnacknowledged(**news_of(case, SWEEPER.id, now), assignment_id=case.assignment_id))
    return told


def _late_by(clock: CaseClock, now: datetime) -> float:
    assert clock.next_fire_at is not None  # noqa: S101 - it was due
    return round((now - clock.next_fire_at).total_seconds(), 3)
