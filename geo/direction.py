"""Where a number of a national standard points to: degrees clockwise from true north.

Both say where the optical axis goes to (1: from west to east, so east). They differ on three of the four diagonals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GAT1400: Final[Mapping[str, float]] = {
    "1": 90.0, "2": 270.0, "3": 180.0, "4": 0.0, "5": 45.0, "6": 225.0, "7": 135.0, "8": 315.0,
}  # fmt: skip
"""GA/T 1400.3, HDirectionType: MonitorDirection, HorizontalShotDirection, Direction. 5 is north-east; 9 is "other"."""

GB28181: Final[Mapping[str, float]] = {
    "1": 90.0, "2": 270.0, "3": 180.0, "4": 0.0, "5": 135.0, "6": 45.0, "7": 225.0, "8": 315.0,
}  # fmt: skip
"""GB/T 28181 (2016, 2022), DirectionType of a catalogue. 5 is south-east."""
