"""Import cameras from a file: all of it, the good rows, or only a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from gridsvc.actions.see_cells import see_cells
from gridsvc.db import Conn
from gridsvc.domain.camera import BadCamera, make_camera, what_is_new
from gridsvc.domain.camera_file import Wanted, doubts, fault_of, read_rows
from gridsvc.domain.component import Sheet
from gridsvc.domain.roster import Fault
from gridsvc.errors import Defect, ImportRefused, SetupError
from gridsvc.store import cameras, cells

T = TypeVar("T")

Told = Callable[[str, int, int], None]
"""Hears of progress: what is being done, how much of it, of how much."""

_AT_ONCE: Final = 500  # rows to a statement, and cameras to one look at the ground


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A file that was read against the registry: what of it is new, what differs, and everything wrong with it."""

    file: str
    writing: tuple[cameras.Writing, ...]
    unchanged: int
    faults: tuple[Fault, ...]

    @property
    def added(self) -> int:
        """Cameras that the registry does not have yet."""
        return sum(each.version == 1 for each in self.writing)

    @property
    def changed(self) -> int:
        """Cameras of which the file says something new."""
        return len(self.writing) - self.added

    @property
    def changed_fields(self) -> dict[str, int]:
        """How many cameras change in which field."""
        return dict(Counter(name for each in self.writing if each.version > 1 for name in each.facts))

    @property
    def refused(self) -> tuple[Fault, ...]:
        """The faults that keep a row out."""
        return tuple(fault for fault in self.faults if fault.refuses)


async def plan_cameras(
    conn: Conn, sheet: Sheet, frame: str, protocol: str | None, *, partial: bool, now: datetime, told: Told
) -> Plan:
    """Read and check every row of `sheet`, whose coordinates are in `frame`; nothing is written.

    What a row does not say stays as the registry has it; a new camera gets the defaults. Raises ImportRefused with
    every fault when a row is at fault, unless `partial`, and SetupError where no grid set is in force (a camera
    must stand in a cell) and while another import is at work.
    """
    if not await cameras.hold_registry(conn):
        raise SetupError("another import of cameras is at work; want it to end first")
    city = await cells.bounds_at(conn, now)
    if city is None:
        raise SetupError("no grid set is in force, so no camera stands in a cell; want one: gridsvc grid publish")
    wanted, faults = read_rows(sheet, frame, protocol)
    known = await cameras.known(conn)
    writing: list[cameras.Writing] = []
    paths: dict[str, Sequence[str]] = {}
    done = 0
    for some in _at_once(wanted):
        kept = await cameras.current(conn, [each.code for each in some], held=True)
        made = []
        for each in some:
            before = kept.get(each.code)
            try:
                said = each.said if before else {"protocol": each.protocol, **each.said}
                camera = make_camera(each.code, said, before.camera if before else None, known, city[1])
            except BadCamera as bad:
                faults.append(fault_of(sheet.file, each.row, bad))
                continue
            made.append((each, before, camera))
            if before is None and "bearing_deg" not in each.said:
                faults.append(_all_around(sheet.file, each))
        owners = await cells.owners_of(conn, [cells.Wanted(camera.place, "") for _, _, camera in made], now)
        for (each, before, camera), owner in zip(made, owners, strict=True):
            if owner is None:
                given = f"lon {camera.place.lon:.6f}, lat {camera.place.lat:.6f} (WGS-84), where no cell is"
                faults.append(
                    Fault(file=sheet.file, row=each.row, field="place", given=given,
                          wanted="a place inside the grid set in force")
                )  # fmt: skip
                continue
            paths[each.code] = owner.divisions
            facts = what_is_new(before.camera if before else None, camera)
            version = before.row.version + 1 if before else 1
            if facts:
                writing.append(
                    cameras.Writing(camera=camera, version=version, facts=facts, divisions=owner.divisions)
                )
        done += len(some)
        told("cells", done, len(wanted))
    faults = sorted([*faults, *doubts(sheet.file, wanted, paths)], key=lambda fault: fault.row or 0)
    refused = [fault for fault in faults if fault.refuses]
    if refused and not partial:
        raise ImportRefused(
            f"nothing was imported: {len(refused)} fault{'s' if len(refused) > 1 else ''}; "
            "mend the rows, or leave them out with --partial",
            [_defect(fault) for fault in faults],
        )
    return Plan(
        file=sheet.file, writing=tuple(writing), unchanged=len(paths) - len(writing), faults=tuple(faults)
    )  # fmt: skip


def _all_around(file: str, each: Wanted) -> Fault:
    return Fault(
        file=file, row=each.row, field="bearing_deg", given="no direction, so it counts as seeing all around",
        wanted="degrees clockwise from north", refuses=False,
    )  # fmt: skip


def _defect(fault: Fault) -> Defect:
    return Defect("bad_row", str(fault), row=fault.row, field=fault.field, refuses=fault.refuses)


async def import_cameras(conn: Conn, plan: Plan, actor: str, now: datetime, told: Told) -> None:
    """Write what `plan` holds, in the transaction that it was made in, and find which cells each camera sees.

    Cameras that the file does not name stay as they are. Twice changes nothing.
    """
    done = 0
    for some in _at_once(plan.writing):
        await cameras.keep(conn, some, actor, plan.file, now)
        await see_cells(conn, [each.camera for each in some], now)
        done += len(some)
        told("cameras", done, len(plan.writing))


def _at_once(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
