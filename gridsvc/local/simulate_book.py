"""The book of the shift in the simulated city: three times a day the dispatcher hands over, and the next one signs.

Pure and without memory, as gridsvc/local/simulate_rules.py is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from gridsvc.local.simulate_rules import SeenCase

SHIFT_HOURS: Final = 8
WATCHED: Final = 5
"""Of the late cases so many are named, the first by id; the figures of the desk are the service's to keep."""


def shift_number(local: datetime) -> int:
    """Which shift of the simulated calendar it is: another from 0, 8 and 16 o'clock on."""
    return local.toordinal() * (24 // SHIFT_HOURS) + local.hour // SHIFT_HOURS


def hand_over_of(cases: Sequence[SeenCase], local: datetime) -> dict[str, Any]:
    """What the dispatcher writes who goes: how many are late, and which of them to watch."""
    late = sorted(case.id for case in cases if case.overdue)
    words = f"{local:%H:%M} 交班：超时未结 {len(late)} 件" + ("，请继续跟进" if late else "，无待跟进事项")
    return {"words": words, "hand_over": True, "cases": late[:WATCHED]}
