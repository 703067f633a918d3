"""The life of a case: the one table of moves, and the decision whether a move may be made.

The table below is the law. It is drawn in `docs/states.md`, served in OpenAPI, and a generated
test walks state × move × role against it. What it speaks of is in `case_state.py`, its conditions in
`case_guards.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
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
from gridsvc.domain.access import Role, roles_over
from gridsvc.domain.case_guards import (
    CHECKS,
    Guard,
    an_officers_own,
    an_order_waits,
    at_most_two,
    at_the_place,
    before_and_after,
    brings_evidence,
    call_back_waits,
    called_to_help,
    called_to_own,
    calls_for_its_level,
    can_be_undone,
    checked_by_another,
    corrects_something,
    ends_within_a_year,
    exact_enough,
    given_back,
    has_an_open_appeal,
    has_an_open_part,
    has_no_effects,
    has_no_open_part,
    in_time_to_undo,
    is_a_visit,
    is_an_effect,
    lies_in_a_cell,
    looked_at_by_another,
    means_one_part,
    names_an_owner,
    never_appealed,
    never_suspended,
    no_order_waits,
    not_a_visit,
    not_given_back,
    not_grave,
    not_its_own_cause,
    not_itself,
    not_late,
    not_late_without_it,
    not_linked_to_it,
    not_the_leads_own,
    nothing_rings,
    open_or_self_handled,
    owner_name,
    parts_are_over,
    rings,
    running,
    says_where,
    stands_for_itself,
    suspended,
    to_a_colleague,
    to_a_level_above,
    to_a_level_below,
    to_another,
    waits_for_a_person,
    was_late,
    was_reached,
)
from gridsvc.domain.case_state import (
    OPEN,
    OWNED,
    Actor,
    Case,
    Clock,
    Move,
    Particulars,
    Party,
    Pool,
    State,
    is_owner,
    leads_department,
    parts_of,
)
from gridsvc.domain.reasons import REASONS, RESULTS, Reason, Reasons
from gridsvc.domain.supervision import KINDS, LEVELS
from gridsvc.errors import BadRequest, GuardFailed, NotAllowed, WrongMoment


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
