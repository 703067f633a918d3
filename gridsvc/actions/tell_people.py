"""Turn an announcement into notices for the people whom it concerns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from events.catalog import (
    Announcement,
    CaseAlarm,
    CaseAnswered,
    CaseAppealed,
    CaseAppealSettled,
    CaseAssigned,
    CaseCalled,
    CaseCalledBack,
    CaseCallEnded,
    CaseCauseReopened,
    CaseChecked,
    CaseCheckSent,
    CaseCheckUnmanned,
    CaseCoAssigned,
    CaseCoCalledOff,
    CaseCoDeclined,
    CaseCoHandedIn,
    CaseDeskAsked,
    CaseEscalated,
    CaseHandedOver,
    CaseLinked,
    CaseMerged,
    CaseNews,
    CaseNotReached,
    CaseOrderReplied,
    CasePooled,
    CaseReferred,
    CaseRegridded,
    CaseRelieved,
    CaseReported,
    CaseReturned,
    CaseToCallBack,
    CaseUndone,
    CaseUnmerged,
    CaseVisited,
    Heard,
)
from gridsvc.actions.ring_people import ring_people
from gridsvc.db import Conn
from gridsvc.domain.call_back import UNREACHABLE
from gridsvc.domain.case_state import Move
from gridsvc.domain.escalation import OWNER, Axis
from gridsvc.domain.visit import WANT_SOMEBODY
from gridsvc.errors import Unknown
from gridsvc.store import hearers, notices
from gridsvc.store.hearers import Standing

log = logging.getLogger(__name__)

# Which desk hears news of a case that stands in a pool or has come back, and which one stands in for it.
_DESKS: Final[dict[type[CaseNews], tuple[str, ...]]] = {
    CaseReported: ("acceptor", "dispatcher"),
    CasePooled: ("dispatcher", "acceptor"),
    CaseReturned: ("dispatcher", "acceptor"),
    CaseDeskAsked: ("dispatcher", "acceptor"),
    CaseUnmerged: ("acceptor", "dispatcher"),
    CaseAppealed: ("supervisor",),
    CaseChecked: ("acceptor", "dispatcher"),
    CaseCheckUnmanned: ("acceptor", "dispatcher"),
    CaseNotReached: ("dispatcher", "acceptor"),
    CaseOrderReplied: ("supervisor",),
    CaseReferred: ("dispatcher", "acceptor"),  # at the level that holds it now
    CaseCoDeclined: ("dispatcher", "acceptor"),
    CaseCauseReopened: ("acceptor", "dispatcher"),
    CaseToCallBack: ("acceptor",),  # at the level that asks
    CaseVisited: ("dispatcher", "supervisor"),
}
_OWNERS_ALONE: Final = (CaseMerged, CaseCalledBack, CaseUndone)  # where nobody owned it, nobody has to know
_AT_THE_DESK: Final = frozenset({"filed", "handled"})
_LAST: Final = "admin"  # hears what nobody else is there to hear


async def tell_people(conn: Conn, announcements: Sequence[Announcement], now: datetime) -> None:
    """Keep one notice of each announcement for each person whom it concerns, in the caller's transaction.

    The owner hears of what is his; desks hear of what waits for them, the nearest that exists; a rung
    says itself who hears. Nobody in that role: the next division above, then those who stand in, at
    last the administrators. An emergency is told to the whole duty desk, of the district and of the city. News of
    an assignment, a check, a part or a call that has ended meanwhile is told to nobody. Twice: each person is told
    once. Raises Unknown when a case does not exist.
    """
    news = [each for each in announcements if isinstance(each, CaseNews)]
    standings = await hearers.standings(conn, [each.case_id for each in news])
    told: list[tuple[notices.Message, dict[UUID, UUID]]] = []
    for each in news:
        case = standings.get(each.case_id)
        if case is None:
            raise Unknown(f"no case {each.case_id} to tell about", case_id=str(each.case_id))
        if isinstance(each, CaseAssigned | CaseHandedOver) and each.assignment_id != case.assignment_id:
            continue
        if isinstance(each, CaseCheckSent) and each.officer_id != case.checker_id:
            continue
        if isinstance(each, CaseCalled) and each.call_id != case.call_id:
            continue
        if isinstance(each, CaseCoAssigned) and each.department not in case.co_open:
            continue
        if isinstance(each, CaseLinked) and each.officer_id is None and each.department is None:
            continue  # nobody had it
        if isinstance(each, CaseCheckUnmanned) and case.checker_id is not None:
            continue
        if isinstance(each, CaseToCallBack) and case.state != "closed":
            continue
        if isinstance(each, CaseCalledBack) and each.result == UNREACHABLE:
            continue
        if isinstance(each, CaseRegridded) and each.officer_id is None:
            continue  # whoever has it keeps it
        if isinstance(each, CaseVisited) and each.result not in WANT_SOMEBODY:
            continue
        people = await _who_hears(conn, each, case, now)
        # Where nobody owned it, nobody has to know; and a round of a call may find nobody, which the desk knows.
        if not people and not isinstance(each, (*_OWNERS_ALONE, CaseCalled)):
            log.error(
                "nobody in this city can be told",
                extra={"action": "nobody_to_tell", "event_id": str(each.event_id), "type": each.TYPE},
            )
        # The id follows from event, person and kind: a repeat makes the same row again, not a second one.
        ids = {person: uuid5(each.event_id, f"{person}/{each.TYPE}") for person in people}
        told.append((_message(each, case), ids))
    await ring_people(conn, told, now)


def _message(news: CaseNews, case: Standing) -> notices.Message:
    return notices.Message(event_id=news.event_id, case_id=news.case_id, kind=news.TYPE, body=_body(news, case))


async def _who_hears(conn: Conn, news: CaseNews, case: Standing, now: datetime) -> list[UUID]:
    if isinstance(news, CaseCheckSent):
        return [news.officer_id]
    if isinstance(news, CaseRegridded):
        return [] if news.officer_id is None else [news.officer_id]  # his until now; the next one hears of his own
    if isinstance(news, CaseCalled | CaseCallEnded):
        return list(news.officers)
    if isinstance(news, CaseHandedOver):
        return sorted({news.officer_id, news.from_officer})
    if isinstance(news, CaseRelieved):
        return [news.from_officer]
    if isinstance(news, CaseAlarm | CaseAnswered):
        return await _duty_desk(conn, case, now)
    if isinstance(news, _OWNERS_ALONE):
        return sorted({*await _owners(conn, case), *await _taken_from(conn, news, case)})
    if isinstance(news, CaseEscalated):
        return await _rung_hears(conn, news, _as_concerned(news, case), now)
    roles, path = _DESKS.get(type(news), (OWNER,)), case.divisions
    if isinstance(news, CaseToCallBack):
        path = _up_to(case.divisions, news.division)
    if isinstance(news, CaseCoHandedIn) and case.state in _AT_THE_DESK:
        roles = ("acceptor", "dispatcher")  # the lead has done its own already: the desk waited for this
    case = _as_concerned(news, case)
    if OWNER in roles:
        owners = await _owners(conn, case)
        if owners:
            return owners
        roles = ("dispatcher",)  # nobody answers for it: whoever can change that hears
    if isinstance(news, CaseAppealed | CaseToCallBack):
        case = replace(case, department=None)  # the department's own desk may not judge it
    return await _desk(conn, (*roles, _LAST), path, case, now)


async def _rung_hears(conn: Conn, news: CaseEscalated, case: Standing, now: datetime) -> list[UUID]:
    """Everybody whom the rung names, each once; where nobody is, whoever is above, each chain (条块) for itself."""
    people: set[UUID] = set()
    for heard in (Heard(news.role, news.division, news.axis), *news.also):
        people.update(await _one_hears(conn, heard, case, now))
    return sorted(people)


async def _one_hears(conn: Conn, heard: Heard, case: Standing, now: datetime) -> list[UUID]:
    path = _up_to(case.divisions, heard.division)
    if heard.role == OWNER and (owners := await _owners(conn, case)):
        return owners
    role = "dispatcher" if heard.role == OWNER else heard.role  # nobody answers for it: whoever can change that
    line: list[UUID] = []
    if heard.axis != Axis.BLOCK:
        line = await hearers.nearest_of_line(conn, role, path, case.duty_line, case.department)
    if heard.axis == Axis.LINE and line:
        return line
    return [*line, *await _desk(conn, (role, _LAST), path, case, now)]  # a line without anybody: the block hears


def _as_concerned(news: CaseNews, case: Standing) -> Standing:
    """The case as it concerns whom the news is about: the department of a part, or who had the case until now."""
    match news:
        case CaseLinked():
            return replace(case, officer_id=news.officer_id, handler_id=None, department=news.department)
        case CaseCoAssigned() | CaseCoCalledOff() | CaseEscalated(department=str()):
            return replace(case, officer_id=None, handler_id=None, department=news.department)
    return case


async def _owners(conn: Conn, case: Standing) -> list[UUID]:
    if case.officer_id is not None:
        return [case.officer_id]
    if case.handler_id is not None:
        return [case.handler_id]
    if case.department is not None:
        return await hearers.handlers(conn, case.department, case.divisions)
    return []


async def _duty_desk(conn: Conn, case: Standing, now: datetime) -> list[UUID]:
    people = await hearers.duty_desk(conn, case.divisions, case.duty_line, case.department, now)
    return people or await _desk(conn, ("dispatcher", "supervisor", _LAST), case.divisions, case, now)


async def _taken_from(conn: Conn, news: CaseNews, case: Standing) -> list[UUID]:
    if not isinstance(news, CaseUndone):
        return []
    if news.officer_id is not None:
        return [news.officer_id]
    return [] if news.department is None else await hearers.handlers(conn, news.department, case.divisions)


def _up_to(divisions: list[str], named: str | None) -> list[str]:
    """The path from the top down to the division that a rung names; the case's whole path if it names none."""
    if named is None:
        return divisions
    return divisions[: divisions.index(named) + 1] if named in divisions else [*divisions, named]


async def _desk(conn: Conn, roles: Sequence[str], path: Sequence[str], case: Standing, now: datetime) -> list[UUID]:
    for role in roles:
        people = await hearers.nearest(conn, role, path, case.duty_line, case.department)
        if not people and (not path or role == _LAST):
            people = await hearers.highest(conn, role, case.duty_line, case.department, now)
        if people:
            return people
    return []


def _body(news: CaseNews, case: Standing) -> dict[str, Any]:
    """What the device shows without asking again: ids, codes and times."""
    body: dict[str, Any] = {
        "case_id": str(news.case_id),
        "number": case.number,
        "state": case.state,
        "version": case.version,
        "category": case.category,
        "duty_line": case.duty_line,
        "severity": case.severity,
        "due_at": None if case.due_at is None else case.due_at.isoformat(),
        "cell": case.cell_code,
        "at": news.at.isoformat(),
    }
    if news.URGENT:
        body |= {"urgent": True}
    match news:
        case CaseEscalated():
            body |= {"clock": news.clock, "level": news.level, "effect": news.effect, "late_by_s": news.late_by_s}
            if news.part_id is not None:
                body |= _part(news.part_id, news.department, case)
        case CaseCoAssigned() | CaseCoHandedIn() | CaseCoDeclined() | CaseCoCalledOff():
            body |= _part(news.part_id, news.department, case)
        case CaseLinked() | CaseCauseReopened():
            body |= {"cause_id": str(news.cause_id)}
        case CaseAssigned():
            body |= {"assignment_id": str(news.assignment_id)}
        case CaseHandedOver():
            body |= {
                "assignment_id": str(news.assignment_id),
                "officer_id": str(news.officer_id),
                "from_officer": str(news.from_officer),
            }
        case CaseRelieved():
            body |= {"why": news.why}
        case CasePooled():
            body |= {"why": news.why}
        case CaseCheckSent():
            body |= {"check_id": str(news.check_id), "kind": news.kind}
        case CaseCheckUnmanned():
            body |= {"kind": news.kind}
        case CaseNotReached():
            body |= {"user_id": str(news.user_id), "notice_id": str(news.notice_id), "kind": news.kind}
        case CaseChecked():
            body |= {"kind": news.kind, "result": news.result}
            if news.result == "not_confirmed":  # somebody looked again: the desk may take it up anew
                body |= {"offers": str(Move.REOPEN)}
        case CaseAppealSettled():
            body |= {"result": news.result}
        case CaseMerged():
            body |= {"into": str(news.into)}
        case CaseToCallBack():
            body |= {"call_back_id": str(news.call_back_id), "level": news.level}
        case CaseCalledBack():
            body |= {"call_back_id": str(news.call_back_id), "level": news.level, "result": news.result}
        case CaseVisited():
            body |= {"visit_id": str(news.visit_id), "result": news.result}
        case CaseUndone():
            body |= {"undone": news.undone}
        case CaseReferred():
            body |= {"division": news.division}
        case CaseReported() | CaseUnmerged():
            body |= {"pool": news.pool}
        case CaseAlarm():
            body |= {"why": news.why}
        case CaseCalled():
            body |= {"call_id": str(news.call_id), "wanted": news.wanted, "round": news.round}
        case CaseAnswered():
            body |= {"call_id": str(news.call_id), "wanted": news.wanted, "officer_id": str(news.officer_id)}
        case CaseRegridded():
            body |= {"beat": news.beat}
        case CaseCallEnded():
            body |= {"call_id": str(news.call_id), "why": news.why}
    return body


def _part(part_id: UUID, department: str | None, case: Standing) -> dict[str, Any]:
    """Which part it is; `due_at` is then the part's, null once it has ended."""
    due = dict(zip(case.co_open, case.co_due, strict=True)).get(department or "")
    return {"part_id": str(part_id), "department": department, "due_at": None if due is None else due.isoformat()}
