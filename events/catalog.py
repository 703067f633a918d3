"""Every announcement there is: what the service tells itself and others, one frozen class each.

An announcement is a fact of the past, kept in the outbox by the transaction that made it true.
Its TYPE is also its routing key; `docs/events.md` lists them all (a test insists). Ids only: no
name, phone or word of a resident travels over the broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What every announcement carries. `event_id` is what readers tell repeats by."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1
    URGENT: ClassVar[bool] = False  # it overtakes what waits in the outbox, and has a queue of its own

    event_id: UUID
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CaseNews(Announcement):
    """News of one case. `version` is the case's after the move; readers may see news out of order."""

    case_id: UUID
    version: int
    state: str
    duty_line: str
    severity: str
    divisions: tuple[str, ...]  # from the top down; empty while the place is unknown
    actor: str


@dataclass(frozen=True, kw_only=True)
class CaseReported(CaseNews):
    """A report became a case that waits for a desk: to be filed, or to be given a place."""

    TYPE: ClassVar[str] = "case.reported"
    pool: str


@dataclass(frozen=True, kw_only=True)
class CaseLocated(CaseNews):
    """A report without a place was given one."""

    TYPE: ClassVar[str] = "case.located"


@dataclass(frozen=True, kw_only=True)
class CaseCheckSent(CaseNews):
    """An officer is sent to look at the case before it is filed or closed, or again after it was."""

    TYPE: ClassVar[str] = "case.check_sent"
    check_id: UUID
    kind: str
    officer_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseCheckWanted(CaseNews):
    """Somebody should look at the case and nobody was sent yet: it is tried again."""

    TYPE: ClassVar[str] = "case.check_wanted"


@dataclass(frozen=True, kw_only=True)
class CaseCheckUnmanned(CaseNews):
    """Nobody on duty could be sent to look at the case; it is tried again, and the desk may name somebody."""

    TYPE: ClassVar[str] = "case.check_unmanned"
    kind: str


@dataclass(frozen=True, kw_only=True)
class CaseNotReached(CaseNews):
    """Somebody has acknowledged a notice of the case on none of his channels (未触达)."""

    TYPE: ClassVar[str] = "case.not_reached"
    user_id: UUID
    notice_id: UUID
    kind: str  # of the notice


@dataclass(frozen=True, kw_only=True)
class CaseChecked(CaseNews):
    """The officer who was sent has looked, and says what he found."""

    TYPE: ClassVar[str] = "case.checked"
    kind: str
    result: str


@dataclass(frozen=True, kw_only=True)
class CaseFiled(CaseNews):
    """The case has its number and a cell, and waits for routing."""

    TYPE: ClassVar[str] = "case.filed"
    cycle: int


@dataclass(frozen=True, kw_only=True)
class CaseSeenAgain(CaseNews):
    """Cameras still see what the case is about; told at most once in the interval of the rules for cameras."""

    TYPE: ClassVar[str] = "case.seen_again"
    events: int  # that led to it so far
    cameras: int


@dataclass(frozen=True, kw_only=True)
class CaseRejected(CaseNews):
    """A report was not filed; the reason is in the history."""

    TYPE: ClassVar[str] = "case.rejected"


@dataclass(frozen=True, kw_only=True)
class CaseAssigned(CaseNews):
    """Somebody answers for the case now."""

    TYPE: ClassVar[str] = "case.assigned"
    assignment_id: UUID
    officer_id: UUID | None
    department: str | None


@dataclass(frozen=True, kw_only=True)
class CaseHandedOver(CaseNews):
    """An officer handed the case over to a colleague, who answers for it now."""

    TYPE: ClassVar[str] = "case.handed_over"
    assignment_id: UUID
    officer_id: UUID
    from_officer: UUID


@dataclass(frozen=True, kw_only=True)
class CaseRelieved(CaseNews):
    """The officer of the case has left: it waits for routing to find another."""

    TYPE: ClassVar[str] = "case.relieved"
    from_officer: UUID
    why: str


@dataclass(frozen=True, kw_only=True)
class CasePooled(CaseNews):
    """Nobody could be found: the case stands in the pool and the desk must look."""

    TYPE: ClassVar[str] = "case.pooled"
    why: str


@dataclass(frozen=True, kw_only=True)
class CaseAlarm(CaseNews):
    """An emergency: the duty desk is told before anything else, and what is filed is called at once."""

    TYPE: ClassVar[str] = "case.alarm"
    URGENT: ClassVar[bool] = True
    why: str  # reported, corrected, reopened or nobody_answered


@dataclass(frozen=True, kw_only=True)
class CaseCalled(CaseNews):
    """An emergency rings with these officers, who are called in this round (紧急呼叫)."""

    TYPE: ClassVar[str] = "case.called"
    URGENT: ClassVar[bool] = True
    call_id: UUID
    wanted: str  # owner or first_on_scene
    round: int
    officers: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class CaseAnswered(CaseNews):
    """An officer who was called has accepted, and is on the way."""

    TYPE: ClassVar[str] = "case.answered"
    URGENT: ClassVar[bool] = True
    call_id: UUID
    wanted: str
    officer_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseDeclined(CaseNews):
    """An officer who was called cannot come."""

    TYPE: ClassVar[str] = "case.declined"
    call_id: UUID
    officer_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseCallEnded(CaseNews):
    """The call is over: it rings with these officers no more, who have not answered."""

    TYPE: ClassVar[str] = "case.call_ended"
    URGENT: ClassVar[bool] = True
    call_id: UUID
    why: str  # answered, or the move that ended it
    officers: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class CaseWaiting(CaseNews):
    """The case still waits for an owner: routing tries again."""

    TYPE: ClassVar[str] = "case.waiting"


@dataclass(frozen=True, kw_only=True)
class CaseUnacknowledged(CaseNews):
    """The owner did not accept in time; routing looks for another."""

    TYPE: ClassVar[str] = "case.unacknowledged"
    assignment_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseReturned(CaseNews):
    """The owner gave the case back with a reason."""

    TYPE: ClassVar[str] = "case.returned"


@dataclass(frozen=True, kw_only=True)
class CaseCorrected(CaseNews):
    """What was wrong in the case was corrected, and it waits for routing again."""

    TYPE: ClassVar[str] = "case.corrected"


@dataclass(frozen=True, kw_only=True)
class CaseReferred(CaseNews):
    """The case climbed to a higher level or was handed down (逐级上报, 逐级下派)."""

    TYPE: ClassVar[str] = "case.referred"
    division: str


@dataclass(frozen=True, kw_only=True)
class CaseAccepted(CaseNews):
    """The owner has taken the case on."""

    TYPE: ClassVar[str] = "case.accepted"


@dataclass(frozen=True, kw_only=True)
class CaseArrived(CaseNews):
    """The owner stands at the place (到场)."""

    TYPE: ClassVar[str] = "case.arrived"
    distance_m: float | None = None  # None: the phone had no place, and said why


@dataclass(frozen=True, kw_only=True)
class CaseStarted(CaseNews):
    """Work has begun on the spot."""

    TYPE: ClassVar[str] = "case.started"


@dataclass(frozen=True, kw_only=True)
class CaseHandedIn(CaseNews):
    """The work is said to be done, with evidence; a check follows."""

    TYPE: ClassVar[str] = "case.handed_in"


@dataclass(frozen=True, kw_only=True)
class CaseReworked(CaseNews):
    """The check failed; the same owner does it again."""

    TYPE: ClassVar[str] = "case.reworked"


@dataclass(frozen=True, kw_only=True)
class CaseClosed(CaseNews):
    """Checked and closed."""

    TYPE: ClassVar[str] = "case.closed"


@dataclass(frozen=True, kw_only=True)
class CaseVisited(CaseNews):
    """A visit was made, or could not be, and is over. What its form says is in no announcement."""

    TYPE: ClassVar[str] = "case.visited"
    visit_id: UUID
    result: str


@dataclass(frozen=True, kw_only=True)
class CaseSelfHandled(CaseNews):
    """Reported, filed and closed in one act by the officer on the spot (自行处置)."""

    TYPE: ClassVar[str] = "case.self_handled"


@dataclass(frozen=True, kw_only=True)
class CaseToCallBack(CaseNews):
    """A reporter of the closed case is to be asked by the desk of `division` (回访)."""

    TYPE: ClassVar[str] = "case.to_call_back"
    call_back_id: UUID
    level: str
    division: str


@dataclass(frozen=True, kw_only=True)
class CaseCalledBack(CaseNews):
    """A reporter was asked, or could not be."""

    TYPE: ClassVar[str] = "case.called_back"
    call_back_id: UUID
    level: str
    result: str


@dataclass(frozen=True, kw_only=True)
class CaseReopened(CaseNews):
    """A closed case runs again, in a new cycle."""

    TYPE: ClassVar[str] = "case.reopened"
    cycle: int


@dataclass(frozen=True, kw_only=True)
class CaseAppealed(CaseNews):
    """The owner of a case that was late asks for it to be left out of the statistics."""

    TYPE: ClassVar[str] = "case.appealed"


@dataclass(frozen=True, kw_only=True)
class CaseAppealSettled(CaseNews):
    """The appeal was granted or refused; late the case stays."""

    TYPE: ClassVar[str] = "case.appeal_settled"
    result: str


@dataclass(frozen=True, kw_only=True)
class CaseSuspended(CaseNews):
    """The clocks stand still until the date in the history (挂账)."""

    TYPE: ClassVar[str] = "case.suspended"


@dataclass(frozen=True, kw_only=True)
class CaseResumed(CaseNews):
    """The clocks run again."""

    TYPE: ClassVar[str] = "case.resumed"


@dataclass(frozen=True, kw_only=True)
class CaseRescheduled(CaseNews):
    """A new edition of its calendar moved the handling deadline; nobody made a move, the version stands."""

    TYPE: ClassVar[str] = "case.rescheduled"
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class CaseAdjusted(CaseNews):
    """Clocks follow outages (停机顺延): they stand still, or deadlines are others now. `due_at` is that of handling."""

    TYPE: ClassVar[str] = "case.adjusted"
    due_at: datetime | None
    outages: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class CaseExtended(CaseNews):
    """One more original limit was granted (延期)."""

    TYPE: ClassVar[str] = "case.extended"


@dataclass(frozen=True, kw_only=True)
class CaseCancelled(CaseNews):
    """The case was called off."""

    TYPE: ClassVar[str] = "case.cancelled"


@dataclass(frozen=True, kw_only=True)
class CaseMerged(CaseNews):
    """The case is the same as another, which goes on."""

    TYPE: ClassVar[str] = "case.merged"
    into: UUID


@dataclass(frozen=True, kw_only=True)
class CaseUnmerged(CaseNews):
    """The case is not the same as the other: it is one of its own again."""

    TYPE: ClassVar[str] = "case.unmerged"
    out_of: UUID
    pool: str


@dataclass(frozen=True, kw_only=True)
class CaseLinked(CaseNews):
    """The case is an effect of another and waits for it. `officer_id` or `department` had it until now."""

    TYPE: ClassVar[str] = "case.linked"
    cause_id: UUID
    officer_id: UUID | None
    department: str | None


@dataclass(frozen=True, kw_only=True)
class CaseUnlinked(CaseNews):
    """The case is no effect of the other any more and waits for routing."""

    TYPE: ClassVar[str] = "case.unlinked"
    cause_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseFollowed(CaseNews):
    """Its cause was closed: the effect is handled with it; a check follows."""

    TYPE: ClassVar[str] = "case.followed"
    cause_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseCauseReopened(CaseNews):
    """The cause that the case was handled with runs again; nobody made a move here, the version stands."""

    TYPE: ClassVar[str] = "case.cause_reopened"
    cause_id: UUID


@dataclass(frozen=True, kw_only=True)
class CaseCoAssigned(CaseNews):
    """A further department is asked for a part of the case (协办)."""

    TYPE: ClassVar[str] = "case.co_assigned"
    part_id: UUID
    department: str


@dataclass(frozen=True, kw_only=True)
class CaseCoHandedIn(CaseNews):
    """A further department has done its part."""

    TYPE: ClassVar[str] = "case.co_handed_in"
    part_id: UUID
    department: str


@dataclass(frozen=True, kw_only=True)
class CaseCoDeclined(CaseNews):
    """A further department says that the part is not for it."""

    TYPE: ClassVar[str] = "case.co_declined"
    part_id: UUID
    department: str


@dataclass(frozen=True, kw_only=True)
class CaseCoCalledOff(CaseNews):
    """A part is wanted no more: a desk said so, or the case went on without it."""

    TYPE: ClassVar[str] = "case.co_called_off"
    part_id: UUID
    department: str


@dataclass(frozen=True, kw_only=True)
class CaseReminded(CaseNews):
    """The desk reminds the owner (催办)."""

    TYPE: ClassVar[str] = "case.reminded"


@dataclass(frozen=True, kw_only=True)
class CaseNoted(CaseNews):
    """A note was added; the state stands."""

    TYPE: ClassVar[str] = "case.noted"


@dataclass(frozen=True, kw_only=True)
class CaseDeskAsked(CaseNews):
    """The owner asks the desk for more time, hands, means or advice (请示求助); the state stands."""

    TYPE: ClassVar[str] = "case.desk_asked"


@dataclass(frozen=True, kw_only=True)
class CaseSupervised(CaseNews):
    """A supervision order lies on the case (督办)."""

    TYPE: ClassVar[str] = "case.supervised"


@dataclass(frozen=True, kw_only=True)
class CaseOrderReplied(CaseNews):
    """The supervision order that lay on the case was replied to."""

    TYPE: ClassVar[str] = "case.order_replied"


@dataclass(frozen=True, kw_only=True)
class CaseUndone(CaseNews):
    """A bulk move was undone. `officer_id` or `department`: from whom the case was taken by that."""

    TYPE: ClassVar[str] = "case.undone"
    bulk_id: UUID
    undone: str
    officer_id: UUID | None
    department: str | None


@dataclass(frozen=True)
class Heard:
    """Somebody who hears a rung: `role` at `division`, by the chain of divisions (block), of the line, or both."""

    role: str
    division: str | None
    axis: str


@dataclass(frozen=True, kw_only=True)
class CaseEscalated(CaseNews):
    """A clock reached a rung. `role` at `division` hears; 'owner' means the case's own, of a part its department's."""

    TYPE: ClassVar[str] = "case.escalated"
    clock_id: UUID
    clock: str
    level: int
    effect: str
    role: str
    division: str | None
    late_by_s: float
    part_id: UUID | None = None  # of the clock of a part, which `department` does
    department: str | None = None
    axis: str = "block"
    also: tuple[Heard, ...] = ()  # who hears beside `role`


@dataclass(frozen=True, kw_only=True)
class CaseRegridded(CaseNews):
    """Another grid set is in force: the case follows into its cell. `officer_id`: who lost it by that."""

    TYPE: ClassVar[str] = "case.regridded"
    grid_set: int
    cell: str
    beat: str | None
    officer_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class OfficerDutyChanged(Announcement):
    """An officer went on or off duty."""

    TYPE: ClassVar[str] = "officer.duty_changed"
    officer_id: UUID
    on_duty: bool


@dataclass(frozen=True, kw_only=True)
class OfficerLeft(Announcement):
    """An officer's shift ended or an absence began, and cases stay with him that somebody should look at."""

    TYPE: ClassVar[str] = "officer.left"
    officer_id: UUID
    why: str
    left_at: datetime
    handed_over: int
    stay: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class CalendarYearMissing(Announcement):
    """Nobody has published this year of a calendar: deadlines in it are provisional."""

    TYPE: ClassVar[str] = "calendar.year_missing"
    calendar: str
    year: int


@dataclass(frozen=True, kw_only=True)
class OutageDeclared(Announcement):
    """Somebody says that a part of the city could not work (停机申报), and another person must approve it."""

    TYPE: ClassVar[str] = "outage.declared"
    outage_id: UUID
    reason: str
    division: str | None
    duty_line: str | None
    department: str | None


@dataclass(frozen=True, kw_only=True)
class CameraNews(Announcement):
    """News of one camera. `camera` is its code; `department` maintains it."""

    camera: str
    protocol: str
    department: str | None
    divisions: tuple[str, ...]  # from the top down


@dataclass(frozen=True, kw_only=True)
class CameraOffline(CameraNews):
    """An active camera has been silent for longer than it may be."""

    TYPE: ClassVar[str] = "camera.offline"
    heard_at: datetime


@dataclass(frozen=True, kw_only=True)
class CameraOnline(CameraNews):
    """A camera that was offline says something again."""

    TYPE: ClassVar[str] = "camera.online"
    offline_since: datetime


CATALOG: Final[dict[str, type[Announcement]]] = {
    kind.TYPE: kind
    for kind in (
        CaseReported, CaseLocated, CaseCheckWanted, CaseCheckUnmanned, CaseNotReached, CaseCheckSent, CaseChecked,
        CaseFiled, CaseSeenAgain,
        CaseRejected, CaseAssigned, CaseHandedOver, CaseRelieved, CasePooled,
        CaseAlarm, CaseCalled, CaseAnswered, CaseDeclined, CaseCallEnded,
        CaseWaiting, CaseUnacknowledged, CaseReturned, CaseCorrected, CaseReferred, CaseAccepted, CaseArrived,
        CaseStarted, CaseHandedIn, CaseReworked, CaseClosed, CaseSelfHandled, CaseVisited, CaseToCallBack,
        CaseCalledBack,
        CaseReopened, CaseAppealed, CaseAppealSettled, CaseSuspended, CaseResumed, CaseRescheduled, CaseAdjusted,
        CaseExtended, CaseCancelled, CaseMerged, CaseUnmerged, CaseLinked, CaseUnlinked, CaseFollowed,
        CaseCauseReopened, CaseCoAssigned, CaseCoHandedIn, CaseCoDeclined, CaseCoCalledOff, CaseReminded, CaseNoted,
        CaseDeskAsked, CaseSupervised, CaseOrderReplied, CaseUndone, CaseEscalated, CaseRegridded,
        OfficerDutyChanged, OfficerLeft, CalendarYearMissing, OutageDeclared, CameraOffline, CameraOnline,
    )
}  # fmt: skip
"""Announcements by their type, in the order of a case's life."""
