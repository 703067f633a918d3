"""What a case is at one moment: its state, its facts, who acts on it and what he says.

Stages 1–7 of the national workflow are a projection of the states (STAGES); labels belong to the screens,
identifiers here are neutral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from geo.place import Place
from gridsvc.domain.access import Caller, Role, Whereabouts
from gridsvc.domain.call_back import CallBack
from gridsvc.domain.fix import Fix
from gridsvc.domain.undoing import Undoing


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
