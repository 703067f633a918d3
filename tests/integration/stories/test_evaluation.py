"""A year of a small city is counted twice, by the tables and by the history alone, and both say the same."""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from events.catalog import CaseNews
from events.codec import decode
from geo.place import Place
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.declare_outage import declare_outage
from gridsvc.actions.escalate_case import fire_due_rungs
from gridsvc.actions.evaluate_work import disagreements, evaluate
from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.actions.follow_grid import follow_grid
from gridsvc.actions.follow_outages import follow_outages
from gridsvc.actions.move_case import move_case
from gridsvc.actions.move_cases import Wanted, move_cases
from gridsvc.actions.resume_cases import resume_cases
from gridsvc.actions.self_handle import self_handle
from gridsvc.actions.step_outage import step_outage
from gridsvc.actions.undo_bulk import undo_bulk
from gridsvc.actions.verify_city import broken_chains, broken_invariants
from gridsvc.actions.widen_calls import widen_calls
from gridsvc.commands import evaluate as evaluate_command
from gridsvc.db import SERVICE, Conn, ConnPool, act_as_service, act_for, open_pool, transaction
from gridsvc.domain.access import Caller, Grant, Role, scope_keys
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case import MOVES
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import Actor, AtVersion, Move, Particulars, Party, Pool, State
from gridsvc.domain.evaluation import COUNTS, MARKED, Asked, By, Period, Scope, cut
from gridsvc.domain.outage import Step, Told
from gridsvc.domain.reasons import RESULTS
from gridsvc.domain.report import Claim, Report
from gridsvc.errors import GridError, SetupError
from gridsvc.ids import new_id
from gridsvc.migrate import migrations
from gridsvc.store import cases, outages
from gridsvc.store.cases import CaseRow
from gridsvc.store.numbers import NumberBlocks
from tests.integration.api.conftest import settings_for
from tests.integration.small_city import (
    CITY,
    DISTRICT,
    SOUTH,
    STEP,
    STREET,
    WEST,
    found_small_city,
    person,
    photographed,
)
from tests.servers import FreshDatabase, SessionServers

ZONE: Final = ZoneInfo("Asia/Shanghai")
BEGIN: Final = datetime(2026, 1, 1, tzinfo=ZONE).astimezone(UTC)
END: Final = datetime(2027, 1, 1, tzinfo=ZONE).astimezone(UTC)
_UNTROUBLED: Final = timedelta(days=14)
"""At the beginning of the year, when everything could work."""
CASES: Final = 300

_TOGETHER: Final = (Move.ASSIGN, Move.SUSPEND, Move.EXTEND, Move.REMIND)
"""What is done to several cases at once, and undone."""

_AFTER_AN_UNDOING: Final = ("returned after an undoing", "undone into the pool")

_OTHER_STREET = """
WITH street AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
  SELECT grid_set_id, v.code, v.code, v.level, v.parent, divisions.path || v.path, 1e5
    FROM divisions, (VALUES ('620102002', 'street', '620102', '{620102002}'::text[]),
                            ('620102002001', 'community', '620102002', '{620102002,620102002001}')
                    ) AS v (code, level, parent, path)
   WHERE divisions.code = '620102'
)
UPDATE cells SET division_code = '620102002001' WHERE right(code, 3) IN ('007', '008', '009')
"""

# The last set once more, its cells dealt anew to the two streets and the beats B1 and B2.
_REDRAWN = """
WITH last AS (
  SELECT max(id) AS id FROM grid_sets
), a_set AS (
  INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
  VALUES ($1::timestamptz::text, 'published', '6+3+3+3', $1, $1) RETURNING id
), tree AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
  SELECT a_set.id, d.code, d.name, d.level, d.parent_code, d.path, d.area_m2
    FROM a_set, last, divisions d WHERE d.grid_set_id = last.id
), ground AS (
  INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
  SELECT a_set.id, c.code, CASE WHEN c.code = ANY ($2::text[]) THEN '620102002001' ELSE '620102001001' END,
         c.area_m2, c.outline
    FROM a_set, last, cells c WHERE c.grid_set_id = last.id
), walked AS (
  INSERT INTO beats (grid_set_id, duty_line, code, division_code)
  SELECT a_set.id, l.code, b.code, '620102' FROM a_set, duty_lines l, unnest(ARRAY['B1', 'B2']) AS b (code)
)
INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
SELECT a_set.id, l.code, c.code, CASE WHEN c.code = ANY ($2::text[]) THEN 'B2' ELSE 'B1' END
  FROM a_set, last, duty_lines l, cells c WHERE c.grid_set_id = last.id
"""

# How often each move is tried when its state allows it; one that is refused leaves nothing.
_OFTEN: Final[dict[Move, int]] = {
    Move.ACCEPT: 30, Move.START: 20, Move.HAND_IN: 30, Move.CLOSE: 24, Move.FILE: 24, Move.ASSIGN: 14,
    Move.FORWARD: 14, Move.CORRECT: 6, Move.REJECT: 3, Move.REWORK: 6, Move.SEND_BACK: 20, Move.RETURN: 4,
    Move.REOPEN: 2, Move.APPEAL: 8, Move.SETTLE_APPEAL: 20, Move.SUSPEND: 3, Move.RESUME: 4, Move.EXTEND: 4,
    Move.CANCEL: 1, Move.MERGE: 2, Move.UNMERGE: 3, Move.SEND_CHECK: 4, Move.CHECK: 20, Move.SUPERVISE: 2,
    Move.REPLY: 10, Move.REFER_UP: 3, Move.HAND_DOWN: 6, Move.LOCATE: 10, Move.REMIND: 1, Move.NOTE: 1,
    Move.LINK: 2, Move.UNLINK: 2, Move.CO_ASSIGN: 6, Move.CO_HAND_IN: 6, Move.CO_DECLINE: 12, Move.CO_CALL_OFF: 15,
    Move.ANSWER: 10, Move.DECLINE: 60,
}  # fmt: skip


@dataclass
class Year:
    """A seeded year: what comes and who does what next is dealt; what comes of it, the real actions say."""

    pool: ConnPool
    numbers: NumberBlocks
    people: list[Caller]
    codes: dict[str, str]
    other: str  # a department that is asked for parts
    chief: Caller  # who approves outages
    now: datetime = BEGIN
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    ids: list[UUID] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    waits_long: UUID | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # of outages: the rest stays as it was
    outages: list[UUID] = field(default_factory=list)
    phones: random.Random | None = None  # of what is told later, once the dealt year begins
    conn: Conn = field(init=False)  # of the transaction that is under way

    async def play(self) -> None:
        """Busy hours, in which things happen every few minutes, and quiet days between them, in which limits pass.

        One transaction for each: in a single one no version of a row that has passed could be cleared away.
        """
        async with transaction(self.pool) as (self.conn, _):
            await self._handed_over()
            await self._appealed()
            await self._seldom()
        self.phones = random.Random(9)
        steps, busy = CASES * 13, 40
        quiet_s = (END - BEGIN).total_seconds() * busy / steps - busy * 300
        for begin in range(0, steps, busy):
            async with transaction(self.pool) as (self.conn, _):
                for number in range(begin, min(begin + busy, steps)):
                    seconds = quiet_s if number % busy == busy - 1 else self.rng.uniform(20, 580)
                    self.now += timedelta(seconds=seconds, microseconds=1)
                    await self._step(number)
                    if number == steps - busy - 5:
                        await self._suspend_beyond_the_year()
                    if number % (steps // 6) == steps // 12:
                        await self._redraw()
        async with transaction(self.pool) as (self.conn, _):
            await self._follow()

    async def _step(self, number: int) -> None:
        if number % 13 == 0:
            await self._report()
        elif number % 13 == 6:
            await act_as_service(self.conn)
            await resume_cases(self.conn, self.now, 50)
            while await follow_outages(self.conn, self.now, 20):
                self.made["outage pages"] += 1
            await fire_due_rungs(self.conn, self.now, 50)
            await widen_calls(self.conn, self.now, 50)
            await self._follow()
        elif number % 13 == 9:
            if number % 4 == 1:
                await self._outage()
            await self._set_piece(number // 13)
        else:
            await self._move()

    async def _redraw(self) -> None:
        """Another grid set is in force, in which some cells are another street's and another beat's."""
        await act_as_service(self.conn)
        codes = [f"620102001001{nth:03}" for nth in self.rng.sample(range(1, 10), 4)]
        await self.conn.execute(_REDRAWN, self.now, codes)

    async def _follow(self) -> None:
        await act_as_service(self.conn)
        while (page := await follow_grid(self.conn, self.now, 20)).looked_at:
            self.made["regrid"] += page.cases
            self.made["rerouted"] += page.rerouted

    async def _handed_over(self) -> None:
        """On the first day cases go from officer to officer: to a colleague, or by routing when one has left.

        With dice of its own, and over before the year begins to be dealt.
        """
        dealt, self.rng = self.rng, random.Random(2)
        desk, dispatcher = self._one(Role.ACCEPTOR), self._one(Role.DISPATCHER)
        for number in range(8):
            case_id = await self._new("officer")
            await self._route(await self._case(case_id))
            await self._through(case_id, await self._owner(case_id), *(Move.ACCEPT, Move.START)[: number % 3])
            if number % 2:
                case = await self._case(case_id)
                colleague = next(
                    each.user_id for each in self.people
                    if Role.OFFICER in each.roles and each.user_id != case.officer_id
                )  # fmt: skip
                said = Particulars(officer=colleague, note="x")
                await self._made(case, Move.HAND_OVER, await self._owner(case_id), said)
            if number % 4 < 2:
                await self._through(case_id, dispatcher, Move.RELIEVE)
                await self._route(await self._case(case_id))
            if number == 7:
                await self._through(case_id, await self._owner(case_id), Move.RETURN)
                continue
            await self._through(case_id, await self._owner(case_id), Move.ACCEPT, Move.HAND_IN)
            await self._through(case_id, desk, Move.CLOSE)
        self.ids.clear()
        self.rng = dealt

    async def _appealed(self) -> None:
        """In the first days a case is handed in too late; its department asks for that to be left out, and it is."""
        dealt, self.rng = self.rng, random.Random(4)
        handler, supervisor = self._one(Role.HANDLER), self._one(Role.SUPERVISOR)
        case_id = await self._new("department")
        await self._route(await self._case(case_id))
        await self._through(case_id, handler, Move.ACCEPT)
        due_at = (await self._case(case_id)).due_at
        assert due_at is not None
        self.now = max(self.now, due_at)
        await self._through(case_id, handler, Move.HAND_IN)
        await self._through(case_id, self._one(Role.ACCEPTOR), Move.CLOSE)
        await self._through(case_id, handler, Move.APPEAL)
        granted = Particulars(result="granted")
        await self._made(await self._case(case_id), Move.SETTLE_APPEAL, supervisor, granted)
        assert (await self._case(case_id)).appeal == "granted"
        assert self.now < BEGIN + _UNTROUBLED, "no outage reaches back to it: late it stays"
        self.ids.clear()
        self.rng = dealt

    async def _seldom(self) -> None:
        """In the first days too: what the dice of some years never bring."""
        desk, dispatcher, handler = (self._one(role) for role in (Role.ACCEPTOR, Role.DISPATCHER, Role.HANDLER))
        dealt, self.rng = self.rng, random.Random(3)
        waters = [each for each in self.people if any(g.department == "water" for g in each.grants)]
        head = next(each for each in waters if each is not handler)
        helper = next(each for each in self.people if any(g.department == self.other for g in each.grants))
        done, held, one, other = [await self._new("department") for _ in range(4)]
        for each in (done, held):
            await self._route(await self._case(each))
        await self._through(done, handler, Move.ACCEPT)
        await self._through(done, dispatcher, Move.REMIND, Move.CO_ASSIGN, Move.CO_CALL_OFF, Move.CO_ASSIGN)
        await self._through(done, helper, Move.CO_DECLINE)
        await self._through(done, handler, Move.HAND_IN)
        await self._through(done, head, Move.SEND_BACK)
        await self._through(done, handler, Move.ACCEPT, Move.HAND_IN)
        await self._through(done, desk, Move.CLOSE)
        for move, division in ((Move.REFER_UP, DISTRICT), (Move.HAND_DOWN, STREET)):
            reason = "x" if move is Move.REFER_UP else None
            said = Particulars(reason=reason, division=division)
            await self._made(await self._case(held), move, dispatcher, said)
        await self._made(await self._case(one), Move.MERGE, desk, Particulars(into=other))
        await self._through(one, desk, Move.UNMERGE)
        wanted = {Move.CO_CALL_OFF, Move.CO_DECLINE, Move.SEND_BACK, Move.HAND_DOWN, Move.UNMERGE}
        assert {move for move in wanted if not self.made[str(move)]} == set()
        self.ids.clear()
        self.rng = dealt

    async def _owner(self, case_id: UUID) -> Caller:
        case = await self._case(case_id)
        return next(each for each in self.people if each.user_id == case.officer_id)

    async def _suspend_beyond_the_year(self) -> None:
        """What is suspended now stands still when the year is judged, its limit long past."""
        by = self._one(Role.DISPATCHER)
        for _ in range(6):
            await self._report("department")
            await self._route(await self._case(self.ids[-1]))
            said = Particulars(reason="x", until=END + timedelta(days=30))
            await self._made(await self._case(self.ids[-1]), Move.SUSPEND, by, said)

    async def _outage(self) -> None:
        """Something could not work, in the last days, or still; others that are under way end, or never were."""
        await act_as_service(self.conn)
        supervisor, chance = self._one(Role.SUPERVISOR), self.chance
        began = max(self.now - timedelta(hours=chance.uniform(1, 300)), BEGIN + _UNTROUBLED)
        open_ = chance.random() < 0.4
        told = Told(
            reason="network_down", words="", division=chance.choice([DISTRICT, STREET]), duty_line=None,
            department=chance.choice([None, "water", "water"]), kinds=(), also_emergencies=chance.random() < 0.5,
            start=began, end=None if open_ else began + timedelta(hours=chance.uniform(2, 200)),
        )  # fmt: skip
        made = await declare_outage(self.conn, told, supervisor, self.now)
        settled = Step.APPROVE if chance.random() < 0.85 else Step.REFUSE
        await step_outage(self.conn, made.id, settled, self.chief, 1, "", None, self.now)
        self.made[f"outage {settled}"] += 1
        if settled is Step.APPROVE:
            self.outages.append(made.id)
        for each in list(self.outages):
            outage = await outages.read(self.conn, each)
            assert outage is not None
            step = chance.choice([Step.END, Step.END, Step.WITHDRAW, None, None])
            if step is None or each == made.id:
                continue
            until = max(self.now, outage.start + timedelta(hours=1)) if outage.end is None else outage.end
            await step_outage(self.conn, each, step, self.chief, outage.version, "", until, self.now)
            self.made[f"outage {step}"] += 1
            self.outages.remove(each)

    async def _set_piece(self, number: int) -> None:
        """What seldom comes of itself, because several things must come together."""
        if number % 3 == 0:
            cases_ = [await self._case(each) for each in self.rng.sample(self.ids[-12:], min(4, len(self.ids)))]
            await self._together(self.rng.choice(_TOGETHER), cases_, undone=self.rng.random() < 0.7)
        elif number % 20 == 7:
            await self._with_its_cause()
        elif number % 20 == 17:
            await self._taken_and_given_again()
        elif number % 20 == 13:
            await self._given_from_the_pool()
        elif number % 10 == 5:
            await self._report("alarm")
        else:
            await self._move()

    async def _together(self, move: Move, at: list[CaseRow], *, undone: bool) -> int:
        """One move on several cases; answers for how many it was undone. What is refused is left alone."""
        by = self._one(Role.DISPATCHER)
        said = await self._said(at[0], move, by)
        wanted = [Wanted(each.id, AtVersion(each.version)) for each in at]
        made = await move_cases(self.conn, wanted, move, by, said, self.numbers, self.now)
        self.made[f"bulk {move}"] += sum(isinstance(each, CaseRow) for each in made.outcomes)
        if undone:
            self.now += timedelta(seconds=self.rng.uniform(20, 300))
            _, outcomes = await undo_bulk(self.conn, made.id, by, self.now)
            number = sum(each.refused is None for each in outcomes)
            self.made[f"undo {move}"] += number
            return number
        return 0

    async def _with_its_cause(self) -> None:
        """One case that somebody had handled already, one that somebody had and one that nobody had, with a cause."""
        desk, handler = self._one(Role.ACCEPTOR), self._one(Role.HANDLER)
        cause, reworked, had, fresh = [await self._new("department") for _ in range(4)]
        for each in (cause, reworked, had):
            await self._route(await self._case(each))
        await self._through(reworked, handler, Move.ACCEPT, Move.HAND_IN)
        await self._through(reworked, desk, Move.REWORK)
        for each in (reworked, had, fresh):
            await self._made(await self._case(each), Move.LINK, desk, Particulars(cause=cause))
        await self._through(cause, handler, Move.ACCEPT, Move.HAND_IN)
        await self._through(cause, desk, Move.CLOSE)
        for each in (reworked, had, fresh):
            assert (await self._case(each)).state == State.HANDLED
            self.made["follow"] += 1
        await self._through(reworked, desk, Move.CLOSE)
        await self._through(had, desk, self.rng.choice([Move.CLOSE, Move.UNLINK]))
        await self._through(fresh, desk, Move.CLOSE)

    async def _taken_and_given_again(self) -> None:
        """A slip of the desk takes a case, twice; who has it again gives it back."""
        case_id = await self._new("department")
        await self._route(await self._case(case_id))
        await self._through(case_id, self._one(Role.HANDLER), Move.ACCEPT)
        for _ in range(2):
            await self._together(Move.ASSIGN, [await self._case(case_id)], undone=True)
        await self._through(case_id, self._one(Role.HANDLER), Move.RETURN)
        self.made["returned after an undoing"] += (await self._case(case_id)).returned_by is not None

    async def _given_from_the_pool(self) -> None:
        """A case that somebody had waits again; weeks later a slip of the desk gives it away, and it waits on."""
        if self.waits_long is not None:
            case = await self._case(self.waits_long)
            self.made["undone into the pool"] += await self._together(Move.ASSIGN, [case], undone=True)
        desk, cause, case_id = self._one(Role.ACCEPTOR), await self._new("department"), await self._new("department")
        await self._route(await self._case(case_id))
        await self._through(case_id, self._one(Role.HANDLER), Move.ACCEPT)
        await self._made(await self._case(case_id), Move.LINK, desk, Particulars(cause=cause))
        await self._through(case_id, desk, Move.UNLINK)
        self.ids.remove(case_id)
        self.waits_long = case_id

    async def _through(self, case_id: UUID, by: Caller, *moves: Move) -> None:
        for move in moves:
            self.now += timedelta(seconds=self.rng.uniform(20, 580))
            case = await self._case(case_id)
            await self._made(case, move, by, await self._said(case, move, by))

    async def _new(self, kind: str) -> UUID:
        await self._report(kind)
        return self.ids[-1]

    def _one(self, role: Role) -> Caller:
        return next(each for each in self.people if role in each.roles)

    async def _case(self, case_id: UUID) -> CaseRow:
        await act_as_service(self.conn)
        case = await cases.lock(self.conn, case_id)
        assert case is not None
        return case

    async def _made(self, case: CaseRow, move: Move, by: Caller, said: Particulars) -> None:
        """Make a move that may be refused; then nothing has happened."""
        try:
            async with self.conn.transaction():
                await act_for(self.conn, scope_keys(by))
                claimed = self._told_later()
                await move_case(
                    self.conn, case.id, move, Actor(by), said, AtVersion(case.version), self.numbers, self.now, claimed
                )
        except GridError:
            return
        self.made[str(move)] += 1
        self.made["told later"] += claimed is not None

    def _told_later(self) -> Claimed | None:
        """Some moves are told by a phone that had no network, hours after they were made."""
        if self.phones is None or self.phones.random() > 0.3:
            return None
        return Claimed(at=self.now - timedelta(hours=self.phones.uniform(0, 30)), skew=timedelta())

    async def _report(self, kind: str | None = None) -> None:
        by = self.rng.choice(self.people)
        source = "officer" if Role.OFFICER in by.roles else "staff"
        wanted, kind = kind, kind or self.rng.choice(["officer", "department", "desk", "self", "nowhere"])
        place = Place(WEST + self.rng.random() * 3 * STEP, SOUTH + self.rng.random() * 3 * STEP)
        if kind == "self":
            await self._self_handled(place)
            return
        nowhere = kind == "nowhere" and source == "staff"
        said = Report(
            id=new_id(), case_id=new_id(), source=source, reported_by=by.id,
            category=self.codes["desk" if kind == "nowhere" else kind], description="x",
            address="somewhere" if nowhere else "", place=None if nowhere else place,
            claim=None if nowhere else Claim(place.lon, place.lat, "wgs84"), occurred_at=None,
            evidence=(await self._photograph(by),), desk=DISTRICT if nowhere else None,
            exercise=source == "staff" and wanted is None and self.rng.random() < 0.2,
        )  # fmt: skip
        await act_as_service(self.conn)
        [taken] = await file_reports(self.conn, [said], self.numbers, self.now)
        assert isinstance(taken, Taken), taken
        self.made["report"] += 1
        self.ids.append(taken.case.id)

    async def _self_handled(self, place: Place) -> None:
        by = next(each for each in self.people if Role.OFFICER in each.roles)
        said = Report(
            id=new_id(), case_id=new_id(), source="officer", reported_by=by.id, category=self.codes["officer"],
            description="x", address="", place=place, claim=Claim(place.lon, place.lat, "wgs84"), occurred_at=None,
            evidence=(), desk=None,
        )  # fmt: skip
        both = Particulars(before=(await self._photograph(by),), evidence=(await self._photograph(by),))
        try:
            async with self.conn.transaction():
                taken = await self_handle(self.conn, said, by, both, self.numbers, self.now)
        except GridError:  # not his street
            return
        self.made["self_handle"] += 1
        self.ids.append(taken.case.id)

    async def _move(self) -> None:
        lately = self.ids[-12:] if self.rng.random() < 0.85 else self.ids[-60:]
        case = await self._case(self.rng.choice(lately))
        if case.pool == Pool.ROUTING:
            await self._route(case)
            return
        can = [move for move, rule in MOVES.items() if case.state in rule.before and move in _OFTEN]
        if not can or (case.state == State.MERGED and self.rng.random() < 0.8):
            return
        waiting = self._waiting(case)
        if waiting in can and self.rng.random() < 0.7:
            move = waiting
        else:
            [move] = self.rng.choices(can, [_OFTEN[each] for each in can])
        by = self._somebody(case, move)
        await self._made(case, move, by, await self._said(case, move, by))

    def _waiting(self, case: CaseRow) -> Move | None:
        """What somebody was asked for, so that it is seldom forgotten."""
        if case.suspended:
            return Move.RESUME if self.rng.random() < 0.2 else None
        if case.checker_id is not None:
            return Move.CHECK
        if case.order_id is not None:
            return Move.REPLY
        if case.returned_by is not None:
            return Move.FORWARD
        if case.call_for == "owner":
            return Move.ANSWER
        if case.co_open and self.rng.random() < 0.4:
            return Move.CO_HAND_IN
        if case.late and case.appeal is None:
            return Move.APPEAL
        return Move.SETTLE_APPEAL if case.appeal == "open" else None

    async def _route(self, case: CaseRow) -> None:
        bodies = await self.conn.fetch("SELECT body FROM outbox WHERE case_id = $1 ORDER BY seq DESC", case.id)
        heard = [decode(row["body"]) for row in bodies]
        wanted = {
            "case.filed",
            "case.waiting",
            "case.unacknowledged",
            "case.reopened",
            "case.corrected",
            "case.unlinked",
            "case.undone",
            "case.relieved",
        }
        news = next(each for each in heard if isinstance(each, CaseNews) and each.TYPE in wanted)
        await assign_cases(self.conn, [news], self.now)
        self.made["route"] += 1

    def _somebody(self, case: CaseRow, move: Move) -> Caller:
        by = MOVES[move].by
        if Party.CHECKER in by:
            return next((each for each in self.people if each.user_id == case.checker_id), self.people[0])
        if Party.CALLED in by:
            return next((each for each in self.people if each.user_id in case.called), self.people[0])
        if Party.CO_OWNER in by:
            return next(each for each in self.people if any(g.department == self.other for g in each.grants))
        if Party.OWNER in by and self.rng.random() < 0.9:
            return next(
                (
                    each
                    for each in self.people
                    if each.user_id == case.officer_id
                    or any(g.role is Role.HANDLER and g.department == case.department for g in each.grants)
                ),
                self.people[0],
            )
        fit = [
            each for each in self.people
            if each.roles & by or (Party.DEPARTMENT in by and any(g.department == case.department for g in each.grants))
        ]  # fmt: skip
        return self.rng.choice(fit or self.people)

    async def _said(self, case: CaseRow, move: Move, by: Caller) -> Particulars:
        rule = MOVES[move]
        said: dict[str, Any] = {"reason": "x"} if "reason" in rule.needs else {}
        if "evidence" in rule.needs:
            said["evidence"] = (await self._photograph(by),)
        if move in {Move.ASSIGN, Move.FORWARD}:
            officers = [each.user_id for each in self.people if Role.OFFICER in each.roles]
            said |= {"department": "water"} if self.rng.random() < 0.5 else {"officer": self.rng.choice(officers)}
        if move is Move.CO_ASSIGN:
            said |= {"department": self.other, "wanted": "x"}
        if move is Move.CO_CALL_OFF:
            said |= {"department": self.other}
        if move is Move.CO_HAND_IN:
            said |= {"evidence": (await self._photograph(by),)}
        if move is Move.LINK:
            said |= {"cause": self.rng.choice(self.ids[-9:])}
        if move is Move.CORRECT:
            said |= {"category": self.rng.choice(list(self.codes.values()))} if self.rng.random() < 0.5 else {}
            said |= {"location": Place(WEST + self.rng.random() * 3 * STEP, SOUTH + self.rng.random() * 3 * STEP)}
        if move is Move.LOCATE:
            said |= {"location": Place(WEST + self.rng.random() * 3 * STEP, SOUTH + self.rng.random() * 3 * STEP)}
        if move in {Move.REFER_UP, Move.HAND_DOWN} and case.divisions:
            said |= {"division": self.rng.choice(case.divisions)}
        if move is Move.SUSPEND:
            said |= {"until": self.now + timedelta(days=self.rng.uniform(1, 150))}
        if move is Move.MERGE:
            said |= {"into": self.rng.choice(self.ids)}
        if move is Move.CHECK:
            said |= {"result": self.rng.choice(RESULTS[CHECKS[State(case.state)]]).code}
        if move is Move.SETTLE_APPEAL:
            said |= {"result": self.rng.choice(["granted", "refused"])}
        if move in {Move.REPLY, Move.CO_HAND_IN}:
            said |= {"reply": "x"}
        if move is Move.NOTE:
            said |= {"note": "x"}
        return Particulars(**said)

    async def _photograph(self, by: Caller) -> UUID:
        return await photographed(self.conn, by.id)


@dataclass(frozen=True)
class Played:
    """The city after its year."""

    pool: ConnPool
    url: str
    made: Counter[str]


@pytest.fixture(scope="module")
def database_of_the_year(session_servers: SessionServers) -> Any:
    fresh = session_servers.fresh_database()
    yield fresh
    session_servers.drop_database(fresh)


@pytest.fixture(scope="module")
async def played(database_of_the_year: FreshDatabase) -> AsyncIterator[Played]:
    url = database_of_the_year.url
    async with open_pool(url, scope=SERVICE, size=2, name="year") as pool, open_pool(url, size=2) as numbers:
        async with transaction(pool) as (conn, _):
            city = await found_small_city(conn)
            await conn.execute(_OTHER_STREET)
            head = await person(conn, "head", Grant(role=Role.SUPERVISOR, division=CITY, department="water"))
            other = str(await conn.fetchval("SELECT min(code) FROM departments WHERE code <> 'water'"))
            chief = await person(conn, "chief", Grant(role=Role.ADMIN, division=CITY))
            helper = await person(conn, "helper", Grant(role=Role.HANDLER, division=CITY, department=other))
            codes = {
                name: str(await conn.fetchval(sql))
                for name, sql in {
                    "officer": "SELECT min(code) FROM categories WHERE handled_by = 'officer' AND files_itself"
                    " AND duty_line = 'social' AND severity IN ('low', 'normal') AND attributes = '{}'",
                    "department": "SELECT min(code) FROM categories WHERE department = 'water' AND files_itself",
                    "desk": "SELECT min(code) FROM categories WHERE handled_by = 'officer' AND NOT files_itself"
                    " AND duty_line = 'social'",
                    "alarm": "SELECT min(code) FROM categories WHERE handled_by = 'officer' AND files_itself"
                    " AND duty_line = 'social' AND severity = 'emergency'",
                }.items()
            }
            await conn.execute("INSERT INTO officer_beats VALUES ($1, 'social', 'B2')", city.officers[2].user_id)
        people = [*city.officers, city.dispatcher, city.acceptor, city.supervisor, city.handler, head, helper]
        year = Year(pool, NumberBlocks(numbers), people, codes, other, chief)
        await year.play()
        yield Played(pool, url, year.made)


def asked(by: By, period: Period = Period.MONTH, **more: Any) -> Asked:
    """The report of the year, asked for at its end by somebody who may see everything."""
    return Asked(
        edges=cut(date(2026, 1, 1), date(2027, 1, 1), period, ZONE), by=by,
        **{"now": END, "scope": Scope(everything=True), **more},
    )  # fmt: skip


async def test_the_year_saw_every_move_that_counts(played: Played) -> None:
    """So that the tests below cannot pass because nothing ever happened."""
    # No figure hangs on the declining, and what is extended is seen in the pages that are.
    seldom = {Move.DECLINE, Move.CO_DECLINE, Move.EXTEND}
    assert {str(move) for move in _OFTEN.keys() - seldom} - set(played.made) == set()
    assert (played.made["hand_over"], played.made["relieve"]) == (4, 4)
    together = {f"{done} {move}" for done in ("bulk", "undo") for move in _TOGETHER}
    of_itself = ("follow", "regrid", "rerouted", "told later")
    assert {name for name in (*together, *of_itself, *_AFTER_AN_UNDOING) if not played.made[name]} == set()
    steps = {f"outage {step}" for step in (Step.APPROVE, Step.REFUSE, Step.END, Step.WITHDRAW)}
    assert {step for step in steps if not played.made[step]} == set()
    assert played.made["report"] + played.made["self_handle"] >= CASES * 0.9


async def test_the_ledger_of_the_year_balances(played: Played) -> None:
    async with transaction(played.pool, snapshot=True) as (conn, _):
        assert (await broken_invariants(conn), await broken_chains(conn)) == ({}, [])


@pytest.mark.parametrize("by", [By.AREA, By.DEPARTMENT, By.POST, By.OFFICER])
async def test_tables_and_history_agree_in_every_figure_of_every_group_and_month(played: Played, by: By) -> None:
    async with transaction(played.pool) as (conn, _):
        assert await disagreements(conn, asked(by)) == []
        # In the middle of the year some of what happened later is known already; both must see it alike.
        assert await disagreements(conn, asked(by, Period.WEEK, now=BEGIN + timedelta(days=190))) == []


async def test_every_count_is_made_by_the_year_and_every_indicator_is_between_nought_and_all(played: Played) -> None:
    async with transaction(played.pool) as (conn, _):
        items = [
            item for by in (By.CITY, By.DEPARTMENT, By.POST, By.OFFICER)
            for item in await evaluate(conn, asked(by, Period.WHOLE))
        ]  # fmt: skip
    assert {code for code in COUNTS if not any(item.counts.get(code) for item in items)} == set()
    for item in items:
        for value in item.values:
            if value.value is not None and not value.indicator.endswith("hours"):
                assert 0 <= value.value <= 100, (item.code, value)


async def test_the_migration_reads_the_same_marks_out_of_the_history_as_the_moves_left(played: Played) -> None:
    """A city that is already running begins with them."""
    sql = next(each for each in migrations() if each.name.endswith("_evaluation.sql")).sql
    told = sql[sql.index("SELECT h.case_id") : sql.index(";", sql.index("SELECT h.case_id"))]
    async with transaction(played.pool) as (conn, _):
        from_history = {tuple(row) for row in await conn.fetch(told)}
        kept = {tuple(row) for row in await conn.fetch(
            "SELECT case_id, version, cycle, mark, at, assignment_id FROM case_marks")}  # fmt: skip
    assert from_history == kept
    assert {row[3] for row in kept} == set(MARKED.values())


async def test_a_figure_that_was_tampered_with_is_found(played: Played) -> None:
    """Either side can be wrong: a table that was edited, a mark that is missing."""
    for damage in (
        "UPDATE assignments SET ended_why = 'returned' WHERE id = (SELECT min(id::text)::uuid FROM assignments"
        " WHERE ended_why = 'closed')",
        "UPDATE clocks SET stopped_at = due_at + interval '1 day' WHERE id = (SELECT min(id::text)::uuid FROM clocks"
        " WHERE kind = 'pool' AND stopped_at < due_at)",
        "UPDATE cases SET filed_at = filed_at + interval '40 days' WHERE id = (SELECT min(id::text)::uuid FROM cases"
        " WHERE filed_at IS NOT NULL AND NOT self_handled)",
    ):
        async with played.pool.acquire() as conn:
            undone = conn.transaction()
            await undone.start()
            assert await conn.execute(damage) != "UPDATE 0", damage
            assert await disagreements(conn, asked(By.AREA)) != [], damage
            await undone.rollback()


async def test_the_command_prints_writes_and_verifies(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(*words: str) -> int:
        parser = argparse.ArgumentParser()
        evaluate_command.add(parser.add_subparsers())
        year = ["evaluate", "--from", "2026-01-01", "--to", "2027-01-01"]
        return await evaluate_command.run(parser.parse_args([*year, *words]), settings_for(played.url))

    assert await command("--by", "street", "--period", "quarter", "--verify") == 0
    told = capsys.readouterr().out
    assert "2026-04-01 – 2026-07-01  street 620102001 张掖路街道: 立案率 " in told
    assert told.endswith("tables and history agree in every figure\n")
    out = tmp_path / "officers.xlsx"
    assert await command("--by", "officer", "--out", str(out), "--headings", "en") == 0
    head, *rows = CalamineWorkbook.from_path(out).get_sheet_by_index(0).to_python()
    assert (head[0], len(rows), all(isinstance(row[0], str) for row in rows)) == ("code", 3, True)
    with pytest.raises(SetupError, match="cannot be written"):
        await command("--out", str(out))
    assert await command("--out", str(tmp_path / "officers.pdf")) == 2


async def test_the_query_sees_what_the_rule_of_scope_sees(played: Played) -> None:
    """A street's supervisor, a department's head, a duty line's auditor, an officer, and who is two of them."""
    async with transaction(played.pool) as (conn, _):
        officer = await conn.fetchval("SELECT officer_id FROM checks WHERE result IS NOT NULL LIMIT 1")
        head = Grant(role=Role.SUPERVISOR, division=CITY, department="water")
        street = Grant(role=Role.SUPERVISOR, division=STREET)
        line = Grant(role=Role.AUDITOR, division=DISTRICT, duty_line="social")
        alone = (Scope((head,)), Scope((street,)), Scope((line,)), Scope(own=officer))
        for scope in (*alone, Scope((street, head), officer)):
            for by in (By.AREA, By.DEPARTMENT, By.POST, By.OFFICER):
                assert await disagreements(conn, asked(by, scope=scope)) == [], (scope, by)
        whole, his = [
            {item.code: item for item in await evaluate(conn, asked(By.DEPARTMENT, Period.WHOLE, scope=scope))}["water"]
            for scope in (Scope(everything=True), Scope((head,)))
        ]
    assert his == whole, "what was given back is out of his sight, and still his figure"
    assert his.counts["received_returned"] > 0
