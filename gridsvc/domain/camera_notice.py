"""What is told together of cameras that fall silent or come back: a power cut is one notice, not forty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from events.catalog import CameraNews, CameraOffline

_NAMES = UUID("5d3c8f0e-6a3b-5c56-9a0e-1f2d6b7c8a90")  # only there so that names of ours are nobody else's


@dataclass(frozen=True)
class Together:
    """News of one kind that the same people hear in one notice: of one department, street and minute."""

    kind: str
    department: str | None
    area: str
    minute: datetime

    @property
    def event_id(self) -> UUID:
        """The same for all that belongs together, whenever it is told."""
        return uuid5(_NAMES, f"{self.kind}/{self.department}/{self.area}/{self.minute.isoformat()}")


def together(each: CameraNews) -> Together:
    """Where one camera's news belongs. The area is the division above the smallest: the street of its community."""
    area = each.divisions[-2:][0] if each.divisions else ""
    return Together(each.TYPE, each.department, area, each.at.replace(second=0, microsecond=0))


def notice_of(alike: Sequence[CameraNews]) -> dict[str, Any]:
    """What a notice says of news that belong together: each camera with when it was heard last, by their codes.

    `camera` and `at` are those of the first.
    """
    first = min(alike, key=lambda each: (each.at, each.camera))
    told = {each.camera: _told(each) for each in alike}
    return {
        "area": together(first).area, "camera": first.camera, "at": first.at.isoformat(),
        "cameras": [told[camera] for camera in sorted(told)],
    }  # fmt: skip


def _told(each: CameraNews) -> dict[str, str]:
    heard = {"heard_at": each.heard_at.isoformat()} if isinstance(each, CameraOffline) else {}
    return {"camera": each.camera, **heard}
