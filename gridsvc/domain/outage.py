"""Outages (停机申报): what may be declared, by whom, whom another approves, and which stretch of a clock one takes out.

An outage that was approved is a pause of every clock in its scope, for as long as both last; what it does to
deadlines follows from the rule of pauses (gridsvc/domain/deadline.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.calling import EMERGENCY
from gridsvc.domain.case_state import Clock
from gridsvc.domain.clock import CaseClock
from gridsvc.domain.deadline import Pause
from gridsvc.errors import BadRequest, GuardFailed, NotAllowed, WrongMoment


class OutageState(StrEnum):
    """Where a declaration stands. Only `approved` counts."""

    DECLARED = "declared"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What can be done with an outage."""

    DECLARE = "declare"
    APPROVE = "approve"
    REFUSE = "refuse"
    END = "end"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class OutageReason:
    """Why nobody could work."""

    code: str
    name: str
    name_en: str
    wants_words: bool = False


OUTAGE_REASONS: Final = {
    each.code: each
    for each in (
        OutageReason("service_down", "平台停机", "This service was down"),
        OutageReason("system_down", "部门系统故障", "A department's system was down"),
        OutageReason("network_down", "网络中断", "A network was down"),
        OutageReason("power_cut", "停电", "Power was cut"),
        OutageReason("road_closed", "道路封闭", "A road was closed"),
        OutageReason("flood", "内涝", "A flood"),
        OutageReason("weather", "恶劣天气", "Weather in which nobody works"),
        OutageReason("other", "其他", "Something else", wants_words=True),
    )
}

BACK_AT_MOST: Final = timedelta(days=366)
"""How long ago an outage may begin, and how far ahead."""

OF_THE_OWNER: Final = frozenset(
    {Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.SUPERVISION, Clock.CO_HANDLING}
)
"""Clocks that a department answers for. Where it cannot work, the desks' clocks run on."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A declaration as it stands. Scopes that are None, and no kinds, leave nothing out."""

    id: UUID
    version: int
    state: OutageState
    reason: str
    words: str
    division: str | None
    duty_line: str | None
    department: str | None
    kinds: frozenset[Clock]
    also_emergencies: bool
    start: datetime
    end: datetime | None
    declared_by: str
    declared_at: datetime
    approved_by: str | None = None

    def clocks(self) -> frozenset[Clock]:
        """The kinds of clocks that it can stop."""
        kinds = self.kinds or frozenset(Clock)
        return kinds & OF_THE_OWNER if self.department is not None else kinds


@dataclass(frozen=True, kw_only=True)
class Told:
    """What somebody declares."""

    reason: str
    words: str
    division: str | None
    duty_line: str | None
    department: str | None
    kinds: Sequence[str]
    also_emergencies: bool
    start: datetime
    end: datetime | None


def declared(outage_id: UUID, told: Told, by: Caller, path: Sequence[str], now: datetime) -> Outage:
    """The declaration, if `by` may make it; `path` leads from the city to the division of its scope.

    Raises NotAllowed for who leads no part that holds the scope, BadRequest for what cannot be.
    """
    if not may_declare(by, path, told.department, told.duty_line):
        raise NotAllowed(
            "an outage is declared by a supervisor or an administrator of its scope",
            wanted=["supervisor", "admin"], division=path[-1], department=told.department, duty_line=told.duty_line,
        )  # fmt: skip
    _check(told, now)
    return Outage(
        id=outage_id, version=1, state=OutageState.DECLARED, reason=told.reason, words=told.words,
        division=told.division, duty_line=told.duty_line, department=told.department,
        kinds=frozenset(Clock(each) for each in told.kinds), also_emergencies=told.also_emergencies,
        start=told.start, end=told.end, declared_by=by.id, declared_at=now,
    )  # fmt: skip


def _check(told: Told, now: datetime) -> None:
    reason = OUTAGE_REASONS.get(told.reason)
    if reason is None:
        raise BadRequest(
            f"{told.reason!r} is no reason of an outage",
            field="reason", given=told.reason, wanted=list(OUTAGE_REASONS),
        )  # fmt: skip
    if reason.wants_words and not told.words.strip():
        raise BadRequest(f"the reason {told.reason} wants words", field="words", wanted="what happened")
    strangers = sorted({*told.kinds} - {*Clock})
    if strangers:
        raise BadRequest(
            f"{strangers[0]!r} is no clock", field="clocks", given=strangers[0], wanted=[str(each) for each in Clock]
        )
    if not now - BACK_AT_MOST <= told.start <= now + BACK_AT_MOST:
        raise BadRequest(
            f"from is {told.start.isoformat()}; want a moment at most a year away",
            field="from", given=told.start.isoformat(), wanted="within a year of now",
        )  # fmt: skip
    if told.end is not None and not told.start < told.end <= told.start + BACK_AT_MOST:
        raise BadRequest(
            f"until is {told.end.isoformat()}; want a moment after from, at most a year after it",
            field="until", given=told.end.isoformat(), wanted=f"after {told.start.isoformat()}",
        )  # fmt: skip


def approved(outage: Outage, by: Caller, city: str) -> Outage:
    """Approved by another than who declared it, for the city. Raises NotAllowed, WrongMoment or GuardFailed."""
    _check_settler(outage, by, city)
    return replace(outage, version=outage.version + 1, state=OutageState.APPROVED, approved_by=by.id)


def refused(outage: Outage, by: Caller, city: str) -> Outage:
    """Refused, likewise; the reason is kept beside it."""
    _check_settler(outage, by, city)
    return replace(outage, version=outage.version + 1, state=OutageState.REFUSED)


def ended(outage: Outage, by: Caller, path: Sequence[str], city: str, until: datetime) -> Outage:
    """It lasted, or will last, until then: said by who may declare or approve it, at most a year after it began.

    An end that has been said may be corrected; the step says who did.
    """
    _check_hand(outage, by, path, city, Step.END)
    if outage.state not in {OutageState.DECLARED, OutageState.APPROVED}:
        raise _wrong_moment(outage, Step.END)
    if not outage.start < until <= outage.start + BACK_AT_MOST:
        raise BadRequest(
            f"until is {until.isoformat()}; want a moment after {outage.start.isoformat()}, at most a year after it",
            field="until", given=until.isoformat(), wanted=f"after {outage.start.isoformat()}",
        )  # fmt: skip
    return replace(outage, version=outage.version + 1, end=until)


def withdrawn(outage: Outage, by: Caller, path: Sequence[str], city: str) -> Outage:
    """It is taken back, before or after it was approved: its clocks are computed as if it had never been."""
    _check_hand(outage, by, path, city, Step.WITHDRAW)
    if outage.state not in {OutageState.DECLARED, OutageState.APPROVED}:
        raise _wrong_moment(outage, Step.WITHDRAW)
    return replace(outage, version=outage.version + 1, state=OutageState.WITHDRAWN)


def _check_settler(outage: Outage, by: Caller, city: str) -> None:
    if not _leads_city(by, city):
        raise NotAllowed(
            f"an outage is approved or refused by a supervisor or an administrator of the whole city, {city}",
            wanted=["supervisor", "admin"], division=city,
        )  # fmt: skip
    if outage.state is not OutageState.DECLARED:
        raise _wrong_moment(outage, Step.APPROVE)
    if by.id == outage.declared_by:
        raise GuardFailed("who declared an outage does not settle it; want another person", guard="another_person")


def _check_hand(outage: Outage, by: Caller, path: Sequence[str], city: str, step: Step) -> None:
    if not (_leads_city(by, city) or may_declare(by, path, outage.department, outage.duty_line)):
        raise NotAllowed(
            f"to {step} an outage is for a supervisor or an administrator of its scope or of the city",
            wanted=["supervisor", "admin"], division=path[-1],
        )  # fmt: skip


def _wrong_moment(outage: Outage, step: Step) -> WrongMoment:
    allowed = {
        OutageState.DECLARED: [Step.APPROVE, Step.REFUSE, Step.END, Step.WITHDRAW],
        OutageState.APPROVED: [Step.END, Step.WITHDRAW],
    }.get(outage.state, [])
    return WrongMoment(
        f"an outage that is {outage.state} cannot {step}",
        move=str(step), state=str(outage.state), allowed=[str(each) for each in allowed],
    )  # fmt: skip


_LEADERS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})


def may_declare(by: Caller, path: Sequence[str], department: str | None, duty_line: str | None) -> bool:
    """Whether `by` leads all of the scope: its division or one above, there all or just that department or line."""
    return any(
        grant.role in _LEADERS
        and grant.division in path
        and grant.department in {None, department}
        and grant.duty_line in {None, duty_line}
        for grant in by.grants
    )


def _leads_city(by: Caller, city: str) -> bool:
    return any(_is_whole(grant) and grant.role in _LEADERS and grant.division == city for grant in by.grants)


def _is_whole(grant: Grant) -> bool:
    return grant.department is None and grant.duty_line is None


# -- what it takes out --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Had:
    """A department had the case from then until then; it still has it where there is no end."""

    cycle: int
    department: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What decides whether a case lies in the scope of an outage."""

    divisions: Sequence[str]
    duty_line: str
    severity: str
    had: Sequence[Had] = ()


def stretch(outage: Outage, scene: Scene, clock: CaseClock, part: str | None) -> Pause | None:
    """The stretch of `clock` that the outage takes out; None where it takes none. `part`: whose part it is.

    From where both have begun until the outage ends, or until the clock stopped where nobody knows the end yet.
    """
    if outage.state is not OutageState.APPROVED or clock.kind not in outage.clocks():
        return None
    if not _holds(outage, scene) or not _answers(outage, scene, clock, part):
        return None
    begins, ends = max(outage.start, clock.started_at), outage.end or clock.stopped_at
    over = [each for each in (outage.end, clock.stopped_at) if each is not None]
    if any(each <= begins for each in over):
        return None
    return Pause(begins, ends, "outage", outage.id)


def _holds(outage: Outage, scene: Scene) -> bool:
    return (
        (outage.division is None or outage.division in scene.divisions)
        and (outage.duty_line is None or outage.duty_line == scene.duty_line)
        and (outage.also_emergencies or scene.severity != EMERGENCY)
    )


def _answers(outage: Outage, scene: Scene, clock: CaseClock, part: str | None) -> bool:
    """Whether the department of the outage answers for the clock: it had the case while both lasted."""
    if outage.department is None:
        return True
    if clock.kind is Clock.CO_HANDLING:
        return part == outage.department
    return any(
        each.cycle == clock.cycle
        and each.department == outage.department
        and _meet([(each.start, each.end), (clock.started_at, clock.stopped_at), (outage.start, outage.end)])
        for each in scene.had
    )


def _meet(stretches: Collection[tuple[datetime, datetime | None]]) -> bool:
    begins = max(start for start, _ in stretches)
    return all(end is None or end > begins for _, end in stretches)
