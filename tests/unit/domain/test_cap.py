"""An alert is what the standard says one is: elements in their order, as often as they may be, with its words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.cap import NAMESPACE, Emergency, Issuer, Told, alert_of, moment

LANZHOU: Final = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Shanghai"))
AT: Final = datetime(2026, 11, 23, 1, 2, 3, 456_789, tzinfo=UTC)
CASE: Final = UUID(int=0xC1)

# CAP-v1.2-os, section 3.2: each element with how often it may stand there at least and at most, in this order.
MANY: Final = 10**6
ORDER: Final[dict[str, list[tuple[str, int, int]]]] = {
    "alert": [
        ("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1), ("msgType", 1, 1), ("source", 0, 1),
        ("scope", 1, 1), ("restriction", 0, 1), ("addresses", 0, 1), ("code", 0, MANY), ("note", 0, 1),
        ("references", 0, 1), ("incidents", 0, 1), ("info", 0, MANY),
    ],
    "info": [
        ("language", 0, 1), ("category", 1, MANY), ("event", 1, 1), ("responseType", 0, MANY), ("urgency", 1, 1),
        ("severity", 1, 1), ("certainty", 1, 1), ("audience", 0, 1), ("eventCode", 0, MANY), ("effective", 0, 1),
        ("onset", 0, 1), ("expires", 0, 1), ("senderName", 0, 1), ("headline", 0, 1), ("description", 0, 1),
        ("instruction", 0, 1), ("web", 0, 1), ("contact", 0, 1), ("parameter", 0, MANY), ("resource", 0, MANY),
        ("area", 0, MANY),
    ],
    "area": [
        ("areaDesc", 1, 1), ("polygon", 0, MANY), ("circle", 0, MANY), ("geocode", 0, MANY), ("altitude", 0, 1),
        ("ceiling", 0, 1),
    ],
    "eventCode": [("valueName", 1, 1), ("value", 1, 1)],
    "geocode": [("valueName", 1, 1), ("value", 1, 1)],
}  # fmt: skip
WORDS: Final = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE",
                 "Other"},
    "responseType": {"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}  # fmt: skip
MOMENT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"

SQUARE: Final = [(103.8, 36.06), (103.801, 36.06), (103.801, 36.061), (103.8, 36.061), (103.8, 36.06)]

BURST: Final = Emergency(
    case_id=CASE, number="620102-20261123-0147", category="starter-2026:200502", name="燃气管道破裂",
    name_en="Burst gas pipe", kind="event", by_a_department=True, from_an_officer=False, state="filed",
    due_at=AT + timedelta(hours=1), divisions=[("620100", "兰州市"), ("620102", "城关区")], cell="620102001001001",
    place=(103.8005, 36.0605), outline=[SQUARE], history=[Told(1, "file", "filed", AT)],
)  # fmt: skip
DESK: Final = Issuer(sender="grid.example", restriction="for duty desks")


def lived(*moves: tuple[str, str], **changes: Any) -> Emergency:
    """The same, after moves (move, state after), a minute apart."""
    history = [*BURST.history]
    for number, (move, state) in enumerate(moves, 2):
        history.append(Told(number, move, state, AT + timedelta(minutes=number)))
    return replace(BURST, history=history, state=history[-1].state, **changes)


def read(emergency: Emergency, issuer: Issuer = DESK) -> ET.Element:
    return ET.fromstring(alert_of(emergency, issuer, LANZHOU))  # noqa: S314 - our own


def text(root: ET.Element, path: str) -> str:
    found = root.find("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))
    assert found is not None, path
    assert found.text, path
    return found.text


EVERY_KIND: Final = [
    BURST,
    lived(("assign", "assigned"), ("accept", "accepted")),
    lived(("assign", "assigned"), ("close", "closed")),
    lived(("cancel", "cancelled")),
    replace(BURST, outline=[]),
    replace(BURST, outline=[SQUARE, SQUARE], kind="component"),
    replace(BURST, number=None, cell=None, place=None, outline=[], due_at=None, divisions=[("620102", "")],
            history=[Told(1, "report", "reported", AT)], state="reported", by_a_department=False),
]  # fmt: skip


@pytest.mark.parametrize("emergency", EVERY_KIND)
@pytest.mark.parametrize("issuer", [DESK, Issuer(sender="grid.example", restriction=None)])
def test_elements_stand_in_the_order_and_as_often_as_the_standard_says(emergency: Emergency, issuer: Issuer) -> None:
    root = read(emergency, issuer)
    assert root.tag == f"{{{NAMESPACE}}}alert"
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        if name in ORDER:
            inside = [each.tag.removeprefix(f"{{{NAMESPACE}}}") for each in element]
            places = [known for known, _, _ in ORDER[name]]
            assert inside == sorted(inside, key=places.index), name
            for known, least, most in ORDER[name]:
                assert least <= inside.count(known) <= most, (name, known)
        else:
            assert len(element) == 0
            assert element.text
            assert element.text.strip() == element.text
            assert element.text in WORDS.get(name, {element.text}), name
        if name in {"sent", "expires"}:
            assert re.fullmatch(MOMENT, element.text or ""), element.text


def test_it_is_said_in_chinese_and_in_english() -> None:
    languages = [each.text for each in read(BURST).iter(f"{{{NAMESPACE}}}language")]
    events = [each.text for each in read(BURST).iter(f"{{{NAMESPACE}}}event")]
    assert (languages, events) == (["zh-CN", "en-US"], ["燃气管道破裂", "Burst gas pipe"])


def test_a_polygon_says_latitude_first_and_ends_where_it_began() -> None:
    points = text(read(BURST), "info/area/polygon").split()
    assert points[0] == points[-1] == "36.060000,103.800000"
    assert points[1] == "36.060000,103.801000"
    assert len(points) >= 4


def test_without_an_outline_a_circle_of_200_m_stands_around_the_place() -> None:
    assert text(read(replace(BURST, outline=[])), "info/area/circle") == "36.060500,103.800500 0.2"


@pytest.mark.parametrize(
    ("rule", "emergency", "kind", "urgency", "certainty"),
    [
        ("the first message alerts", BURST, "Alert", "Immediate", "Likely"),
        ("what follows updates it", lived(("assign", "assigned")), "Update", "Immediate", "Likely"),
        ("who has gone there has seen it", lived(("answer", "accepted")), "Update", "Immediate", "Observed"),
        ("an officer has seen it already", replace(BURST, from_an_officer=True), "Alert", "Immediate", "Observed"),
        ("closed it is over, and was true", lived(("close", "closed")), "Update", "Past", "Observed"),
        ("called off it is taken back", lived(("cancel", "cancelled")), "Cancel", "Past", "Likely"),
        ("so is what was the same as another", lived(("merge", "merged")), "Cancel", "Past", "Likely"),
    ],
)
def test_what_kind_of_message_it_is(rule: str, emergency: Emergency, kind: str, urgency: str, certainty: str) -> None:
    root = read(emergency)
    assert (text(root, "msgType"), text(root, "info/urgency"), text(root, "info/certainty")) == (
        kind, urgency, certainty,
    ), rule  # fmt: skip


def test_a_message_refers_to_every_one_before_it_by_sender_name_and_time() -> None:
    root = read(lived(("escalate", "filed"), ("assign", "assigned"), ("remind", "assigned"), ("accept", "accepted")))
    assert text(root, "identifier") == f"{CASE}.5"
    assert text(root, "references") == (
        f"grid.example,{CASE}.1,2026-11-23T09:02:03+08:00 grid.example,{CASE}.3,2026-11-23T09:05:03+08:00"
    ), "a rung and a reminder tell the world nothing new"


def test_the_same_case_is_the_same_message_however_often_it_is_asked_for() -> None:
    case = lived(("assign", "assigned"))
    assert alert_of(case, DESK, LANZHOU) == alert_of(case, DESK, LANZHOU)


def test_it_expires_at_the_deadline_or_two_hours_after_it_was_said() -> None:
    assert text(read(BURST), "info/expires") == "2026-11-23T10:02:03+08:00"
    assert text(read(replace(BURST, due_at=AT)), "info/expires") == "2026-11-23T11:02:03+08:00"


def test_a_restricted_alert_says_for_whom_and_a_public_one_does_not() -> None:
    assert (text(read(BURST), "scope"), text(read(BURST), "restriction")) == ("Restricted", "for duty desks")
    public = read(BURST, Issuer(sender="grid.example", restriction=None))
    assert text(public, "scope") == "Public"
    assert public.find(f"{{{NAMESPACE}}}restriction") is None


@pytest.mark.parametrize(
    ("zone", "written"), [("Asia/Shanghai", "2026-11-23T09:02:03+08:00"), ("UTC", "2026-11-23T01:02:03-00:00")]
)
def test_a_moment_has_an_offset_whole_seconds_and_never_a_z(zone: str, written: str) -> None:
    assert moment(AT, datetime(2026, 11, 23, tzinfo=ZoneInfo(zone))) == written


def test_the_alert_of_an_exercise_says_so_that_nobody_acts_on_it() -> None:
    assert (text(read(BURST), "status"), text(read(lived(exercise=True)), "status")) == ("Actual", "Exercise")
