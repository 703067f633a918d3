"""Cases and people of a small invented city, as the rules' tests need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from geo.place import Place
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.call_back import CallBack
from gridsvc.domain.case_state import FINAL, Actor, Case, Move, Particulars, Party, Pool, State
from gridsvc.domain.fix import Fix
from gridsvc.domain.undoing import Undoing

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CITY, DISTRICT, STREET, COMMUNITY = "620100", "620102", "620102001", "620102001001"
ELSEWHERE: Final = "620105"

OFFICER: Final = UUID(int=0xA1)
HANDLER: Final = UUID(int=0xA2)
CLERK: Final = UUID(int=0xA3)
CHECKER: Final = UUID(int=0xA4)
CALLED: Final = UUID(int=0xA5)
RESPONDER: Final = UUID(int=0xA6)
OTHER_CASE: Final = UUID(int=0xC2)
ORDER: Final = UUID(int=0x0D)
MAKER: Final = UUID(int=0xA7)
ASKED: Final = UUID(int=0xCB)

LEFT_OUT: Final = object()

_WAITS_IN: Final = {State.REPORTED: Pool.FILING, State.FILED: Pool.DISPATCH}


PART: Final[dict[str, Any]] = {"co_departments": ("lamps",), "co_open": ("lamps",)}

STANDS: Final[dict[Move, dict[str, Any]]] = {
    Move.RESUME: {"suspended": True},
    Move.TAKE_OVER: {"suspended": True},
    Move.SEND_CHECK: {"self_handled": True},
    Move.CHECK: {"checker_id": CHECKER},
    Move.REPLY: {"order_id": ORDER},
    Move.FORWARD: {"returned_by": "department:water"},
    Move.SEND_BACK: {"officer_id": None, "department": "roads", "handler_id": HANDLER},
    Move.CO_ASSIGN: {"officer_id": None, "department": "roads", "handler_id": HANDLER},
    Move.CO_HAND_IN: PART,
    Move.CO_DECLINE: PART,
    Move.CO_CALL_OFF: PART,
    Move.UNLINK: {"cause_id": OTHER_CASE},
    Move.FOLLOW: {"cause_id": OTHER_CASE},
    Move.APPEAL: {"late": True},
    Move.VISIT: {"visit": True},
    Move.SETTLE_APPEAL: {"late": True, "appeal": "open"},
    Move.WIDEN: {"call_for": "owner"},
    Move.ANSWER: {"call_for": "owner", "called": (CALLED,)},
    Move.RESPOND: {"call_for": "first_on_scene", "called": (CALLED,)},
    Move.DECLINE: {"call_for": "owner", "called": (CALLED,)},
    Move.ARRIVE: {"responder_id": RESPONDER},
    Move.NOTE: {"responder_id": RESPONDER},
    Move.CALL_BACK: {
        "call_back": CallBack(id=ASKED, case_id=UUID(int=0xC1), level="district", division=DISTRICT),
    },
    Move.UNDO: {
        "undoing": Undoing(
            bulk_id=UUID(int=0xB0),
            move="remind",
            made_by=f"user:{MAKER}",
            made_at=NOW - timedelta(minutes=1),
            state="accepted",
            pool=None,
            officer_id=OFFICER,
            department=None,
            handler_id=None,
            budget_seconds=3600,
        )
    },
}
"""How a case stands on which the move may be made, where its state alone does not say it."""


def case_for(move: Move, state: State, **changes: Any) -> Case:
    """A case in `state` on which nothing but its state and the mover stands against `move`."""
    return case_in(state, **{**STANDS.get(move, {}), **changes})


def case_in(state: State, **changes: Any) -> Case:
    """A case of city management in `state`, owned by OFFICER where somebody owns it."""
    pool = _WAITS_IN.get(state)
    owned = pool is None and state is not State.REJECTED
    case = Case(
        id=UUID(int=0xC1),
        version=7,
        cycle=1,
        state=state,
        suspended=False,
        duty_line="city",
        severity="normal",
        desk_path=(),
        divisions=(CITY, DISTRICT, STREET, COMMUNITY),
        cell_code="620102001001001",
        beat_code="B01",
        pool=pool,
        assignment_id=UUID(int=0xAA) if owned and state not in FINAL else None,
        officer_id=OFFICER if owned else None,
        department=None,
        handler_id=None,
        reported_by=f"user:{CLERK}",
        extensions=0,
        due_at=NOW + timedelta(hours=4) if owned else None,
        place=Place(103.83, 36.06) if state is not State.REPORTED else None,
    )
    return replace(case, **changes)


def person(role: Role | None, division: str = DISTRICT, *, user: UUID = CLERK, **axis: str) -> Caller:
    """A signed-in user with one role in `division` (None: with no role at all)."""
    grants = () if role is None else (Grant(role=role, division=division, **axis),)
    return Caller(id=f"user:{user}", user_id=user, grants=grants)


_PARTIES: Final[dict[Role | Party | None, UUID]] = {
    Party.OWNER: OFFICER, Party.CHECKER: CHECKER, Party.CALLED: CALLED, Party.RESPONDER: RESPONDER,
    Party.MAKER: MAKER,
}  # fmt: skip


def who(by: Role | Party | None) -> Actor:
    """Somebody who is exactly this towards a case of `case_in`, and nothing else; None: a stranger in the area."""
    if by in _PARTIES:
        return Actor(caller=person(None, user=_PARTIES[by]))
    if by is Party.CO_OWNER:
        return Actor(caller=person(Role.HANDLER, department="lamps"))
    if by is Party.DEPARTMENT:
        return Actor(caller=person(Role.SUPERVISOR, department="roads"))
    if isinstance(by, Party):
        return Actor(worker=by)
    return Actor(caller=person(by))


SAID: Final[dict[str, Any]] = {
    "reason": "not in our area",
    "reason_code": "other",
    "note": "the owner was called",
    "officer": OFFICER,
    "department": "roads",
    "evidence": (UUID(int=0xE1),),
    "before": (UUID(int=0xE2),),
    "until": NOW + timedelta(days=30),
    "into": OTHER_CASE,
    "division": DISTRICT,
    "location": Place(103.83, 36.06),
    "condition": "2",
    "category": "2013:0112",
    "description": "the cover is cracked, not missing",
    "address": "12 Zhangye Road",
    "attributes": {"宽度": 2},
    "result": "granted",
    "kind": "leader",
    "level": "urgent",
    "wanted": "a plan by Friday",
    "reply": "the parts have come; done by Friday",
    "cause": OTHER_CASE,
    "call_back": ASKED,
    "satisfaction": 4,
    "no_fix": "no signal in the shaft",
    "fix": Fix(taken_at=NOW),
}
"""One good value of each thing that can be said with a move."""

NEEDED: Final[dict[Move, tuple[str, ...]]] = {
    Move.LOCATE: ("location",),
    Move.REJECT: ("reason",),
    Move.ASSIGN: ("officer",),
    Move.HAND_OVER: ("officer", "note"),
    Move.RELIEVE: ("reason",),
    Move.TAKE_OVER: ("officer", "reason"),
    Move.POOL: ("reason",),
    Move.RETURN: ("reason",),
    Move.REFER_UP: ("reason", "division"),
    Move.HAND_DOWN: ("division",),
    Move.FORWARD: ("department",),
    Move.CORRECT: ("category",),
    Move.ARRIVE: ("location",),
    Move.HAND_IN: ("evidence",),
    Move.REWORK: ("reason",),
    Move.SEND_BACK: ("reason",),
    Move.CO_ASSIGN: ("department", "wanted"),
    Move.CO_HAND_IN: ("reply",),
    Move.CO_DECLINE: ("reason",),
    Move.CO_CALL_OFF: ("department",),
    Move.LINK: ("cause",),
    Move.FOLLOW: ("cause",),
    Move.SELF_HANDLE: ("before", "evidence"),
    Move.REOPEN: ("reason",),
    Move.APPEAL: ("reason",),
    Move.SETTLE_APPEAL: ("result",),
    Move.SUSPEND: ("reason", "until"),
    Move.EXTEND: ("reason",),
    Move.CANCEL: ("reason",),
    Move.MERGE: ("into",),
    Move.UNMERGE: ("reason",),
    Move.NOTE: ("note",),
    Move.ASK_DESK: ("reason",),
    Move.SUPERVISE: ("reason",),
    Move.REPLY: ("reply",),
    Move.CHECK: ("result", "evidence"),
    Move.DECLINE: ("reason",),
    Move.CALL_BACK: ("call_back", "result"),
    Move.VISIT: ("result",),
}

FOUND: Final[dict[Move, dict[str, Any]]] = {
    Move.CHECK: {"result": "confirmed"},
    Move.HAND_OVER: {"officer": CHECKER},
    Move.TAKE_OVER: {"officer": CHECKER},
    Move.CO_ASSIGN: {"department": "water"},
    Move.CO_CALL_OFF: {"department": "lamps"},
    Move.CALL_BACK: {"result": "solved"},
    Move.VISIT: {"result": "made"},
}
"""What is said differently with one move than with the others."""


def saying(move: Move, **changes: Any) -> Particulars:
    """The least that `move` must be told, with `changes`; LEFT_OUT takes a thing away."""
    said = {name: SAID[name] for name in NEEDED.get(move, ())} | FOUND.get(move, {}) | changes
    return Particulars(**{name: value for name, value in said.items() if value is not LEFT_OUT})
