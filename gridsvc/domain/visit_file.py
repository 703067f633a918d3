"""Visit plans as a file brings them (docs/rules/visits.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from geo.datum import Datum
from geo.place import BadPlace, Bounds, Place, read_place
from gridsvc.domain.category import Category
from gridsvc.domain.roster import Fault
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.sheet import Sheet, Unreadable, read_csv, tidy
from gridsvc.domain.visit import SUBJECT_FORM, Every, Rhythm, Unit, is_subject
from gridsvc.errors import UnknownCategory


@dataclass(frozen=True, kw_only=True)
class PlannedVisit:
    """One row: who or what is visited, where, how often. Not `active`: no more."""

    row: int
    category: Category
    subject: str
    place: Place
    rhythm: Rhythm
    active: bool


@dataclass(frozen=True, kw_only=True)
class ReadVisits:
    """What a file holds without the rows at fault, and the faults."""

    plans: tuple[PlannedVisit, ...]
    faults: tuple[Fault, ...]


class Wrong(ValueError):
    """A cell that cannot be: which, what was given and what is wanted."""

    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


_NAMES: Final = {
    "category": "category", "类别": "category", "subject": "subject", "对象编号": "subject",
    "lon": "lon", "经度": "lon", "lat": "lat", "纬度": "lat", "every": "every", "间隔": "every",
    "unit": "unit", "单位": "unit", "first_on": "first_on", "首次日期": "first_on", "days": "days", "日期类型": "days",
    "active": "active", "启用": "active",
}  # fmt: skip
_NEEDED: Final = ("category", "subject", "lon", "lat", "every", "unit", "first_on")
_UNITS: Final = {
    "day": Unit.DAY, "days": Unit.DAY, "天": Unit.DAY, "week": Unit.WEEK, "weeks": Unit.WEEK, "周": Unit.WEEK,
    "month": Unit.MONTH, "months": Unit.MONTH, "月": Unit.MONTH,
}  # fmt: skip
_WORKING: Final = {"work": True, "工作日": True, "any": False, "每日": False, "": True}
YES_OR_NO: Final = {"yes": True, "是": True, "no": False, "否": False, "": True}


def read_visits(file: str, content: bytes, datum: Datum, book: Rulebook, city: Bounds) -> ReadVisits:
    """Read every row of a CSV file; one at fault is left out and named. The header is row 1.

    A key that cannot be one is not repeated in its fault: it may be somebody's name.
    """
    try:
        sheet = read_csv(file, content)
    except Unreadable as unreadable:
        return _nothing(file, None, unreadable.given, unreadable.wanted)
    columns = columns_of(sheet, _NAMES)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        return _nothing(file, 1, f"no column {missing[0]!r}", f"at least {', '.join(_NEEDED)}")
    found: dict[tuple[str, str], PlannedVisit] = {}
    faults: list[Fault] = []
    for row in range(1, len(sheet.rows)):
        cells = {name: tidy(sheet.text(row, at)) for name, at in columns.items()}
        if not any(cells.values()):
            continue
        try:
            read = _plan(row + 1, cells, datum, book, city)
            key = (read.category.id, read.subject)
            if key in found:
                raise Wrong("subject", f"the subject of row {found[key].row} again", "each subject of a category once")
        except Wrong as wrong:
            faults.append(Fault(file=file, row=row + 1, field=wrong.field, given=wrong.given, wanted=wrong.wanted))
        else:
            found[key] = read
    return ReadVisits(plans=tuple(found.values()), faults=tuple(faults))


def columns_of(sheet: Sheet, names: Mapping[str, str]) -> dict[str, int]:
    """Which column of the sheet is which, by the names of its first row."""
    header = sheet.rows[0] if sheet.rows else ()
    return {names[name]: at for at, cell in enumerate(header) if (name := tidy(cell).lower()) in names}


def _nothing(file: str, row: int | None, given: str, wanted: str) -> ReadVisits:
    return ReadVisits(plans=(), faults=(Fault(file=file, row=row, field=None, given=given, wanted=wanted),))


def _plan(row: int, cells: Mapping[str, str], datum: Datum, book: Rulebook, city: Bounds) -> PlannedVisit:
    return PlannedVisit(
        row=row,
        category=_category(cells["category"], book),
        subject=_subject(cells["subject"]),
        place=_place(cells, datum, city),
        rhythm=Rhythm(
            _day(cells["first_on"]), _every(cells), choice(cells, "days", _WORKING, "work or any (工作日, 每日)")
        ),
        active=choice(cells, "active", YES_OR_NO, "yes or no (是, 否)"),
    )


def _category(given: str, book: Rulebook) -> Category:
    try:
        return book.category(given)
    except UnknownCategory:
        raise Wrong("category", repr(given[:40]), "a category in force") from None


def _subject(given: str) -> str:
    if not is_subject(given):
        raise Wrong("subject", f"something of {len(given)} characters", f"{SUBJECT_FORM}; never a name")
    return given


def _place(cells: Mapping[str, str], datum: Datum, city: Bounds) -> Place:
    try:
        lon, lat = float(cells["lon"]), float(cells["lat"])
    except ValueError:
        raise Wrong("lon, lat", f"{cells['lon'][:20]!r}, {cells['lat'][:20]!r}", "two numbers") from None
    try:
        return read_place(lon, lat, datum, None, city)
    except BadPlace as bad:
        raise Wrong("lon, lat", f"{bad.given} ({bad.reason})", bad.wanted) from None


def _every(cells: Mapping[str, str]) -> Every:
    unit = _UNITS.get(cells["unit"].lower())
    if unit is None:
        raise Wrong("unit", repr(cells["unit"][:20]), "day, week or month (天, 周, 月)")
    text = cells["every"]
    every = Every(int(text), unit) if text.isdecimal() and len(text) <= 3 else None
    if every is None or not every.is_sane:
        raise Wrong("every", repr(text[:20]), "1 to 366 days, 53 weeks or 24 months")
    return every


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Wrong("first_on", repr(given[:20]), "a day such as 2026-12-01") from None


def choice(cells: Mapping[str, str], field: str, known: Mapping[str, bool], wanted: str) -> bool:
    """What a cell of few words says; without a word, or a column, what the empty one says. Raises Wrong."""
    text = cells.get(field, "").lower()
    if text not in known:
        raise Wrong(field, repr(text[:20]), wanted)
    return known[text]
