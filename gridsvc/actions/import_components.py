"""Import the register of components from a file: all of it, the good rows, or only a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from gridsvc.db import Conn
from gridsvc.domain.component import Component, Found, Sheet, doubts, read_register, what_is_new
from gridsvc.domain.roster import Fault
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import cells, components

T = TypeVar("T")

Told = Callable[[str, int, int], None]
"""Hears of progress: what is being done, how much of it, of how much."""

_AT_ONCE: Final = 1_000  # rows to a statement: one round trip, some hundred kB


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A file that was read against the database: what of it is new, what differs, and everything wrong with it."""

    file: str
    writing: tuple[components.Writing, ...]
    unchanged: int
    faults: tuple[Fault, ...]

    @property
    def added(self) -> int:
        """Components that the register does not have yet."""
        return sum(each.version == 1 for each in self.writing)

    @property
    def changed(self) -> int:
        """Components of which the file says something new."""
        return len(self.writing) - self.added

    @property
    def changed_fields(self) -> dict[str, int]:
        """How many components change in which field."""
        return dict(Counter(name for each in self.writing if each.version > 1 for name in each.facts))

    @property
    def refused(self) -> tuple[Fault, ...]:
        """The faults that keep a row out."""
        return tuple(fault for fault in self.faults if fault.refuses)


async def plan_components(conn: Conn, sheet: Sheet, frame: str, *, partial: bool, now: datetime, told: Told) -> Plan:
    """Read and check every row of `sheet`, whose coordinates are in `frame`; nothing is written.

    Raises ImportRefused with every fault when a row is at fault, unless `partial`, and SetupError where
    no grid set is in force (a component must lie in a cell) and while another import is at work.
    """
    if not await components.hold_register(conn):
        raise SetupError("another import of components is at work; want it to end first")
    city = await cells.bounds_at(conn, now)
    if city is None:
        raise SetupError("no grid set is in force, so no component lies in a cell; want one: gridsvc grid publish")
    read = read_register(sheet, frame, await components.known_departments(conn), city[1])
    inside, outside, districts = await _in_cells(conn, read.found, sheet.file, now, told)
    faults = sorted([*read.faults, *outside, *doubts(inside, sheet.file, districts)], key=lambda each: each.row or 0)
    refused = [fault for fault in faults if fault.refuses]
    if refused and not partial:
        raise ImportRefused(
            f"nothing was imported: {len(refused)} fault{'s' if len(refused) > 1 else ''}; "
            "mend the rows, or leave them out with --partial",
            [_defect(fault) for fault in faults],
        )
    writing = []
    for some in _at_once(inside):
        kept = await components.current(conn, [each.component.code for each in some])
        for each in some:
            row = kept.get(each.component.code)
            facts = what_is_new(row.component() if row else None, each.component)
            if facts:
                version = row.version + 1 if row else 1
                writing.append(components.Writing(component=each.component, version=version, facts=facts))
    return Plan(file=sheet.file, writing=tuple(writing), unchanged=len(inside) - len(writing), faults=tuple(faults))


async def _in_cells(
    conn: Conn, found: Sequence[Found], file: str, now: datetime, told: Told
) -> tuple[list[Found], list[Fault], dict[str, str]]:
    """Those that a cell answers for, a fault for each of the others, and the district each one stands in."""
    inside: list[Found] = []
    outside: list[Fault] = []
    districts: dict[str, str] = {}
    done = 0
    for some in _at_once(found):
        owners = await cells.owners_of(conn, [cells.Wanted(each.component.place, "") for each in some], now)
        for each, owner in zip(some, owners, strict=True):
            if owner is None:
                outside.append(_outside(each.row, each.component, file))
                continue
            inside.append(each)
            code = each.component.code
            districts[code] = next((d for d in owner.divisions if len(d) == 6 and not d.endswith("00")), code[:6])
        done += len(some)
        told("cells", done, len(found))
    return inside, outside, districts


def _outside(row: int, component: Component, file: str) -> Fault:
    given = f"lon {component.place.lon:.6f}, lat {component.place.lat:.6f} (WGS-84), where no cell is"
    return Fault(file=file, row=row, field="place", given=given, wanted="a place inside the grid set in force")


def _defect(fault: Fault) -> Defect:
    return Defect("bad_row", str(fault), row=fault.row, field=fault.field, refuses=fault.refuses)


async def import_components(conn: Conn, plan: Plan, actor: str, now: datetime, told: Told) -> None:
    """Write what `plan` holds, in the transaction that it was made in.

    Components that the file does not name stay as they are. Twice changes nothing.
    """
    done = 0
    for some in _at_once(plan.writing):
        await components.keep(conn, some, actor, plan.file, now)
        done += len(some)
        told("components", done, len(plan.writing))


def _at_once(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
