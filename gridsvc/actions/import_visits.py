"""Import visit plans from a file: whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from geo.datum import Datum
from gridsvc.db import Conn
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.domain.roster import Fault
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.visit import next_on
from gridsvc.domain.visit_file import PlannedVisit, read_visits
from gridsvc.errors import Defect, ImportRefused
from gridsvc.ids import new_id
from gridsvc.store import visit_plans
from gridsvc.store.cells import Owner, Wanted, bounds_at, owners_of
from gridsvc.store.rulebook import rulebook
from gridsvc.store.visit_plans import PlanRow


@dataclass(frozen=True)
class ImportedVisits:
    """How many plans there were, and how many of them are to be visited."""

    rows: int
    active: int


async def import_visits(
    conn: Conn, file: str, content: bytes, datum: Datum, by: str, now: datetime, within: Sequence[str] | None = None
) -> ImportedVisits:
    """Keep the plans of the file; one of the same category and subject is replaced. As the service.

    `within`: the divisions in which the importer may plan; None: everywhere. Raises ImportRefused with every fault
    where a row is at fault, its place outside the grid too.
    """
    found = await bounds_at(conn, now)
    if found is None:
        raise ImportRefused("there is no grid yet", [Defect("no_grid", "no grid set is in force; publish one before")])
    book = await rulebook(conn)
    read = read_visits(file, content, datum, book, found[1])
    owners = await owners_of(conn, [Wanted(each.place, each.category.duty_line) for each in read.plans], now)
    faults = [*read.faults]
    rows: list[PlanRow] = []
    for plan, owner in zip(read.plans, owners, strict=True):
        if owner is None or (within is not None and not set(within) & set(owner.divisions)):
            wanted = "a place inside the grid" if owner is None else f"a place in {', '.join(within or ())}"
            faults.append(
                Fault(file=file, row=plan.row, field="lon, lat", given="a place that lies elsewhere", wanted=wanted)
            )
        else:
            rows.append(_row(plan, owner, book, now))
    refuse(faults)
    await visit_plans.put(conn, rows, by, now)
    return ImportedVisits(len(rows), sum(row.next_on is not None for row in rows))


def refuse(faults: Sequence[Fault]) -> None:
    """Raise ImportRefused with all of `faults`, in the order of their rows, where there is any."""
    if faults:
        raise ImportRefused(
            f"nothing was imported: {len(faults)} fault{'s' if len(faults) > 1 else ''}; mend the rows",
            [
                Defect("bad_row", str(fault), row=fault.row, field=fault.field)
                for fault in sorted(faults, key=lambda each: each.row or 0)
            ],
        )


def _row(plan: PlannedVisit, owner: Owner, book: Rulebook, now: datetime) -> PlanRow:
    category, rhythm = plan.category, plan.rhythm
    calendar = book.calendar_for(category, owner.divisions, None)
    yesterday = now.astimezone(book.zone).date() - timedelta(days=1)
    return PlanRow(
        id=new_id(), edition=category.edition, category=category.code, subject=plan.subject, lon=plan.place.lon,
        lat=plan.place.lat, divisions=list(owner.divisions),
        seen_by=case_keys(
            Whereabouts(divisions=owner.divisions, duty_line=category.duty_line, reported_by="")
        ),
        every_count=rhythm.every.count, every_unit=rhythm.every.unit, first_on=rhythm.first_on,
        working_days=rhythm.working_days, next_on=next_on(rhythm, yesterday, calendar) if plan.active else None,
    )  # fmt: skip
