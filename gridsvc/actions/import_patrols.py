"""Import patrol plans from a file: whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.actions.import_visits import refuse
from gridsvc.db import Conn
from gridsvc.domain.patrol_file import read_patrols
from gridsvc.ids import new_id
from gridsvc.store import patrols
from gridsvc.store.patrols import PatrolPlanRow


@dataclass(frozen=True)
class ImportedPatrols:
    """How many plans there were, and how many of them are walked."""

    rows: int
    active: int


async def import_patrols(
    conn: Conn, file: str, content: bytes, by: str, now: datetime, within: Sequence[str] | None = None
) -> ImportedPatrols:
    """Keep the plans of the file; one of the same code is replaced. As the service.

    `within`: the divisions in which the importer may plan; None: everywhere. Raises ImportRefused with every fault
    where a row is at fault.
    """
    beats = {
        (beat.duty_line, beat.code): frozenset(beat.cells)
        for beat in await patrols.BEATS.all(conn, now)
        if within is None or set(within) & set(beat.divisions)
    }
    read = read_patrols(file, content, beats)
    refuse(read.faults)
    rows = [
        PatrolPlanRow(
            id=new_id(), code=plan.code, duty_line=plan.duty_line, beat_code=plan.beat, shifts=plan.shifts,
            cells=list(plan.cells), times=plan.times, stay=plan.stay, warn=plan.warn, active=plan.active,
        )
        for plan in read.plans
    ]  # fmt: skip
    await patrols.put_plans(conn, rows, by, now)
    return ImportedPatrols(len(rows), sum(row.active for row in rows))
