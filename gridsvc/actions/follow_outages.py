"""Clocks follow outages: what is approved is taken out of them, what is withdrawn is given back; both leave a trace.

The one place where it happens. After a step the sweeper goes through all cases in pages (a pass); while an outage runs
it looks in every round for clocks that have begun since; and before rungs fire, so that none fires that stands still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from events.catalog import Announcement, CaseAdjusted
from gridsvc.actions.news import news_of
from gridsvc.actions.recompute_clocks import bring_up_to_date
from gridsvc.db import Conn
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import OWNED, Actor, Clock, Move, Particulars, Party, State
from gridsvc.domain.clock import CaseClock, go_on, judged_anew
from gridsvc.domain.deadline import Pause
from gridsvc.domain.history import Entry, chained
from gridsvc.domain.outage import Outage, OutageState, Scene, stretch
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import calendars, cases, clocks, co_handlings, history, outages, outbox
from gridsvc.store.cases import CaseRow
from gridsvc.store.outages import IN_FLIGHT, OutageChange, Passing
from gridsvc.store.rulebook import rulebook

_SWEEPER: Final = Actor(worker=Party.SWEEPER)

_DONE: Final = frozenset({State.HANDLED, State.CLOSED})


async def follow_outages(conn: Conn, now: datetime, limit: int) -> int:
    """One page of a pass, else what has begun since the last look; how many cases a full page had, else 0.

    Runs in the caller's transaction as the service. A page that is lost is done again, and changes nothing twice.
    """
    passing = await outages.to_pass(conn, now)
    if passing is not None:
        return await _pass(conn, passing, now, limit)
    running = [each for each in await outages.running(conn, now) if each.looked_at is not None]
    found: set[UUID] = set()
    for each in running:
        assert each.looked_at is not None  # noqa: S101 - chosen so
        found.update(await outages.begun_since(conn, each.outage, each.looked_at - IN_FLIGHT, limit))
        await outages.looked(conn, each.outage, now)
    if found:
        await _follow(conn, sorted(found), [each.outage for each in running], now)
    return 0


async def _pass(conn: Conn, passing: Passing, now: datetime, limit: int) -> int:
    outage = passing.outage
    ids = await outages.touched_after(conn, outage, passing.after, now, limit)
    if ids:
        await _follow(conn, ids, [outage], now)
    begins = now if passing.after is None else None
    if len(ids) >= limit:
        await outages.passed(conn, outage, ids[-1], now, begins)
        return len(ids)
    await outages.passed(conn, outage, None, _next_pass(outage, now), begins)
    return 0


def _next_pass(outage: Outage, now: datetime) -> datetime | None:
    """When all is looked at once more: when it is over, and nothing that began in it is still under way."""
    if outage.state is not OutageState.APPROVED or outage.end is None:
        return None
    over = outage.end + IN_FLIGHT
    return over if over > now else None


async def _follow(conn: Conn, case_ids: Sequence[UUID], wanted: Sequence[Outage], now: datetime) -> None:
    locked = list((await cases.lock_many(conn, case_ids)).values())
    book = await rulebook(conn)
    live = await clocks.live(conn, [case.id for case in locked])
    stood_still = await clocks.pauses(conn, [clock.id for clock in live])
    locked, _ = await bring_up_to_date(conn, book, locked, live, stood_still, now)
    await follow(conn, book, locked, wanted, now)


@dataclass(frozen=True)
class _Touch:
    """What becomes of one clock because of one outage: `stands`, `moved` or `taken_back`, as the trace calls it."""

    outage: UUID
    what: str
    since: datetime
    tells: bool  # even where no deadline moves: whether the clock stands still has changed


@dataclass
class _Followed:
    """What outages make of the cases at hand; written at once at the end."""

    put: list[tuple[UUID, UUID, datetime, datetime | None]] = field(default_factory=list)
    removed: list[tuple[UUID, UUID]] = field(default_factory=list)
    clocks: list[tuple[CaseClock, CaseClock]] = field(default_factory=list)  # before and after
    touches: dict[UUID, list[_Touch]] = field(default_factory=dict)
    held: set[UUID] = field(default_factory=set)  # clocks of which nobody knows when they are due


async def follow(
    conn: Conn, book: Rulebook, locked: Sequence[CaseRow], wanted: Sequence[Outage], now: datetime
) -> list[CaseRow]:
    """The locked cases with every clock of theirs, stopped ones too, as these outages have it; the cases after."""
    ids = [case.id for case in locked]
    kept = await clocks.of_cases(conn, ids)
    stood_still = await clocks.pauses(conn, [clock.id for clock in kept])
    parts = await co_handlings.departments(conn, [c.co_handling_id for c in kept if c.co_handling_id is not None])
    had = await outages.had(conn, ids) if any(each.department for each in wanted) else {}
    scenes = {
        case.id: Scene(
            divisions=case.divisions, duty_line=case.duty_line, severity=case.severity, had=had.get(case.id, ())
        )
        for case in locked
    }
    by = await calendars.of_clocks(conn, book, [clock for clock in kept if clock.state == "stopped"])
    done = _Followed()
    for clock in kept:
        part = None if clock.co_handling_id is None else parts[clock.co_handling_id]
        pauses = _stretches(done, clock, scenes[clock.case_id], part, wanted, stood_still.get(clock.id, ()))
        if clock.id not in done.touches:
            continue
        stopped = clock.state == "stopped"
        after = judged_anew(clock, by.get(clock.id), pauses) if stopped else go_on(clock, book, pauses)
        if after != clock or any(each.tells for each in done.touches[clock.id]):
            done.clocks.append((clock, after))
            if any(each.outage and each.end is None and each.start < after.due_at for each in pauses):
                done.held.add(clock.id)
        # Else nothing of it was working time, and there is nothing to tell.
    await outages.put(conn, done.put)
    await outages.remove(conn, done.removed)
    await clocks.change(conn, [after for _, after in done.clocks])
    await outages.add_changes(
        conn,
        [
            OutageChange(
                clock_id=after.id, outage_id=touch.outage, changed_at=now, what=touch.what, due_at=after.due_at,
                before_due_at=before.due_at,
            )
            for before, after in done.clocks
            for touch in done.touches[after.id]
        ],
    )  # fmt: skip
    return await _told(conn, locked, done, now)


def _stretches(
    done: _Followed, clock: CaseClock, scene: Scene, part: str | None, wanted: Sequence[Outage], before: Sequence[Pause]
) -> list[Pause]:
    """The pauses of the clock as they are now; what changed of them is noted."""
    pauses = {each.outage: each for each in before if each.outage is not None}
    for outage in wanted:
        want, have = stretch(outage, scene, clock, part), pauses.get(outage.id)
        if want == have:
            continue
        was_open = have is not None and have.end is None
        if want is not None:
            pauses[outage.id] = want
            done.put.append((clock.id, outage.id, want.start, want.end))
            what = "stands" if want.end is None else "moved"
            touch = _Touch(outage.id, what, want.start, was_open or want.end is None)
        else:
            gone = pauses.pop(outage.id)
            done.removed.append((clock.id, outage.id))
            touch = _Touch(outage.id, "taken_back", gone.start, was_open)
        done.touches.setdefault(clock.id, []).append(touch)
    return [*(each for each in before if each.outage is None), *pauses.values()]


async def _told(conn: Conn, locked: Sequence[CaseRow], done: _Followed, now: datetime) -> list[CaseRow]:
    """A row of history and an announcement for every case of which a clock is another now."""
    moved: dict[UUID, list[tuple[CaseClock, CaseClock]]] = defaultdict(list)
    for before, after in done.clocks:
        moved[after.case_id].append((before, after))
    rows: dict[UUID, CaseRow] = {}
    entries: list[Entry] = []
    news: list[Announcement] = []
    for case in locked:
        if case.id not in moved:
            continue
        row = _adjusted(case, moved[case.id], done.held, now)
        entries.append(_entry(case, row, moved[case.id], done.touches, now))
        rows[case.id] = replace(row, head=entries[-1].hash)
        reasons = {touch.outage for _, clock in moved[case.id] for touch in done.touches[clock.id]}
        news.append(CaseAdjusted(**news_of(row, _SWEEPER.id, now), due_at=row.due_at, outages=tuple(sorted(reasons))))
    if rows:
        await cases.change(conn, list(rows.values()))
        await history.add(conn, entries)
        await outbox.append(conn, news, now)
    return [rows.get(case.id, case) for case in locked]


def _adjusted(
    case: CaseRow, moved: Sequence[tuple[CaseClock, CaseClock]], held: Collection[UUID], now: datetime
) -> CaseRow:
    """The case with its deadline: none while an outage without an end holds it, so that it is not called overdue.

    Late it stays, and becomes where what had been taken out is given back.
    """
    decided = decide(case.case(), Move.ADJUST, _SWEEPER, Particulars(), now)
    row = replace(case, version=decided.version, updated_at=now)
    for before, clock in moved:
        if clock.kind is not Clock.HANDLING or clock.cycle != case.cycle:
            continue
        too_late = clock.ended_at is not None and clock.ended_at > clock.due_at
        had_none = case.due_at is None and case.state in (_DONE if clock.state == "stopped" else OWNED)
        if had_none or case.due_at == before.due_at:
            row = replace(row, due_at=None if clock.id in held else clock.due_at)
        row = replace(row, late=row.late or too_late)
    return row


def _entry(
    case: CaseRow,
    after: CaseRow,
    moved: Sequence[tuple[CaseClock, CaseClock]],
    touches: Mapping[UUID, Sequence[_Touch]],
    now: datetime,
) -> Entry:
    told = [
        {
            "clock": str(clock.kind),
            "clock_id": str(clock.id),
            "outage": str(touch.outage),
            "what": touch.what,
            "since": touch.since.isoformat(),
            "due_at": clock.due_at.isoformat(),
            "before_due_at": before.due_at.isoformat(),
        }
        for before, clock in moved
        for touch in touches[clock.id]
    ]
    return chained(
        Entry(
            case_id=after.id,
            version=after.version,
            move=Move.ADJUST,
            from_state=case.state,
            to_state=after.state,
            actor=_SWEEPER.id,
            at=now,
            facts={"clocks": told},
            before=case.head,
        )
    )
