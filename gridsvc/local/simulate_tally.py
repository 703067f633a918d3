"""What a simulated day has brought so far, counted for whoever watches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What has happened so far, for whoever watches."""

    reports: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    duty: Counter[str] = field(default_factory=Counter)
    cameras: Counter[str] = field(default_factory=Counter)
    devices: Counter[str] = field(default_factory=Counter)  # messages that cameras posted by themselves, by protocol
    incidents: int = 0  # that cameras saw begin; the stuck camera and each storm are one more
    notices: Counter[str] = field(default_factory=Counter)
    tiles: Counter[str] = field(default_factory=Counter)
    walked: int = 0
    races: int = 0
    refused: Counter[str] = field(default_factory=Counter)
