"""What routing rules may ask of a case that stands before them."""

from __future__ import annotations

from datetime import datetime, timedelta

from gridsvc.domain.component import Answering
from gridsvc.domain.routing import Inputs
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store.cases import CaseRow
from gridsvc.store.people import Vacancy


def routing_inputs(book: Rulebook, row: CaseRow, component: Answering | None, now: datetime) -> Inputs:
    """The case as conditions see it at `now`; whether a day is a working day the category's calendar says."""
    category = book.categories[(row.edition, row.category)]
    calendar = book.calendars[category.calendar]
    local = now.astimezone(book.zone).replace(tzinfo=None, microsecond=0)
    today = local.date()
    return Inputs(
        category=category.id,
        of_default=category.edition == book.default_edition,
        major=category.major,
        kind=category.kind,
        handled_by=category.handled_by,
        dispatches_itself=category.dispatches_itself,
        department=category.department,
        duty_line=row.duty_line,
        severity=row.severity,
        source=row.source,
        divisions=tuple(row.divisions),
        local=local,
        working_day=bool(calendar.slots_of(today)),
        working_day_before=bool(calendar.slots_of(today - timedelta(days=1))),
        beat=row.beat_code if row.grid_set_id is not None else None,
        component=component,
        words=row.description,
    )


def vacancy_of(row: CaseRow, source: str) -> Vacancy:
    """Whose officers are looked at for the case: `beat:<code>` or `team:<code>`, as `sources_wanted` names them."""
    kind, _, code = source.partition(":")
    place = row.place_of()
    return Vacancy(
        grid_set_id=row.grid_set_id if kind == "beat" else None,
        duty_line=row.duty_line,
        beat_code=code if kind == "beat" else None,
        place=(place.lon, place.lat) if place else None,
        case_id=row.id,
        cycle=row.cycle,
        team=code if kind == "team" else None,
    )
