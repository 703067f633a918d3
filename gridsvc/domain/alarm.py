"""What asks for a person at once: which announcements raise an alarm (警报), and what it says in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from events.catalog import Announcement, CaseAlarm, CaseEscalated
from gridsvc.domain.escalation import Effect


class AlarmKind(StrEnum):
    """Why somebody must look."""

    EMERGENCY = "emergency"
    ESCALATION = "escalation"
    CAMERA_STORM = "camera_storm"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm about one case or one camera. Severity is that of cases."""

    kind: AlarmKind
    case_id: UUID | None = None
    camera: str | None = None
    severity: str
    says: str
    says_en: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a case is called by: its number, or the cell while it has none."""

    number: str | None
    cell: str | None
    exercise: bool = False

    @property
    def zh(self) -> str:
        """In Chinese."""
        said = f"案卷 {self.number}" if self.number else f"单元网格 {self.cell or '待定位'} 的上报"
        return f"{said}（演练）" if self.exercise else said

    @property
    def en(self) -> str:
        """In English."""
        said = f"case {self.number}" if self.number else f"report in cell {self.cell or 'not located yet'}"
        return f"{said} (exercise)" if self.exercise else said


_EMERGENCY: Final = {"nobody_answered": ("紧急呼叫无人应答：", "Nobody answers the call to ")}


def alarm_of(news: Announcement, named: Named) -> Alarm | None:
    """The alarm that an announcement of a case raises, if any.

    A warning raises none: the limit has not passed. Nor does a rung that only sends the case on to another officer.
    """
    match news:
        case CaseAlarm():
            kind = AlarmKind.EMERGENCY
            zh, en = _EMERGENCY.get(news.why, ("紧急：", "Emergency: "))
        case CaseEscalated(effect=Effect.OVERDUE):
            kind, zh, en = AlarmKind.ESCALATION, "超时：", "Overdue: "
        case CaseEscalated(effect=Effect.CLIMB):
            kind, zh, en = AlarmKind.ESCALATION, f"升级到第 {news.level} 级：", f"Escalated to rung {news.level}: "
        case _:
            return None
    return Alarm(
        kind=kind, case_id=news.case_id, severity=news.severity, says=zh + named.zh, says_en=en + named.en
    )  # fmt: skip


def storm_alarm(camera: str, name: str) -> Alarm:
    """The alarm of a camera that storms."""
    return Alarm(
        kind=AlarmKind.CAMERA_STORM, camera=camera, severity="high", says=f"告警风暴：{name}（{camera}）",
        says_en=f"Event storm: {name} ({camera})",
    )  # fmt: skip
