"""How a report is said over HTTP, and what is answered to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from geo.place import BadPlace, Bounds, Place, read_place
from gridsvc.actions.file_report import Taken
from gridsvc.api.wire import Moment, Told, Wanted
from gridsvc.domain.attribute import missing
from gridsvc.domain.report import Claim
from gridsvc.errors import BadLocation
from gridsvc.store.duplicates import Duplicate

# What people type is kept as typed; these lengths are the only thing asked of it.
Words = Annotated[str, msgspec.Meta(max_length=4_000)]
Line = Annotated[str, msgspec.Meta(max_length=400)]


Attributes = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=64)], str | int | float], msgspec.Meta(max_length=40)
]
"""What the category asks for, by the names of its attributes."""


class Location(Wanted):
    """A place in a named datum: wgs84, cgcs2000, gcj02 or bd09. There is no default."""

    lon: float
    lat: float
    datum: str | None = None
    accuracy_m: float | None = None


class FixedLocation(Location):
    """Where the phone is, by a fix of `taken_at`, its own clock; `mocked`: an app made the place up."""

    taken_at: Moment | None = None
    mocked: bool = False


class ReporterSaid(Wanted):
    """Who reported. Kept apart, shown masked, opened with a logged reason."""

    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""


class ReportSaid(Wanted):
    """A report. `component` or `location` says where; staff who write for a caller may give `address` instead.

    `condition` is the code of one of the category's filing conditions; it decides which limit holds. `attributes`
    are those of the category; what an officer's report must say and does not is refused, others' is kept as it is.
    `exercise` (演练), for staff alone: the case rings and runs like any other and counts nowhere.
    """

    category: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    description: Words = ""
    location: Location | None = None
    address: Line = ""
    occurred_at: Moment | None = None
    attachments: Annotated[list[UUID], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    reporter: ReporterSaid | None = None
    source: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{1,30}$")] | None = None
    condition: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None
    component: Annotated[str, msgspec.Meta(pattern="^[0-9]{16}$")] | None = None
    attributes: Attributes = msgspec.field(default_factory=dict)
    exercise: bool = False


class DivisionTold(Told):
    """A division above the case, from the city down."""

    code: str
    name: str
    level: str


class CaseOpened(Told):
    """The case that the report opened."""

    id: UUID
    number: str | None
    state: str
    category: str
    condition: str | None
    cell: str | None
    border: bool
    neighbours: list[str]
    method: str | None
    beat: str | None
    divisions: list[DivisionTold]
    due_at: datetime | None
    version: int
    pool: str | None
    component: str | None
    attributes: dict[str, str]
    missing_attributes: list[str]


class DuplicateTold(Told):
    """A case that may be the same thing: same category, near by, at about the same time."""

    id: UUID
    number: str | None
    state: str
    description: str
    distance_m: float
    reported_at: datetime


class ReportFiled(Told):
    """The report is kept; `case` is what the city does about it, `duplicates` what it may be the same as."""

    id: UUID
    acceptance_number: str
    received_at: datetime
    case: CaseOpened
    duplicates: list[DuplicateTold]


def read_location(said: Location, city: Bounds | None) -> tuple[Place, Claim]:
    """The place in WGS-84 and the claim as written. Raises BadLocation with its reason."""
    try:
        place = read_place(said.lon, said.lat, said.datum, said.accuracy_m, city)
    except BadPlace as bad:
        raise BadLocation(
            f"location: {bad}", field="location", reason=bad.reason, given=bad.given, wanted=bad.wanted
        ) from None
    return place, Claim(said.lon, said.lat, said.datum or "")


def divisions_told(codes: list[str], names: Mapping[str, tuple[str, str]]) -> list[DivisionTold]:
    """The divisions of a case with their names, in the same order."""
    return [DivisionTold(code, *names.get(code, ("", ""))) for code in codes]


def duplicates_told(found: Sequence[Duplicate]) -> list[DuplicateTold]:
    """What a case may be the same as, the nearest first."""
    return [DuplicateTold(**{**vars(each), "distance_m": round(each.distance_m, 1)}) for each in found]


def filed_answer(
    taken: Taken, names: Mapping[str, tuple[str, str]], duplicates: Sequence[Duplicate] = ()
) -> ReportFiled:
    """What the caller hears of a report that is kept."""
    case = taken.case
    return ReportFiled(
        id=taken.report.id,
        acceptance_number=taken.acceptance_number,
        received_at=case.reported_at,
        case=CaseOpened(
            id=case.id,
            number=case.number,
            state=case.state,
            category=f"{case.edition}:{case.category}",
            condition=case.condition,
            cell=case.cell_code,
            border=case.on_border,
            neighbours=case.neighbours,
            method=case.cell_method,
            beat=case.beat_code,
            divisions=divisions_told(case.divisions, names),
            due_at=case.due_at,
            version=case.version,
            pool=case.pool,
            component=case.component,
            attributes=dict(case.attributes),
            missing_attributes=missing(taken.category.attributes, case.attributes),
        ),
        duplicates=duplicates_told(duplicates),
    )
