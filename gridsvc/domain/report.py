"""What somebody or something said, and the case that it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from geo.place import Place
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case_state import Clock, Move, Pool, State
from gridsvc.domain.category import Category
from gridsvc.domain.checking import wanted_check


@dataclass(frozen=True)
class Claim:
    """The place as the caller wrote it, before conversion."""

    lon: float
    lat: float
    datum: str


@dataclass(frozen=True)
class Reporter:
    """Who reported: kept apart from the report, shown masked, opened with a logged reason."""

    name: str
    phone: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as the edge took it in: well-formed, nothing decided yet.

    `place` None: staff took it without coordinates; it waits in the pool 'locate', seen by `desk`.
    `evidence` are attachments the caller has uploaded before.
    """

    id: UUID
    case_id: UUID
    source: str
    reported_by: str
    category: str  # edition:code, or a code of the default edition
    description: str
    address: str
    place: Place | None
    claim: Claim | None
    occurred_at: datetime | None  # None: when it was received
    reporter: Reporter | None = None
    evidence: tuple[UUID, ...] = ()
    desk: str | None = None
    condition: str | None = None  # the code of one of the category's; None: nobody has said
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)  # as the caller wrote them
    component: str | None = None  # code of the component it is about; its surveyed place is then the case's
    exercise: bool = False  # 演练: its case rings and runs like any other, and counts nowhere
    claimed: Claimed | None = None  # when a phone says that it was made, where it could tell it only later


@dataclass(frozen=True)
class Opening:
    """How a report's case begins: by which move, in which state and pool, with which clock running."""

    move: Move
    state: State
    pool: Pool
    clock: Clock


def opening_of(category: Category, located: bool, source: str = "officer") -> Opening:
    """A category that files itself opens a filed case, if the place is known; else a desk looks first.

    So it does where an officer is sent to look before the filing, as reports of that `source` ask for.
    """
    if not located:
        return Opening(Move.REPORT, State.REPORTED, Pool.LOCATE, Clock.FILING)
    if category.files_itself and wanted_check(category, State.REPORTED, source, located=located) is None:
        return Opening(Move.FILE, State.FILED, Pool.ROUTING, Clock.DISPATCH)
    return Opening(Move.REPORT, State.REPORTED, Pool.FILING, Clock.FILING)


def case_number(division: str, day: datetime, taken: int) -> str:
    """The number a filed case is known by: division, full date, sequence (620102-20261123-0147)."""
    return f"{division}-{day:%Y%m%d}-{taken:04d}"


def acceptance_number(day: datetime, taken: int) -> str:
    """The number every report is known by (受理号): date and sequence (R20261123-000147)."""
    return f"R{day:%Y%m%d}-{taken:06d}"
