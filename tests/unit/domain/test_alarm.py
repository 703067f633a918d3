"""What asks for a person at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from events.catalog import Announcement, CaseAlarm, CaseEscalated, CaseFiled
from gridsvc.domain.alarm import AlarmKind, Named, alarm_of, storm_alarm
from gridsvc.domain.escalation import Effect
from gridsvc.ids import new_id

NUMBERED = Named(number="620102-20261127-0001", cell="620102001001001")
COMMON: dict[str, Any] = {
    "event_id": new_id(), "at": datetime(2026, 11, 27, tzinfo=UTC), "case_id": new_id(), "version": 1, "state": "filed",
    "duty_line": "social", "severity": "high", "divisions": (), "actor": "worker:sweeper",
}  # fmt: skip


def rung(effect: Effect) -> CaseEscalated:
    return CaseEscalated(
        **COMMON, clock_id=new_id(), clock="handling", level=2, effect=effect, role="supervisor", division=None,
        axis="both", late_by_s=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("news", "kind", "says", "says_en"),
    [
        (CaseAlarm(**COMMON, why="reported"), AlarmKind.EMERGENCY, "紧急：案卷 620102-20261127-0001",
         "Emergency: case 620102-20261127-0001"),
        (CaseAlarm(**COMMON, why="nobody_answered"), AlarmKind.EMERGENCY,
         "紧急呼叫无人应答：案卷 620102-20261127-0001", "Nobody answers the call to case 620102-20261127-0001"),
        (rung(Effect.OVERDUE), AlarmKind.ESCALATION, "超时：案卷 620102-20261127-0001",
         "Overdue: case 620102-20261127-0001"),
        (rung(Effect.CLIMB), AlarmKind.ESCALATION, "升级到第 2 级：案卷 620102-20261127-0001",
         "Escalated to rung 2: case 620102-20261127-0001"),
    ],
)  # fmt: skip
def test_an_emergency_and_a_limit_that_has_passed_raise_an_alarm(
    news: Announcement, kind: AlarmKind, says: str, says_en: str
) -> None:
    alarm = alarm_of(news, NUMBERED)
    assert alarm is not None
    assert (alarm.kind, alarm.says, alarm.says_en, alarm.severity) == (kind, says, says_en, "high")


@pytest.mark.parametrize(
    "news",
    [rung(Effect.WARNING), rung(Effect.MOVE_ON), CaseFiled(**COMMON, cycle=1)],
    ids=["warning", "move_on", "filed"],
)
def test_a_warning_and_ordinary_news_raise_none(news: Announcement) -> None:
    assert alarm_of(news, NUMBERED) is None


def test_what_has_no_number_yet_is_called_by_its_cell_and_an_exercise_says_so() -> None:
    alarm = alarm_of(CaseAlarm(**COMMON, why="reported"), Named(number=None, cell="620102001001001", exercise=True))
    assert alarm is not None
    assert alarm.says == "紧急：单元网格 620102001001001 的上报（演练）"
    assert alarm.says_en == "Emergency: report in cell 620102001001001 (exercise)"


def test_a_storm_names_the_camera() -> None:
    assert storm_alarm("62010200001320000001", "东方红广场").says == "告警风暴：东方红广场（62010200001320000001）"
