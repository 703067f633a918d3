"""What publishing a draft would do, before anybody does it: the same decisions over the same facts, and no effect."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.assign_case import choose_owners
from gridsvc.actions.follow_grid import Placed, place_anew
from gridsvc.db import Conn
from gridsvc.domain.calling import is_called
from gridsvc.domain.candidates import Choice
from gridsvc.domain.case_state import OWNED, Pool, State
from gridsvc.domain.regrid import Follows, Keeps, Load
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import SetupError
from gridsvc.store import cases, grids, regrid
from gridsvc.store.cases import CaseRow
from gridsvc.store.cells import Owner
from gridsvc.store.regrid import BeatUnmanned, CellChange, GrantAdrift
from gridsvc.store.rulebook import rulebook

_AT_ONCE: Final = 500  # cases of one look-up
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """An open case that comes into another cell, beat or division, or changes its owner.

    `officer_after` is whom routing would choose at this moment; None where nobody is free, or the case rings.
    """

    row: CaseRow
    owner: Owner
    follows: Follows
    calendar_before: str
    calendar_after: str
    officer_after: UUID | None

    @property
    def other_division(self) -> bool:
        """Whether it comes into another division."""
        return self.row.division_code != self.owner.division_code

    @property
    def other_owner(self) -> bool:
        """Whether somebody else has it afterwards, or is looked for."""
        return self.follows.loses_owner or self.officer_after is not None

    @property
    def tells(self) -> bool:
        """Whether there is anything to say of it: most cases come into the same cell and beat of the new set."""
        return self.follows.other_cell or self.follows.other_beat or self.other_division or self.other_owner


@dataclass
class Sum:
    """How many open cases of a division, as it is now, the set touches, and how."""

    cases: int = 0
    other_cell: int = 0
    other_beat: int = 0
    other_division: int = 0
    other_calendar: int = 0
    rerouted: int = 0
    lost: int = 0


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Everything that publishing would do at this moment. Cases in the order in which they would follow."""

    grid_set: grids.GridSet
    against: str  # the set in force
    at: datetime
    cells: Sequence[CellChange]
    changes: Sequence[CaseChange]
    lost: Sequence[CaseRow]
    departments: int  # cases that a department has, and keeps
    keeps: Mapping[Keeps, int]  # officers' cases of another beat that they keep, and why
    loads: Mapping[str, Load]  # by the officer's name; those whose load changes
    beats_unmanned: Sequence[BeatUnmanned]
    grants_adrift: Sequence[GrantAdrift]
    by_division: Mapping[str, Sum]
    names: Mapping[UUID, str]  # of the officers who are named


@dataclass
class _Seen:
    changes: list[CaseChange] = field(default_factory=list)
    lost: list[CaseRow] = field(default_factory=list)
    departments: int = 0
    keeps: Counter[Keeps] = field(default_factory=Counter)
    by_division: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))


async def preview_grid(conn: Conn, name: str, now: datetime) -> Preview:
    """What publishing the draft `name` at once would make of the open cases. Changes nothing.

    In the caller's transaction as the service; one that is a snapshot sees all at the same moment. Raises SetupError
    where there is no such draft, or no set is in force to compare it with.
    """
    draft, force = await _sets(conn, name, now)
    book = await rulebook(conn)
    seen = _Seen()
    after = _FIRST
    while page := await cases.OPEN_IN_A_CELL.all(conn, after, _AT_ONCE):
        for placed in await place_anew(conn, page, draft.id, now):
            _see(seen, book, placed)
        after = page[-1].id
    changes = await _with_new_owners(conn, book, seen.changes, now)
    changes = [change for change in changes if change.tells]
    for change in changes:
        seen.by_division[change.row.division_code or ""].rerouted += change.follows.loses_owner
    lost, gained = _moved_loads(changes)
    known = await regrid.LOADS.all(conn, list({*lost, *gained}))
    return Preview(
        grid_set=draft,
        against=force.name,
        at=now,
        cells=await regrid.CELL_CHANGES.all(conn, force.id, draft.id),
        changes=changes,
        lost=seen.lost,
        departments=seen.departments,
        keeps=seen.keeps,
        loads={
            each.username: Load(
                before=each.open_cases, after=each.open_cases - lost[each.officer_id] + gained[each.officer_id]
            )
            for each in known
        },
        beats_unmanned=await regrid.BEATS_UNMANNED.all(conn, draft.id),
        grants_adrift=await regrid.GRANTS_ADRIFT.all(conn, draft.id),
        by_division=dict(sorted(seen.by_division.items())),
        names={each.officer_id: each.username for each in known},
    )


async def lost_cases(conn: Conn, grid_set_id: int, now: datetime) -> list[CaseRow]:
    """The open cases for whose place a set has no cell, by id. As the service; reads only."""
    lost: list[CaseRow] = []
    after = _FIRST
    while page := await cases.OPEN_IN_A_CELL.all(conn, after, _AT_ONCE):
        lost += [each.row for each in await place_anew(conn, page, grid_set_id, now) if each.follows is None]
        after = page[-1].id
    return lost


async def cell_changes(conn: Conn, name: str, now: datetime) -> tuple[int, int, list[CellChange]]:
    """The ids of the set in force and of the draft `name`, and the cells in which they differ; raises as a preview."""
    draft, force = await _sets(conn, name, now)
    return force.id, draft.id, await regrid.CELL_CHANGES.all(conn, force.id, draft.id)


async def _sets(conn: Conn, name: str, now: datetime) -> tuple[grids.GridSet, grids.GridSet]:
    known = await grids.every_set(conn)
    draft = next((each for each in known if each.name == name), None)
    if draft is None:
        raise SetupError(f"there is no set {name!r}; grid list names them", reason="no_such_set", name=name)
    if draft.state != "draft":
        raise SetupError(
            f"{name} is {draft.state}; want a draft: what is published has had its effect",
            reason="not_a_draft", name=name,
        )  # fmt: skip
    in_force = await grids.in_force(conn, now)
    force = next((each for each in known if each.id == in_force), None)
    if force is None:
        raise SetupError("no set is in force: there is nothing to compare the draft with", reason="no_grid")
    return draft, force


def _see(seen: _Seen, book: Rulebook, placed: Placed) -> None:
    row, owner, follows = placed.row, placed.owner, placed.follows
    total = seen.by_division[row.division_code or ""]
    total.cases += 1
    if owner is None or follows is None:
        total.lost += 1
        seen.lost.append(row)
        return
    category = book.categories[(row.edition, row.category)]
    change = CaseChange(
        row=row,
        owner=owner,
        follows=follows,
        calendar_before=book.calendar_for(category, row.divisions, row.department).code,
        calendar_after=book.calendar_for(category, owner.divisions, row.department).code,
        officer_after=None,
    )
    seen.departments += row.department is not None
    if follows.other_beat and follows.keeps not in {None, Keeps.NO_OFFICER}:
        seen.keeps[follows.keeps or Keeps.BEGUN] += 1
    total.other_cell += follows.other_cell
    total.other_beat += follows.other_beat
    total.other_division += change.other_division
    total.other_calendar += change.calendar_before != change.calendar_after
    seen.changes.append(change)


async def _with_new_owners(
    conn: Conn, book: Rulebook, changes: Sequence[CaseChange], now: datetime
) -> list[CaseChange]:
    """The changes with whom routing would choose for what it is asked about, each knowing what those before took.

    Asked about is what lost its officer, and what waits in the pool of another beat: both are sent to it at once.
    """
    given_up = Counter(each.row.officer_id for each in changes if each.follows.loses_owner and each.row.officer_id)
    taken: Counter[UUID] = Counter()
    asked = [each for each in changes if each.follows.loses_owner or _waits_elsewhere(each)]
    rows = [row for row in map(_as_routing_sees_it, asked) if not _rings(book, row)]
    chosen: dict[UUID, UUID] = {}
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        found = await choose_owners(conn, book, part, now, taken, given_up=given_up, only_ask=True)
        chosen |= {
            row.id: choice.officer_id
            for row, choice in zip(part, found, strict=True)
            if isinstance(choice, Choice) and choice.officer_id is not None
        }
    return [replace(each, officer_after=chosen.get(each.row.id)) for each in changes]


def _waits_elsewhere(change: CaseChange) -> bool:
    row = change.row
    return change.follows.other_beat and row.pool == Pool.DISPATCH and row.route_again_at is not None


def _as_routing_sees_it(change: CaseChange) -> CaseRow:
    """The case as it would stand before routing."""
    columns = Placed(change.row, change.owner, change.follows).columns()
    return replace(
        change.row, **columns, state=State.FILED, pool=Pool.ROUTING, assignment_id=None, officer_id=None
    )


def _rings(book: Rulebook, row: CaseRow) -> bool:
    return is_called(row.case(), book.categories[(row.edition, row.category)], book.call_rounds)


def _moved_loads(changes: Sequence[CaseChange]) -> tuple[Counter[UUID], Counter[UUID]]:
    """How many cases each officer would give up, and get."""
    lost: Counter[UUID] = Counter()
    gained: Counter[UUID] = Counter()
    for each in changes:
        if each.follows.loses_owner and each.row.officer_id is not None and each.row.state in OWNED:
            lost[each.row.officer_id] += 1
        if each.officer_after is not None:
            gained[each.officer_after] += 1
    return lost, gained
