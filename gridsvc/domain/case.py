"""The life of a case: its states, the one table of moves, and the decision whether a move may be made.

The table below is the law. It is drawn in `docs/states.md`, served in OpenAPI, and a generated
test walks state × move × role against it. Stages 1–7 of the national workflow are a projection
of the states (STAGES); labels belong to the screens, identifiers here are neutral.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from events.catalog import (
    CaseAccepted,
    CaseAdjusted,
    CaseAnswered,
    CaseAppealed,
    CaseAppealSettled,
    CaseArrived,
    CaseAssigned,
    CaseCalled,
    CaseCalledBack,
    CaseCancelled,
    CaseChecked,
    CaseCheckSent,
    CaseClosed,
    CaseCoAssigned,
    CaseCoCalledOff,
    CaseCoDeclined,
    CaseCoHandedIn,
    CaseCorrected,
    CaseDeclined,
    CaseDeskAsked,
    CaseEscalated,
    CaseExtended,
    CaseFiled,
    CaseFollowed,
    CaseHandedIn,
    CaseHandedOver,
    CaseLinked,
    CaseLocated,
    CaseMerged,
    CaseNews,
    CaseNoted,
    CaseOrderReplied,
    CasePooled,
    CaseReferred,
    CaseRegridded,
    CaseRejected,
    CaseRelieved,
    CaseReminded,
    CaseReopened,
    CaseReported,
    CaseResumed,
    CaseReturned,
    CaseReworked,
    CaseSelfHandled,
    CaseStarted,
    CaseSupervised,
    CaseSuspended,
    CaseUndone,
    CaseUnlinked,
    CaseUnmerged,
    CaseVisited,
)  # fmt: skip
from geo.place import Place
from geo.projection import metres_between
from gridsvc.domain.access import Caller, Role, Whereabouts, roles_over
from gridsvc.domain.call_back import CallBack
from gridsvc.domain.fix import Fix
from gridsvc.domain.reasons import REASONS, RESULTS, Reason, Reasons
from gridsvc.domain.supervision import KINDS, LEVELS
from gridsvc.domain.undoing import Undoing, in_time
from gridsvc.errors import BadRequest, GuardFailed, NotAllowed, WrongMoment


class State(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    FILED = "filed"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    HANDLED = "handled"
    CLOSED = "closed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    MERGED = "merged"


class Pool(StrEnum):
    """Where an open case without an owner is seen to wait."""

    FILING = "filing"  # 待立案: a desk must file or reject it
    LOCATE = "locate"  # 待定位: it has no place yet
    ROUTING = "routing"  # on its way to an owner; the reconciler watches
    DISPATCH = "dispatch"  # 待派遣: nobody was found, or it was given back
    CAUSE = "cause"  # 随主因处置: an effect of another case, and handled with it
    CALL = "call"  # 紧急呼叫: it rings with the nearest officers


class Clock(StrEnum):
    """The working-time budget of one stage."""

    FILING = "filing"
    DISPATCH = "dispatch"
    POOL = "pool"
    ACKNOWLEDGE = "acknowledge"
    HANDLING = "handling"
    CHECKING = "checking"
    ON_SITE = "on_site"  # somebody was sent to look
    SUPERVISION = "supervision"  # an order wants a reply
    CO_HANDLING = "co_handling"  # a part that a further department does; each part has its own
    STOP_IT = "stop_it"  # 制止: what is under way must stop; beside the handling, where the category says so
    CALL = "call"  # an emergency rings, and nobody has accepted
    CALL_BACK = "call_back"  # after closing: the reporter is asked; one for each who is


class Move(StrEnum):
    """Everything that can happen to a case."""

    REPORT = "report"
    LOCATE = "locate"
    SEND_CHECK = "send_check"
    CHECK = "check"
    FILE = "file"
    REJECT = "reject"
    ASSIGN = "assign"
    POOL = "pool"
    CALL = "call"
    SUMMON = "summon"
    WIDEN = "widen"
    ANSWER = "answer"
    RESPOND = "respond"
    DECLINE = "decline"
    RETURN = "return"
    FORWARD = "forward"
    CORRECT = "correct"
    REFER_UP = "refer_up"
    HAND_DOWN = "hand_down"
    HAND_OVER = "hand_over"
    RELIEVE = "relieve"
    TAKE_OVER = "take_over"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    START = "start"
    HAND_IN = "hand_in"
    REWORK = "rework"
    SEND_BACK = "send_back"
    CO_ASSIGN = "co_assign"
    CO_HAND_IN = "co_hand_in"
    CO_DECLINE = "co_decline"
    CO_CALL_OFF = "co_call_off"
    CLOSE = "close"
    SELF_HANDLE = "self_handle"
    VISIT = "visit"
    CALL_BACK = "call_back"
    REOPEN = "reopen"
    APPEAL = "appeal"
    SETTLE_APPEAL = "settle_appeal"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    CANCEL = "cancel"
    MERGE = "merge"
    UNMERGE = "unmerge"
    LINK = "link"
    UNLINK = "unlink"
    FOLLOW = "follow"
    REMIND = "remind"
    NOTE = "note"
    ASK_DESK = "ask_desk"
    SUPERVISE = "supervise"
    REPLY = "reply"
    UNDO = "undo"
    ESCALATE = "escalate"
    REGRID = "regrid"
    ADJUST = "adjust"


FINAL: Final = frozenset({State.CLOSED, State.REJECTED, State.CANCELLED, State.MERGED})
OPEN: Final = frozenset(State) - FINAL
OWNED: Final = frozenset({State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS})

BESIDE: Final = frozenset({Clock.STOP_IT})
"""Clocks that run beside another one, and only where a limit is set for them; they begin when a filed case is owned."""

RUN_ON_CLOSED: Final = frozenset({Clock.ON_SITE, Clock.CALL_BACK})
"""Clocks that may run on a closed case: somebody looks again at it. The sweeper and the ledger ask here."""

STAGES: Final[dict[State, int]] = {
    State.REPORTED: 1,  # 信息收集
    State.FILED: 2,  # 案卷建立
    State.ASSIGNED: 3,  # 任务派遣
    State.ACCEPTED: 4,  # 任务处理
    State.IN_PROGRESS: 4,
    State.HANDLED: 5,  # 处理反馈
    State.CLOSED: 6,  # 核查结案
    State.REJECTED: 6,
    State.CANCELLED: 6,
    State.MERGED: 6,
}
"""Stage of the national workflow (鲁建城字〔2014〕19号); 7, 综合评价, belongs to no single case."""


class Party(StrEnum):
    """Who may make a move besides the roles of people."""

    OWNER = "owner"  # the case's officer, or a handler of its department
    CHECKER = "checker"  # the officer who was sent to look at it
    CALLED = "called"  # an officer with whom the emergency rings
    RESPONDER = "responder"  # the officer who was called to be first on the scene, and accepted
    DEPARTMENT = "department"  # who leads the department that owns it: its supervisor
    CO_OWNER = "co_owner"  # a handler of a department that has an open part of it
    MAKER = "maker"  # who made the bulk move that is undone
    ROUTER = "router"  # the routing worker
    SWEEPER = "sweeper"  # the escalation worker
    CAUSE = "cause"  # what becomes of the case that this one is an effect of


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a decision needs to know of a case; the row has more (gridsvc/store/cases.py)."""

    id: UUID
    version: int
    cycle: int
    state: State
    suspended: bool
    duty_line: str
    severity: str
    desk_path: tuple[str, ...]  # down to the division whose desk holds it while the place is unknown
    divisions: tuple[str, ...]
    cell_code: str | None
    beat_code: str | None
    pool: Pool | None
    assignment_id: UUID | None
    officer_id: UUID | None
    department: str | None
    handler_id: UUID | None
    reported_by: str
    extensions: int
    due_at: datetime | None
    held_by: str | None = None  # the level that has it since it was referred up or handed down
    suspensions: int = 0
    place: Place | None = None
    returned_by: str | None = None  # who gave it back, as `owner_name` writes it, until it is sent on
    late: bool = False  # in this cycle its handling limit passed before the work was handed in
    appeal: str | None = None  # open, granted or refused
    checker_id: UUID | None = None  # who was sent to look at it, until he has
    order_id: UUID | None = None  # the supervision order that waits for a reply
    co_departments: tuple[str, ...] = ()  # that have or had a part of it
    co_open: tuple[str, ...] = ()  # those of them whose part is open
    cause_id: UUID | None = None  # the case that it is an effect of
    effects: int = 0  # how many wait for it in the pool `cause`; counted for the moves that ask
    self_handled: bool = False
    visit: bool = False  # it came of a visit plan, and ends with what the visit found
    call_for: str | None = None  # what the call that rings wants: an owner, or somebody first on the scene
    called: tuple[UUID, ...] = ()  # with whom it rings
    responder_id: UUID | None = None  # who accepted to be first on the scene
    call_back: CallBack | None = None  # the one that somebody answers; looked up where a move names one
    undoing: Undoing | None = None  # what is undone; looked up where a bulk move is
    loses_owner: bool = False  # another beat has it from now on; decided where it follows a grid set

    def whereabouts(self) -> Whereabouts:
        """What decides who may see it."""
        return Whereabouts(
            divisions=self.divisions,
            duty_line=self.duty_line,
            department=self.department,
            co_departments=self.co_departments,
            officer=self.officer_id,
            handler=self.handler_id,
            checker=self.checker_id,
            called=self.called,
            responder=self.responder_id,
            reported_by=self.reported_by,
            desk_path=self.desk_path,
            held_by=self.held_by,
        )


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """What is said with a move. The table tells which of it a move needs and which it takes."""

    reason: str | None = None
    reason_code: str | None = None  # of the move's own list (gridsvc/domain/reasons.py)
    note: str | None = None
    officer: UUID | None = None
    department: str | None = None
    evidence: tuple[UUID, ...] = ()
    before: tuple[UUID, ...] = ()
    until: datetime | None = None
    into: UUID | None = None
    division: str | None = None
    location: Place | None = None
    condition: str | None = None
    category: str | None = None
    description: str | None = None
    address: str | None = None
    attributes: Mapping[str, str | int | float] | None = None  # as the caller wrote them
    result: str | None = None
    kind: str | None = None
    level: str | None = None
    wanted: str | None = None
    reply: str | None = None
    cause: UUID | None = None
    call_back: UUID | None = None
    satisfaction: int | None = None
    no_fix: str | None = None  # why the phone could not say where it is
    fix: Fix | None = None  # what the phone says of `location` besides


@dataclass(frozen=True)
class Actor:
    """Who makes the move: a caller, or one of our workers (`caller` None, `worker` its party).

    Both: what the worker may do is done on the order of the caller, whose name the history has.
    """

    caller: Caller | None = None
    worker: Party | None = None

    @property
    def id(self) -> str:
        """What the history writes down: user:…, key:… or worker:…"""
        return self.caller.id if self.caller else f"worker:{self.worker}"


@dataclass(frozen=True)
class AtVersion:
    """A move that was decided on this version of the case, and holds for no other."""

    version: int


@dataclass(frozen=True)
class WhileAssigned:
    """A move that holds while this assignment stands, whatever was announced since (a rung, a reminder)."""

    assignment_id: UUID


@dataclass(frozen=True)
class WhileCalled:
    """A move that holds while this call rings, however often it was widened since."""

    call_id: UUID


Expected = AtVersion | WhileAssigned | WhileCalled


CHECKS: Final = {State.REPORTED: "pre_filing_check", State.HANDLED: "closing_check", State.CLOSED: "re_check"}
"""Which check is made in which state. Cities call the first two 核实 and 核查, and not all the same one."""

ARRIVED_WITHIN_M: Final = 200.0
"""How far from the place somebody may stand who says that he has arrived."""

INEXACT_AT_MOST_M: Final = 100.0

TELLS_WITHIN_M: Final = 500.0
"""A fix from mobile masts is inexact by a kilometre and more: it would stand at every place of a street."""


def inexact_m(position: Place) -> float:
    """What the accuracy of a position adds to a distance that is allowed; nothing where it is not stated."""
    return min(position.accuracy_m or 0.0, INEXACT_AT_MOST_M)


def owner_name(officer: UUID | None, department: str | None) -> str | None:
    """An owner as `returned_by` keeps him: officer:<id> or department:<code>; None for nobody."""
    if officer is not None:
        return f"officer:{officer}"
    return f"department:{department}" if department is not None else None


Guard = Callable[[Case, Actor, Particulars, datetime], str | None]
"""Says why the move may not be made now, or None. Named after what it demands."""


def running(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A suspended case stands still: nothing is handled until it is resumed."""
    return "the case is suspended; resume it first" if case.suspended else None


def suspended(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a suspended case can be resumed."""
    return None if case.suspended else "the case is not suspended"


def names_an_owner(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """An assignment goes to an officer or a department, never to both."""
    if said.officer and said.department:
        return "an officer and a department are named; want one of them"
    return None if said.officer or said.department else "neither officer nor department is named"


def not_given_back(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who receives a return corrects it or sends it on; nobody acts on it as if it were new."""
    return "the case was given back; forward it to another owner, or correct it" if case.returned_by else None


def given_back(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what an owner gave back is forwarded."""
    return None if case.returned_by else "nobody gave the case back; assign it"


def to_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What was given back does not go to the very owner who gave it back."""
    if case.returned_by == owner_name(said.officer, said.department):
        return f"{case.returned_by} gave the case back; want another, or correct what was wrong"
    return None


def waits_for_a_person(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What stands in the dispatch pool or rings is corrected; what is on its way to routing is left alone."""
    if case.pool in {Pool.DISPATCH, Pool.CALL}:
        return None
    return f"the case stands in the pool {case.pool}; want one in dispatch or call"


def corrects_something(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A correction says what is right instead."""
    if said.category or said.location or said.description or said.address or said.attributes:
        return None
    return "nothing is corrected; want a category, a location, a description, an address or attributes"


def says_where(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who has arrived sends his position, or says why his phone has none; never both."""
    if (said.location is None) == (said.no_fix is None):
        return "want location, or no_fix with the reason why the phone has none"
    return None


def exact_enough(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A position that is inexact by more than 500 m says nothing of where somebody stands."""
    accuracy_m = said.location.accuracy_m if said.location else None
    if accuracy_m is None or accuracy_m <= TELLS_WITHIN_M:
        return None
    return f"the position is exact to {accuracy_m:.0f} m; want at most {TELLS_WITHIN_M:.0f} m, or say no_fix"


def at_the_place(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who has arrived stands within 200 m of the place, or further by what his position is inexact, at most 100 m."""
    if said.location is None:
        return None
    if case.place is None:
        return "the case has no place yet"
    away, allowed = metres_between(case.place, said.location), ARRIVED_WITHIN_M + inexact_m(said.location)
    return None if away <= allowed else f"the position is {away:.0f} m from the case; want at most {allowed:.0f} m"


def was_late(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who was not late has nothing to appeal against."""
    return None if case.late else "the case was not late"


def never_appealed(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A closing is appealed against once."""
    return None if case.appeal is None else f"an appeal was made already and is {case.appeal}"


def looked_at_by_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is sent to look is not the one who handled it."""
    if said.officer is not None and said.officer in {case.officer_id, case.handler_id}:
        return "who handled the case is not sent to check it"
    return None


def open_or_self_handled(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Of the closed cases those are looked at again that nobody but their officer has seen."""
    if case.state is State.CLOSED and not case.self_handled:
        return "the case was checked before it was closed; reopen it if the matter is back"
    return None


def no_order_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """One supervision order at a time: the next one when this one is replied to."""
    return "an order on this case still waits for its reply" if case.order_id else None


def an_order_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only an order is replied to."""
    return None if case.order_id else "no supervision order waits for a reply"


def called_to_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is called to answer for the case answers; who is called to be first on the scene responds."""
    return None if case.call_for == "owner" else "the call is for who comes first; respond to it"


def called_to_help(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is called to be first on the scene responds; who is called to answer for the case answers."""
    return None if case.call_for == "first_on_scene" else "the call is for who answers for the case; answer it"


def rings(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a call that rings is widened."""
    return None if case.call_for else "no call rings for the case"


def nothing_rings(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case rings for one thing at a time."""
    return "a call rings for the case already" if case.call_for else None


def has_an_open_appeal(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only an appeal that waits is settled."""
    return None if case.appeal == "open" else "no appeal waits to be settled"


def an_officers_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What an officer answers for is handed over; a department finds somebody itself."""
    return None if case.officer_id is not None else "no officer answers for the case"


def to_a_colleague(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Nobody hands a case over to himself."""
    return "the officer named has the case already; want a colleague" if said.officer == case.officer_id else None


def lies_in_a_cell(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is filed is owned by a cell."""
    return None if case.cell_code else "the case has no place yet; give it one first"


def brings_evidence(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Work is handed in with at least one file; that a photograph is among them is looked up (docs/rules/files.md)."""
    return None if said.evidence else "evidence is empty; want at least one photograph"


def is_a_visit(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what came of a visit plan ends with the result of a visit."""
    return None if case.visit else "the case came of no visit plan; hand it in"


def not_a_visit(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What came of a visit plan ends with its result, not with evidence that a desk checks."""
    return "the case is a visit; say its result with POST /api/v1/visits/{id}/result" if case.visit else None


def before_and_after(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Self-handling (自行处置) is proved by both photographs."""
    if not (said.before and said.evidence):
        return "want a photograph from before and one from after"
    if set(said.before) & set(said.evidence):
        return "the same photograph is named as before and as after"
    return None


def not_grave(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What may hurt somebody is filed and checked by another, however quickly it was put right."""
    if case.severity in {"high", "emergency"}:
        return f"what is of severity {case.severity} is reported, not settled on the spot"
    return None


def checked_by_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who checks a closing is neither the handler nor of its department (监管分离)."""
    caller = actor.caller
    if caller is None:
        return None
    if caller.user_id is not None and caller.user_id in {case.officer_id, case.handler_id}:
        return "who handled the case does not close it"
    if case.department and any(g.department == case.department for g in caller.grants):
        return "the department that handled the case does not close it"
    if any(g.department in case.co_departments for g in caller.grants):
        return "a department that had a part of the case does not close it"
    return None


def not_late(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Once overdue a limit is neither extended nor suspended."""
    return "the case is overdue" if case.due_at is not None and now > case.due_at else None


def never_suspended(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is suspended once in its life, however often it is reopened."""
    return "the case was suspended before; it may be once" if case.suspensions else None


def to_a_level_above(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is referred to a division above the level that holds it."""
    held_by = case.held_by or case.divisions[-1]
    above = case.divisions[: case.divisions.index(held_by)]
    if said.division in above:
        return None
    return f"division {said.division} is not above {held_by}; want one of {', '.join(above) or 'none: it is the top'}"


def to_a_level_below(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is handed to a division below the level that holds it, on the way down to where it lies."""
    held_by = case.held_by or case.divisions[0]
    below = case.divisions[case.divisions.index(held_by) + 1 :]
    if said.division in below:
        return None
    return f"division {said.division} is not below {held_by}; want one of {', '.join(below) or 'none: it is lowest'}"


def at_most_two(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A limit is extended twice at most."""
    return "the limit was extended twice already" if case.extensions >= 2 else None


def ends_within_a_year(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A suspension has an end, at most a year away."""
    if said.until is None or not now < said.until <= now + timedelta(days=366):
        return "until must lie in the future, at most a year away"
    return None


def not_the_leads_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A part goes to a further department; the lead's own does the whole."""
    return f"department {said.department} has the lead" if said.department == case.department else None


def has_no_open_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A department has one part of a case at a time."""
    return f"department {said.department} has an open part already" if said.department in case.co_open else None


def has_an_open_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a part that is open is called off."""
    if said.department in case.co_open:
        return None
    wanted = ", ".join(case.co_open) or "none: all are over"
    return f"department {said.department} has no open part; want one of {wanted}"


def means_one_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who handles for several departments that have parts says which part he means."""
    mine = parts_of(case, actor.caller) if actor.caller else []
    if len(mine) == 1 and said.department is None:
        return None
    if said.department in mine:
        return None
    return f"department {said.department} is none of your open parts here; want one of {', '.join(mine)}"


def parts_are_over(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is closed as a whole: with all that further departments were asked to do."""
    if not case.co_open:
        return None
    return f"parts are open: {', '.join(case.co_open)}; wait for them, or call them off"


def stands_for_itself(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is handled with its cause is not dispatched or sent back by itself."""
    return f"the case is an effect of {case.cause_id}; unlink it first" if case.cause_id else None


def is_an_effect(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what was linked to a cause is unlinked, or handled with it."""
    return None if case.cause_id else "the case is no effect of another"


def not_linked_to_it(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is an effect of a case already is not linked to it again."""
    return "the case is an effect of that very case already" if said.cause == case.cause_id else None


def has_no_effects(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """No chains: a case that has effects is not an effect itself."""
    return f"{case.effects} cases are effects of this one; link them to its cause instead" if case.effects else None


def not_its_own_cause(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """The cause is another case."""
    return "a case cannot be its own cause" if said.cause == case.id else None


def call_back_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only who is to be asked is asked, and once."""
    return None if case.call_back else f"no call-back {said.call_back} of this case waits"


def calls_for_its_level(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """The district's call-back is made by a desk of the district or above, the city's by the city's."""
    if case.call_back is None or actor.caller is None:
        return None
    asked_at = replace(case.whereabouts(), held_by=case.call_back.division)
    if Role.ACCEPTOR in roles_over(actor.caller, asked_at):
        return None
    return f"this call-back is made by an acceptor of {case.call_back.division}, or of a division above"


def was_reached(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only who answered is content, or is not."""
    if said.satisfaction is None or said.result in {"solved", "not_solved"}:
        return None
    return f"satisfaction {said.satisfaction} is said of somebody who did not answer"


def can_be_undone(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Undone is what a bulk move made, and only what."""
    return None if case.undoing else "no bulk move is undone"


def in_time_to_undo(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A bulk move is undone within half an hour."""
    if case.undoing is None or in_time(case.undoing.made_at, now):
        return None
    return "the bulk move was made more than 30 minutes ago"


def not_late_without_it(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """An extension is not taken back where the case would be late at once."""
    if case.undoing is None or case.undoing.due_without is None or now <= case.undoing.due_without:
        return None
    return f"without the extension the case was due at {case.undoing.due_without.isoformat()}; late it would be at once"


def not_itself(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is merged into another one."""
    return "a case cannot be merged into itself" if said.into == case.id else None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of the table: from where to where, by whom, with what, and what follows."""

    move: Move
    says: str  # one sentence for people, in `docs/states.md` and OpenAPI
    before: frozenset[State]  # empty: a birth
    after: State | None  # None: the state stands
    by: frozenset[Role | Party]
    needs: tuple[str, ...] = ()  # Particulars that must be given
    takes: tuple[str, ...] = ()  # Particulars that may be given
    guards: tuple[Guard, ...] = ()
    starts: tuple[Clock, ...] = ()
    stops: tuple[Clock, ...] = ()
    pool: Pool | None = None  # where the case waits afterwards; None: with its owner
    tells: type[CaseNews] = field(default=CaseNews)
    over_http: bool = False


_DESK: Final = frozenset[Role | Party]({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR})
_DISPATCH: Final = frozenset[Role | Party]({Role.DISPATCHER, Role.SUPERVISOR})
_OWNER: Final = frozenset[Role | Party]({Party.OWNER})
_ROUTER: Final = frozenset[Role | Party]({Party.ROUTER})
_CO_OWNER: Final = frozenset[Role | Party]({Party.CO_OWNER})
_WITH_PARTS: Final = OWNED | {State.FILED, State.HANDLED}  # a part goes on while the case looks for another lead
_CALLED: Final = frozenset[Role | Party]({Party.CALLED})
_EVERY_CLOCK: Final = tuple(Clock)

MOVES: Final[dict[Move, Rule]] = {
    rule.move: rule
    for rule in (
        Rule(
            move=Move.REPORT, says="A report becomes a case that waits for the acceptor (上报).",
            before=frozenset(), after=State.REPORTED, by=frozenset({*_DESK, Role.OFFICER}),
            starts=(Clock.FILING,), pool=Pool.FILING, tells=CaseReported,
        ),
        Rule(
            move=Move.LOCATE, says="A report without a place is given one; it may then be filed (定位).",
            before=frozenset({State.REPORTED}), after=State.REPORTED, by=_DESK, needs=("location",), takes=("note",),
            pool=Pool.FILING, tells=CaseLocated, over_http=True,
        ),
        Rule(
            move=Move.SEND_CHECK,
            says="An officer is sent to look: before the filing or closing, or again after a self-handling (派核).",
            before=frozenset(CHECKS), after=None, by=_DESK | _ROUTER, takes=("officer", "note"),
            guards=(lies_in_a_cell, open_or_self_handled, looked_at_by_another), stops=(Clock.ON_SITE,),
            starts=(Clock.ON_SITE,), tells=CaseCheckSent, over_http=True,
        ),
        Rule(
            move=Move.CHECK, says="The officer says what he found, with a photograph (核查反馈).",
            before=frozenset(CHECKS), after=None, by=frozenset({Party.CHECKER}),
            needs=("result", "evidence"), takes=("note", "attributes"), stops=(Clock.ON_SITE,),
            tells=CaseChecked, over_http=True,
        ),
        Rule(
            move=Move.FILE, says="The case gets its number and goes to routing (立案).",
            before=frozenset({State.REPORTED}), after=State.FILED, by=_DESK, takes=("note", "condition", "attributes"),
            guards=(lies_in_a_cell,), stops=(Clock.FILING, Clock.ON_SITE), starts=(Clock.DISPATCH,), pool=Pool.ROUTING,
            tells=CaseFiled, over_http=True,
        ),
        Rule(
            move=Move.REJECT, says="The report is not taken up (不予立案).",
            before=frozenset({State.REPORTED}), after=State.REJECTED, by=_DESK, needs=("reason",),
            takes=("reason_code",), stops=_EVERY_CLOCK, tells=CaseRejected, over_http=True,
        ),
        Rule(
            move=Move.ASSIGN, says="An officer or a department answers for the case from now on (派遣).",
            before=frozenset({State.FILED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS}), after=State.ASSIGNED,
            by=_DISPATCH | _ROUTER, takes=("officer", "department", "note"),
            guards=(running, not_given_back, stands_for_itself, names_an_owner),
            stops=(Clock.DISPATCH, Clock.POOL, Clock.ACKNOWLEDGE, Clock.CALL),
            starts=(Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT), tells=CaseAssigned, over_http=True,
        ),
        Rule(
            move=Move.POOL, says="Routing found nobody: the case waits in the pool, the desk hears at once (待派遣).",
            before=frozenset({State.FILED, State.ASSIGNED}), after=State.FILED, by=_ROUTER | {Party.SWEEPER},
            needs=("reason",), guards=(running,), stops=(Clock.DISPATCH, Clock.ACKNOWLEDGE), starts=(Clock.POOL,),
            pool=Pool.DISPATCH, tells=CasePooled,
        ),
        Rule(
            move=Move.CALL, says="An emergency rings with the nearest officers: who accepts first, owns it (紧急呼叫).",
            before=frozenset({State.FILED, State.ASSIGNED}), after=State.FILED, by=_ROUTER, guards=(running,),
            stops=(Clock.DISPATCH, Clock.ACKNOWLEDGE, Clock.POOL), starts=(Clock.CALL,), pool=Pool.CALL,
            tells=CaseCalled,
        ),
        Rule(
            move=Move.SUMMON,
            says="The nearest officers are called to be first on the scene; the department keeps the case (先期处置).",
            before=frozenset({State.FILED, State.ASSIGNED}), after=None, by=_ROUTER,
            guards=(running, nothing_rings, stands_for_itself), starts=(Clock.CALL,), tells=CaseCalled,
        ),
        Rule(
            move=Move.WIDEN, says="Nobody has accepted in time: the call goes further and to more (扩大呼叫).",
            before=frozenset({State.FILED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS}), after=None,
            by=frozenset({Party.SWEEPER}), guards=(rings,), tells=CaseCalled,
        ),
        Rule(
            move=Move.ANSWER, says="The first who accepts the call owns the case, and it is accepted at once (应答).",
            before=frozenset({State.FILED}), after=State.ACCEPTED, by=_CALLED, takes=("note",),
            guards=(called_to_own,), stops=(Clock.CALL, Clock.DISPATCH, Clock.POOL),
            starts=(Clock.HANDLING, Clock.STOP_IT),
            tells=CaseAnswered, over_http=True,
        ),
        Rule(
            move=Move.RESPOND, says="The first who accepts goes there before the department does (先期处置应答).",
            before=frozenset({State.FILED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS}), after=None, by=_CALLED,
            takes=("note",), guards=(running, called_to_help), stops=(Clock.CALL,), tells=CaseAnswered,
            over_http=True,
        ),
        Rule(
            move=Move.DECLINE, says="Who is called cannot come, and says why; it rings with the others (拒绝).",
            before=frozenset({State.FILED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS}), after=None, by=_CALLED,
            needs=("reason",), takes=("reason_code",), tells=CaseDeclined, over_http=True,
        ),
        Rule(
            move=Move.RETURN, says="The owner gives the case back to the dispatcher; nothing entered is lost (退回).",
            before=OWNED, after=State.FILED, by=_OWNER, needs=("reason",), takes=("reason_code",), guards=(running,),
            stops=(Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.CALL), starts=(Clock.POOL,),
            pool=Pool.DISPATCH,
            tells=CaseReturned, over_http=True,
        ),
        Rule(
            move=Move.FORWARD, says="Who receives a case that was given back sends it on to another owner (转派).",
            before=frozenset({State.FILED}), after=State.ASSIGNED, by=_DISPATCH,
            takes=("officer", "department", "note"), guards=(running, given_back, names_an_owner, to_another),
            stops=(Clock.DISPATCH, Clock.POOL, Clock.CALL), starts=(Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT),
            tells=CaseAssigned, over_http=True,
        ),
        Rule(
            move=Move.CORRECT,
            says="What is wrong in a case that waits is corrected, and the case is routed by the rules anew (更正).",
            before=frozenset({State.FILED}), after=State.FILED, by=_DESK,
            takes=("category", "location", "description", "address", "attributes", "note"),
            guards=(running, waits_for_a_person, corrects_something), stops=(Clock.POOL, Clock.CALL),
            starts=(Clock.DISPATCH,), pool=Pool.ROUTING, tells=CaseCorrected, over_http=True,
        ),
        Rule(
            move=Move.REFER_UP, says="A level that cannot settle the case passes it to the one above (逐级上报).",
            before=OWNED | {State.FILED}, after=State.FILED, by=_OWNER | _DISPATCH, needs=("reason", "division"),
            takes=("reason_code",), guards=(running, stands_for_itself, to_a_level_above),
            stops=(Clock.DISPATCH, Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.POOL, Clock.STOP_IT, Clock.CALL),
            starts=(Clock.POOL,), pool=Pool.DISPATCH, tells=CaseReferred, over_http=True,
        ),
        Rule(
            move=Move.HAND_DOWN, says="The desk passes the case to a level below (逐级下派).",
            before=frozenset({State.FILED}), after=State.FILED, by=_DISPATCH, needs=("division",), takes=("note",),
            guards=(running, stands_for_itself, to_a_level_below), stops=(Clock.DISPATCH, Clock.POOL, Clock.CALL),
            starts=(Clock.POOL,), pool=Pool.DISPATCH, tells=CaseReferred, over_http=True,
        ),
        Rule(
            move=Move.HAND_OVER,
            says="The officer hands the case over to a colleague who is there, with a note; its limit goes on (交接).",
            before=OWNED, after=State.ASSIGNED, by=_OWNER, needs=("officer", "note"),
            guards=(running, an_officers_own, to_a_colleague), stops=(Clock.ACKNOWLEDGE,),
            starts=(Clock.ACKNOWLEDGE,), tells=CaseHandedOver, over_http=True,
        ),
        Rule(
            move=Move.RELIEVE,
            says="Its officer has left: the case looks for another, and its limit goes on (交班).",
            before=OWNED, after=State.FILED, by=_DISPATCH | {Party.SWEEPER}, needs=("reason",), takes=("note",),
            guards=(running, an_officers_own), stops=(Clock.ACKNOWLEDGE, Clock.CALL), starts=(Clock.DISPATCH,),
            pool=Pool.ROUTING, tells=CaseRelieved, over_http=True,
        ),
        Rule(
            move=Move.TAKE_OVER,
            says="Its officer is replaced while it is suspended: another has it, and it stays suspended (挂账移交).",
            before=OWNED, after=None, by=frozenset({Party.SWEEPER}), needs=("officer", "reason"),
            guards=(suspended, an_officers_own, to_a_colleague), tells=CaseAssigned,
        ),
        Rule(
            move=Move.ACCEPT, says="The owner has seen the case and takes it on (接收).",
            before=frozenset({State.ASSIGNED}), after=State.ACCEPTED, by=_OWNER, takes=("note",), guards=(running,),
            stops=(Clock.ACKNOWLEDGE,), tells=CaseAccepted, over_http=True,
        ),
        Rule(
            move=Move.ARRIVE, says="The owner, or who was called, is at the place, and his position says so (到场).",
            before=OWNED, after=None, by=_OWNER | {Party.RESPONDER}, takes=("location", "no_fix", "note"),
            guards=(running, says_where, exact_enough, at_the_place), stops=(Clock.STOP_IT,), tells=CaseArrived,
            over_http=True,
        ),
        Rule(
            move=Move.START, says="Work begins on the spot (开始处置).",
            before=frozenset({State.ACCEPTED}), after=State.IN_PROGRESS, by=_OWNER, takes=("note",), guards=(running,),
            stops=(Clock.STOP_IT,), tells=CaseStarted, over_http=True,
        ),
        Rule(
            move=Move.HAND_IN, says="The work is done, with evidence; the handling clock stops (处置反馈).",
            before=frozenset({State.ACCEPTED, State.IN_PROGRESS}), after=State.HANDLED, by=_OWNER,
            needs=("evidence",), takes=("before", "note"), guards=(running, not_a_visit, brings_evidence),
            stops=(Clock.HANDLING, Clock.STOP_IT, Clock.CALL), starts=(Clock.CHECKING,), tells=CaseHandedIn,
            over_http=True,
        ),
        Rule(
            move=Move.REWORK, says="The check failed: the same officer or department does it again (返工).",
            before=frozenset({State.HANDLED}), after=State.ASSIGNED, by=_DESK, needs=("reason",),
            takes=("reason_code",), guards=(running, stands_for_itself, checked_by_another),
            stops=(Clock.CHECKING, Clock.ON_SITE), starts=(Clock.ACKNOWLEDGE, Clock.HANDLING), tells=CaseReworked,
            over_http=True,
        ),
        Rule(
            move=Move.SEND_BACK,
            says="The department's head is not content: the same handler does it again, if still there (部门返工).",
            before=frozenset({State.HANDLED}), after=State.ASSIGNED, by=frozenset({Party.DEPARTMENT}),
            needs=("reason",), takes=("reason_code",), guards=(running, stands_for_itself),
            stops=(Clock.CHECKING, Clock.ON_SITE), starts=(Clock.ACKNOWLEDGE, Clock.HANDLING), tells=CaseReworked,
            over_http=True,
        ),
        Rule(
            move=Move.CO_ASSIGN,
            says="A further department is asked for a part of the case; the lead stays (协办派遣).",
            before=OWNED | {State.HANDLED}, after=None, by=_DISPATCH | {Party.OWNER, Party.DEPARTMENT},
            needs=("department", "wanted"), guards=(running, not_the_leads_own, has_no_open_part),
            starts=(Clock.CO_HANDLING,), tells=CaseCoAssigned, over_http=True,
        ),
        Rule(
            move=Move.CO_HAND_IN, says="A further department has done its part (协办反馈).",
            before=_WITH_PARTS, after=None, by=_CO_OWNER, needs=("reply",),
            takes=("department", "before", "evidence"), guards=(running, means_one_part),
            stops=(Clock.CO_HANDLING,), tells=CaseCoHandedIn, over_http=True,
        ),
        Rule(
            move=Move.CO_DECLINE,
            says="A further department says that the part is not for it; the desk hears (协办退回).",
            before=_WITH_PARTS, after=None, by=_CO_OWNER, needs=("reason",), takes=("reason_code", "department"),
            guards=(running, means_one_part), stops=(Clock.CO_HANDLING,), tells=CaseCoDeclined, over_http=True,
        ),
        Rule(
            move=Move.CO_CALL_OFF, says="A part is wanted no more (撤销协办).",
            before=_WITH_PARTS, after=None, by=_DISPATCH, needs=("department",), takes=("note",),
            guards=(has_an_open_part,), stops=(Clock.CO_HANDLING,), tells=CaseCoCalledOff, over_http=True,
        ),
        Rule(
            move=Move.CLOSE, says="The check passed: the case is closed (结案).",
            before=frozenset({State.HANDLED}), after=State.CLOSED, by=_DESK, takes=("note", "evidence"),
            guards=(running, checked_by_another, parts_are_over), stops=_EVERY_CLOCK, tells=CaseClosed, over_http=True,
        ),
        Rule(
            move=Move.SELF_HANDLE,
            says="The officer put it right on the spot: reported, filed and closed in one act (自行处置).",
            before=frozenset(), after=State.CLOSED, by=frozenset({Role.OFFICER}), needs=("before", "evidence"),
            takes=("note",), guards=(before_and_after, not_grave), tells=CaseSelfHandled,
        ),
        Rule(
            move=Move.VISIT,
            says="The officer was there, and says with the visit's form what he found; the visit is over (走访反馈).",
            before=OWNED, after=State.CLOSED, by=_OWNER, needs=("result",),
            guards=(running, is_a_visit, parts_are_over), stops=_EVERY_CLOCK, tells=CaseVisited,
        ),
        Rule(
            move=Move.CALL_BACK,
            says="The desk asks the reporter of a closed case; who says that it is not solved has it reopened (回访).",
            before=frozenset({State.CLOSED}), after=None, by=frozenset({Role.ACCEPTOR}), needs=("call_back", "result"),
            takes=("satisfaction", "note"),
            guards=(call_back_waits, calls_for_its_level, checked_by_another, was_reached),
            tells=CaseCalledBack, over_http=True,
        ),
        Rule(
            move=Move.REOPEN, says="The matter is back: the case runs again in a new cycle (重启).",
            before=frozenset({State.CLOSED}), after=State.FILED, by=_DESK, needs=("reason",), takes=("reason_code",),
            stops=(Clock.ON_SITE, Clock.CALL_BACK), starts=(Clock.DISPATCH,), pool=Pool.ROUTING, tells=CaseReopened,
            over_http=True,
        ),
        Rule(
            move=Move.APPEAL,
            says="The owner asks that a late case be left out of the statistics; late it stays (超时申诉).",
            before=frozenset({State.CLOSED}), after=None, by=_OWNER, needs=("reason",),
            takes=("reason_code", "evidence"), guards=(was_late, never_appealed), tells=CaseAppealed, over_http=True,
        ),
        Rule(
            move=Move.SETTLE_APPEAL, says="The appeal is granted or refused (申诉裁定).",
            before=frozenset({State.CLOSED}), after=None, by=frozenset({Role.SUPERVISOR}), needs=("result",),
            takes=("note",), guards=(has_an_open_appeal, checked_by_another), tells=CaseAppealSettled, over_http=True,
        ),
        Rule(
            move=Move.SUSPEND, says="The clocks stand still until a date (挂账).",
            before=OWNED, after=None, by=_DISPATCH, needs=("reason", "until"), takes=("reason_code",),
            guards=(running, never_suspended, not_late, ends_within_a_year), stops=(Clock.CALL,),
            tells=CaseSuspended, over_http=True,
        ),
        Rule(
            move=Move.RESUME, says="The clocks run again (恢复).",
            before=OWNED, after=None, by=_DISPATCH | {Party.SWEEPER}, takes=("note",), guards=(suspended,),
            tells=CaseResumed, over_http=True,
        ),
        Rule(
            move=Move.EXTEND, says="One more original limit is granted (延期).",
            before=OWNED, after=None, by=_DISPATCH, needs=("reason",), takes=("reason_code",),
            guards=(running, not_late, at_most_two), tells=CaseExtended, over_http=True,
        ),
        Rule(
            move=Move.CANCEL, says="The case is called off (作废).",
            before=OPEN, after=State.CANCELLED, by=_DISPATCH, needs=("reason",), takes=("reason_code",),
            stops=_EVERY_CLOCK, tells=CaseCancelled, over_http=True,
        ),
        Rule(
            move=Move.MERGE, says="The case is the same as another, which goes on (合并).",
            before=OPEN, after=State.MERGED, by=_DESK, needs=("into",), takes=("note",), guards=(not_itself,),
            stops=_EVERY_CLOCK, tells=CaseMerged, over_http=True,
        ),
        Rule(
            move=Move.UNMERGE,
            says="The two are not the same after all: the case is a case of its own again (撤销合并).",
            before=frozenset({State.MERGED}), after=State.REPORTED, by=_DESK, needs=("reason",),
            starts=(Clock.FILING,), pool=Pool.FILING, tells=CaseUnmerged, over_http=True,
        ),
        Rule(
            move=Move.LINK,
            says="The case is an effect of another: it waits for it and is handled with it (关联主因).",
            before=OWNED | {State.FILED}, after=State.FILED, by=_DESK | {Party.CAUSE}, needs=("cause",),
            takes=("note",), guards=(running, not_its_own_cause, not_linked_to_it, has_no_effects),
            stops=(Clock.DISPATCH, Clock.POOL, Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.CALL),
            pool=Pool.CAUSE, tells=CaseLinked, over_http=True,
        ),
        Rule(
            move=Move.UNLINK, says="The case stands for itself again, and is routed by the rules (解除关联).",
            before=frozenset({State.FILED, State.HANDLED}), after=State.FILED, by=_DESK | {Party.CAUSE},
            takes=("note",), guards=(is_an_effect, checked_by_another), stops=(Clock.CHECKING, Clock.ON_SITE),
            starts=(Clock.DISPATCH,), pool=Pool.ROUTING, tells=CaseUnlinked, over_http=True,
        ),
        Rule(
            move=Move.FOLLOW,
            says="Its cause was closed: the effect is handled with it, and waits for its check (随主因处置).",
            before=frozenset({State.FILED}), after=State.HANDLED, by=frozenset({Party.CAUSE}), needs=("cause",),
            guards=(is_an_effect,), starts=(Clock.CHECKING,), tells=CaseFollowed,
        ),
        Rule(
            move=Move.REMIND, says="The desk reminds the owner (催办).",
            before=OWNED, after=None, by=_DESK, takes=("note",), tells=CaseReminded, over_http=True,
        ),
        Rule(
            move=Move.NOTE, says="A note is added (备注).",
            before=OPEN, after=None, by=_DESK | _OWNER | {Party.RESPONDER}, needs=("note",), takes=("evidence",),
            tells=CaseNoted,
            over_http=True,
        ),
        Rule(
            move=Move.ASK_DESK, says="The owner asks the desk for more time, hands, means or advice (请示求助).",
            before=OWNED, after=None, by=_OWNER, needs=("reason",), takes=("reason_code", "evidence"),
            guards=(running,), tells=CaseDeskAsked, over_http=True,
        ),
        Rule(
            move=Move.SUPERVISE, says="A supervision order is laid on the case (督办).",
            before=OPEN, after=None, by=frozenset({Role.SUPERVISOR}), needs=("reason",),
            takes=("kind", "level", "wanted"), guards=(no_order_waits,), starts=(Clock.SUPERVISION,),
            tells=CaseSupervised, over_http=True,
        ),
        Rule(
            move=Move.REPLY, says="The supervision order is replied to (督办回复).",
            before=OPEN, after=None, by=_OWNER | _DISPATCH, needs=("reply",), takes=("evidence",),
            guards=(an_order_waits,), stops=(Clock.SUPERVISION,), tells=CaseOrderReplied, over_http=True,
        ),
        Rule(
            move=Move.UNDO,
            says="What a bulk move made of the case is undone: it stands as it stood before (撤销批量操作).",
            before=OWNED, after=None, by=frozenset({Party.MAKER, Role.SUPERVISOR}),
            guards=(can_be_undone, in_time_to_undo, not_late_without_it), tells=CaseUndone,
        ),
        Rule(
            move=Move.ESCALATE, says="A clock reached a rung of its ladder (升级). The sweeper's alone.",
            before=OPEN | {State.CLOSED}, after=None, by=frozenset({Party.SWEEPER}), tells=CaseEscalated,
        ),
        Rule(
            move=Move.REGRID,
            says="Another grid set is in force: the case follows into its cell and beat (网格调整).",
            before=OPEN, after=None, by=frozenset({Party.SWEEPER}), guards=(lies_in_a_cell,), tells=CaseRegridded,
        ),
        Rule(
            move=Move.ADJUST, says="Clocks follow an outage that was approved, ended or withdrawn (停机顺延).",
            before=frozenset(State), after=None, by=frozenset({Party.SWEEPER}), tells=CaseAdjusted,
        ),
    )
}  # fmt: skip
"""The one table of moves, in the order of a case's life."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A move that may be made: the rule, and what the case becomes."""

    rule: Rule
    state: State
    version: int
    cycle: int
    suspended: bool
    suspensions: int
    extensions: int
    pool: Pool | None
    held_by: str | None
    returned_by: str | None
    appeal: str | None
    cause_id: UUID | None


def decide(
    case: Case, move: Move, actor: Actor, said: Particulars, now: datetime, reasons: Reasons = REASONS
) -> Moved:
    """Whether `actor` may make `move` on `case` now, and what follows.

    Checked in this order: who (NotAllowed), when (WrongMoment), what is said (BadRequest), the
    move's own conditions (GuardFailed). Whether the caller may see the case at all is asked before.
    `reasons` are those of the city, where a person says one.
    """
    rule = _rule_of(case, move)
    _check_who(rule, case, actor)
    if case.state not in rule.before:
        raise WrongMoment(
            f"a case that is {case.state} cannot {move}",
            move=str(move),
            state=str(case.state),
            allowed=sorted(str(m) for m, r in MOVES.items() if r.over_http and case.state in r.before),
        )
    _check_what(rule, case, actor, said, now, reasons)
    return Moved(
        rule=rule,
        state=rule.after or case.state,
        version=case.version + 1,
        cycle=case.cycle + (move is Move.REOPEN),
        suspended=move is Move.SUSPEND or (case.suspended and not _resumes(case, move) and rule.after is None),
        suspensions=case.suspensions + (move is Move.SUSPEND) - _undoes(case, move, Move.SUSPEND),
        extensions=0
        if move is Move.REOPEN
        else case.extensions + (move is Move.EXTEND) - _undoes(case, move, Move.EXTEND),
        pool=_pool_after(case, rule),
        held_by=_holder(case, move, said),
        returned_by=_returned_by(case, rule),
        appeal=_appeal_after(case, move, said),
        cause_id=_cause_after(case, rule, said),
    )


def check_birth(case: Case, move: Move, actor: Actor, said: Particulars, now: datetime) -> None:
    """Whether `actor` may make `case`, as it would be, by `move`: refused like every other move."""
    rule = MOVES[move]
    _check_who(rule, case, actor)
    _check_what(rule, case, actor, said, now, REASONS)


def _check_who(rule: Rule, case: Case, actor: Actor) -> None:
    if not may_make(rule, case, actor):
        raise NotAllowed(
            f"{rule.move} is for {', '.join(sorted(rule.by))}",
            move=str(rule.move), wanted=sorted(str(by) for by in rule.by),
        )  # fmt: skip


def _check_what(
    rule: Rule, case: Case, actor: Actor, said: Particulars, now: datetime, reasons: Reasons
) -> None:
    check_particulars(rule, case, said, reasons)
    for guard in rule.guards:
        objection = guard(case, actor, said, now)
        if objection is not None:
            raise GuardFailed(objection, move=str(rule.move), guard=guard.__name__)


def _rule_of(case: Case, move: Move) -> Rule:
    """The row of the table. Where an assignment is undone, what follows is how the case stood before it.

    Where a case follows a grid set and its officer is not the new beat's, it goes to routing; its limit goes on.
    """
    rule, before = MOVES[move], case.undoing
    if move is Move.REGRID and case.loses_owner:
        return replace(
            rule, after=State.FILED, pool=Pool.ROUTING, starts=(Clock.DISPATCH,), stops=(Clock.ACKNOWLEDGE, Clock.CALL)
        )
    if move is not Move.UNDO or before is None or before.move != Move.ASSIGN:
        return rule
    if before.pool is not None:
        # The call that rang was ended by the assignment; routing lets it ring anew.
        pool = Pool.ROUTING if before.pool == Pool.CALL else Pool(before.pool)
        waits = Clock.DISPATCH if pool is Pool.ROUTING else Clock.POOL
        return replace(
            rule, after=State(before.state), pool=pool, starts=(waits,),
            stops=(Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.CALL),
        )  # fmt: skip
    starts = (Clock.ACKNOWLEDGE,) if before.state == State.ASSIGNED else ()
    return replace(rule, after=State(before.state), stops=(Clock.ACKNOWLEDGE,), starts=starts)


def _undoes(case: Case, move: Move, what: Move) -> bool:
    return move is Move.UNDO and case.undoing is not None and case.undoing.move == what


def _resumes(case: Case, move: Move) -> bool:
    return move is Move.RESUME or _undoes(case, move, Move.SUSPEND)


def _pool_after(case: Case, rule: Rule) -> Pool | None:
    if rule.after is None:
        return case.pool
    if rule.move is Move.UNMERGE and case.cell_code is None:
        return Pool.LOCATE
    return rule.pool


def _returned_by(case: Case, rule: Rule) -> str | None:
    if rule.move is Move.RETURN:
        return owner_name(case.officer_id, case.department)
    return case.returned_by if rule.after is None else None


def _appeal_after(case: Case, move: Move, said: Particulars) -> str | None:
    if move is Move.APPEAL:
        return "open"
    if move is Move.SETTLE_APPEAL:
        return said.result
    return None if move is Move.REOPEN else case.appeal  # a new cycle may be late, and appealed against, anew


def _cause_after(case: Case, rule: Rule, said: Particulars) -> UUID | None:
    if rule.move is Move.LINK:
        return said.cause
    # Handled and closed with its cause it is remembered as its effect; on every other way it stands for itself.
    return case.cause_id if rule.after is None or rule.move in {Move.FOLLOW, Move.CLOSE} else None


def _holder(case: Case, move: Move, said: Particulars) -> str | None:
    if move in {Move.REFER_UP, Move.HAND_DOWN}:
        return said.division
    return None if move is Move.REOPEN else case.held_by  # a new cycle begins where every case begins


def may_make(rule: Rule, case: Case, actor: Actor) -> bool:
    """Whether `actor` is one of those who may make the move on this very case."""
    if actor.caller is None or actor.worker in rule.by:
        return actor.worker in rule.by
    parties: set[Role | Party] = set(roles_over(actor.caller, case.whereabouts()))
    if is_owner(case, actor.caller):
        parties.add(Party.OWNER)
    if case.checker_id is not None and actor.caller.user_id == case.checker_id:
        parties.add(Party.CHECKER)
    if actor.caller.user_id in case.called:
        parties.add(Party.CALLED)
    if case.responder_id is not None and actor.caller.user_id == case.responder_id:
        parties.add(Party.RESPONDER)
    if leads_department(case, actor.caller):
        parties.add(Party.DEPARTMENT)
    if parts_of(case, actor.caller):
        parties.add(Party.CO_OWNER)
    if case.undoing is not None and actor.caller.id == case.undoing.made_by:
        parties.add(Party.MAKER)
    return not parties.isdisjoint(rule.by)


def is_owner(case: Case, caller: Caller) -> bool:
    """Whether `caller` answers for the case: its officer, or a handler of its department in its area."""
    if case.officer_id is not None:
        return caller.user_id == case.officer_id
    if case.department is None:
        return False
    areas = case.whereabouts().areas()
    return any(
        g.role is Role.HANDLER and g.department == case.department and g.division in areas
        for g in caller.grants
    )


def parts_of(case: Case, caller: Caller) -> list[str]:
    """The departments that have an open part of the case and for which `caller` handles, in its area."""
    areas = case.whereabouts().areas()
    handles = {g.department for g in caller.grants if g.role is Role.HANDLER and g.division in areas}
    return [each for each in case.co_open if each in handles]


def leads_department(case: Case, caller: Caller) -> bool:
    """Whether `caller` is a supervisor of the department that owns the case, in its area."""
    if case.department is None:
        return False
    areas = case.whereabouts().areas()
    return any(
        g.role is Role.SUPERVISOR and g.department == case.department and g.division in areas for g in caller.grants
    )


def check_particulars(rule: Rule, case: Case, said: Particulars, reasons: Reasons = REASONS) -> None:
    """Refuse what the move needs and was not said, what was said and the move does not take, and unknown codes.

    A reason of the move's list stands for the words of one, unless it is one that wants words.
    """
    reason = _checked_reason(rule, said, reasons)
    for name in rule.needs:
        if not (getattr(said, name) or (name == "reason" and reason is not None and not reason.wants_words)):
            raise BadRequest(f"{rule.move} needs {name}", field=name, wanted=list(rule.needs))
    for name, value in vars(said).items():
        asked_as = "no_fix" if name == "fix" else name  # who may say that there is none says of it what it is
        if value and asked_as not in rule.needs and asked_as not in rule.takes:
            raise BadRequest(
                f"{rule.move} does not take {name}", field=name, wanted=sorted({*rule.needs, *rule.takes})
            )
    for name, known in _codes(rule, case).items():
        given = getattr(said, name)
        if given is not None and given not in known:
            raise BadRequest(f"{name} {given!r} does not exist for {rule.move}", field=name, given=given, wanted=known)


def _codes(rule: Rule, case: Case) -> dict[str, list[str]]:
    """The particulars of this move that are codes, and which there are."""
    if rule.move is Move.SUPERVISE:
        return {"kind": [each.code for each in KINDS], "level": [each.code for each in LEVELS]}
    if rule.move is Move.CHECK:
        return {"result": [each.code for each in RESULTS[CHECKS[case.state]]]}
    if rule.move is Move.SETTLE_APPEAL:
        return {"result": [each.code for each in RESULTS["appeal"]]}
    if rule.move is Move.CALL_BACK:
        return {"result": [each.code for each in RESULTS["call_back"]]}
    if rule.move is Move.VISIT:
        return {"result": [each.code for each in RESULTS["visit"]]}
    return {}


def _checked_reason(rule: Rule, said: Particulars, reasons: Reasons) -> Reason | None:
    if not said.reason_code or "reason_code" not in rule.takes:
        return None
    known = {each.code: each for each in reasons[rule.move] if each.active}
    if said.reason_code not in known:
        raise BadRequest(
            f"{said.reason_code!r} is no reason to {rule.move}",
            field="reason_code", given=said.reason_code, wanted=list(known),
        )  # fmt: skip
    return known[said.reason_code]
