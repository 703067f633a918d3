"""An emergency as an alert that other systems read: CAP 1.2 (OASIS Standard, 1 July 2010).

Derived from the case and its history alone, so that the same question has the same answer: each version that
says something new to the world is a message, named after case and version, and refers to all before it. No
word of a resident, no name and no telephone number is in it: what was typed stays inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

from gridsvc.domain.case_state import Move

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"

EXPIRES_AFTER: Final = timedelta(hours=2)
"""Where no deadline lies ahead: until then whoever has it should have asked again."""

CIRCLE_KM: Final = 0.2
"""Around the place, where its cell has no outline any more."""

_TELLS: Final = frozenset({Move.LOCATE, Move.CORRECT, Move.ASSIGN, Move.EXTEND, Move.RESUME})
"""Moves that change where, what or until when, also where the state stands."""

_CANCELS: Final = frozenset({"rejected", "cancelled", "merged"})
_SEEN: Final = frozenset({"accepted", "in_progress", "handled", "closed"})

_PROGRESS: Final = {
    "reported": ("待核实", "reported, not yet confirmed"),
    "filed": ("已立案，正在调派", "confirmed; help is being called"),
    "assigned": ("已派遣", "help has been sent"),
    "accepted": ("处置人员已接收", "help is on the way"),
    "in_progress": ("正在处置", "being dealt with"),
    "handled": ("已处置，待核查", "dealt with; being checked"),
    "closed": ("已解除", "over"),
    "rejected": ("不属实", "not confirmed"),
    "cancelled": ("已撤销", "called off"),
    "merged": ("已并入另一预警", "the same as another alert"),
}

_ADVICE: Final = {
    True: ("请避开该区域，听从现场人员指挥。", "Keep away from the area and follow the people on the spot."),
    False: ("该区域已恢复正常。", "The area is back to normal."),
}


@dataclass(frozen=True)
class Told:
    """One row of the case's history, as far as an alert needs it."""

    version: int
    move: str
    state: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """What an alert says of a case. `outline` are closed rings of (lon, lat) in WGS-84; `divisions` code and name."""

    case_id: UUID
    number: str | None
    category: str
    name: str
    name_en: str
    kind: str  # component | event
    by_a_department: bool
    from_an_officer: bool
    state: str
    due_at: datetime | None
    divisions: Sequence[tuple[str, str]]
    cell: str | None
    place: tuple[float, float] | None
    outline: Sequence[Sequence[tuple[float, float]]]
    history: Sequence[Told]
    exercise: bool = False  # 演练: nobody who receives it shall act


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who says it: a name without space, comma, < or &; `restriction` None: for everybody."""

    sender: str
    restriction: str | None


def messages_of(history: Sequence[Told]) -> list[Told]:
    """The versions that are messages, oldest first: the first of all, each new state, each new place or deadline."""
    before = [None, *(each.state for each in history)]
    return [each for each, was in zip(history, before, strict=False) if each.state != was or each.move in _TELLS]


def alert_of(emergency: Emergency, issuer: Issuer, zone: datetime) -> bytes:
    """The newest message about the case, as XML in UTF-8. `zone` is any moment in the city's zone."""
    *before, last = messages_of(emergency.history)
    root = ET.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", _identifier(emergency.case_id, last))
    _add(root, "sender", issuer.sender)
    _add(root, "sent", moment(last.at, zone))
    _add(root, "status", "Exercise" if emergency.exercise else "Actual")
    _add(root, "msgType", _kind(last, before))
    _add(root, "scope", "Public" if issuer.restriction is None else "Restricted")
    if issuer.restriction is not None:
        _add(root, "restriction", issuer.restriction)
    if before:
        named = [f"{issuer.sender},{_identifier(emergency.case_id, each)},{moment(each.at, zone)}" for each in before]
        _add(root, "references", " ".join(named))
    if emergency.number is not None:
        _add(root, "incidents", emergency.number)
    for chinese in (True, False):
        _add_info(root, emergency, last, zone, chinese=chinese)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def moment(at: datetime, zone: datetime) -> str:
    """A time as the standard writes it: whole seconds and an offset; UTC is -00:00, and never Z."""
    text = at.astimezone(zone.tzinfo).isoformat(timespec="seconds")
    return re.sub(r"\+00:00$", "-00:00", text)


def _identifier(case_id: UUID, told: Told) -> str:
    return f"{case_id}.{told.version}"


def _kind(last: Told, before: Sequence[Told]) -> str:
    if last.state in _CANCELS and before:
        return "Cancel"
    return "Update" if before else "Alert"


def _add_info(root: ET.Element, emergency: Emergency, last: Told, zone: datetime, *, chinese: bool) -> None:
    over = last.state == "closed" or last.state in _CANCELS
    info = ET.SubElement(root, "info")
    event = emergency.name if chinese or not emergency.name_en else emergency.name_en
    where = _where(emergency)
    progress = _PROGRESS[last.state][0 if chinese else 1]
    _add(info, "language", "zh-CN" if chinese else "en-US")
    for category in _categories(emergency):
        _add(info, "category", category)
    _add(info, "event", event)
    _add(info, "responseType", "AllClear" if over else "Avoid")
    _add(info, "urgency", "Past" if over else "Immediate")
    _add(info, "severity", "Severe")
    _add(info, "certainty", "Observed" if emergency.from_an_officer or last.state in _SEEN else "Likely")
    code = ET.SubElement(info, "eventCode")
    _add(code, "valueName", "gridsvc.category")
    _add(code, "value", emergency.category)
    _add(info, "expires", moment(_expires(emergency, last), zone))
    _add(info, "headline", f"{event}：{where}" if chinese else f"{event}: {where}")
    number = emergency.number or ("尚无案卷号" if chinese else "no number yet")
    _add(info, "description", f"{event}，案卷 {number}，{progress}。" if chinese else f"{event}, {number}: {progress}.")
    _add(info, "instruction", _ADVICE[not over][0 if chinese else 1])
    _add_area(info, emergency, where)


def _where(emergency: Emergency) -> str:
    names = " ".join(name or code for code, name in emergency.divisions)
    return f"{names} {emergency.cell}" if emergency.cell else names or "?"


def _categories(emergency: Emergency) -> list[str]:
    """What kind of danger, by the standard's list: things of the city fail (Infra), people are in danger (Safety)."""
    of_the_city = emergency.kind == "component" or emergency.by_a_department
    return ["Infra", "Safety"] if of_the_city else ["Safety"]


def _expires(emergency: Emergency, last: Told) -> datetime:
    due = emergency.due_at
    return due if due is not None and due > last.at else last.at + EXPIRES_AFTER


def _add_area(info: ET.Element, emergency: Emergency, where: str) -> None:
    area = ET.SubElement(info, "area")
    _add(area, "areaDesc", where)
    for ring in emergency.outline:
        _add(area, "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in ring))
    if not emergency.outline and emergency.place is not None:
        lon, lat = emergency.place
        _add(area, "circle", f"{lat:.6f},{lon:.6f} {CIRCLE_KM:g}")
    codes = [("gridsvc.division", emergency.divisions[-1][0])] if emergency.divisions else []
    codes += [("gridsvc.cell", emergency.cell)] if emergency.cell else []
    for name, value in codes:
        code = ET.SubElement(area, "geocode")
        _add(code, "valueName", name)
        _add(code, "value", value)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
