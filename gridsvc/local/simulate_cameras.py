"""What the cameras of the demo city see on a simulated day: true things, false ones, one that is stuck, a storm.

Pure: the same seed and looks give the same messages.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from gridsvc.local.city_plan import dice
from gridsvc.local.simulate_picture import VARIETY, picture

KINDS: Final = ("exposed_garbage", "overflowing_bin", "street_vendor", "parked_bicycles")
"""Labels that every demo camera's map knows."""

STRANGE: Final = "dog_on_the_loose"
"""One that none knows: it waits for a person."""

STORM: Final = 150  # events of one storm: three times what a camera may send at once
_STUCK_EVERY: Final = 5
_SHOWN: Final = 0.6  # so much of what begins is shown by a picture

Event = Mapping[str, Any]


@cache
def _spelt(number: int) -> str:
    """A picture as CloudEvents carry it."""
    return base64.b64encode(picture(number)).decode()


@dataclass
class CameraWatch:
    """All cameras of the city; each look tells what they send now, as batches."""

    seed: int
    run: str
    cameras: Sequence[str]
    chance: float  # that a look sees something begin
    storm_every: int  # looks
    incidents: int = 0
    _looks: int = 0
    _going_on: list[tuple[str, Event]] = field(default_factory=list)

    def look(self, *, full: bool = False) -> list[list[Event]]:
        """The batches of one look: what went on ends, something may begin, one is stuck, now and then one storms.

        While the city is `full`, nothing begins and nobody storms.
        """
        rng = dice(f"{self.seed}/cameras/{self.run}/{self._looks}")
        batch = [self._message(camera, dict(event), "end") for camera, event in self._going_on]
        self._going_on = []
        if rng.random() < self.chance and not full:
            batch += self._begin(rng)
        if self._looks % _STUCK_EVERY == 0:
            batch.append(self._stuck())
        batches = [batch] if batch else []
        if self._looks % self.storm_every == self.storm_every - 1 and not full:
            batches.append(self._storm())
        self._looks += 1
        return batches

    def _begin(self, rng: random.Random) -> list[Event]:
        self.incidents += 1
        camera, what = rng.choice(self.cameras[2:]), rng.random()
        kind = STRANGE if what < 0.1 else rng.choice(KINDS)
        event = {"kind": kind, "incident": f"{self.run}-{self.incidents}", "score": round(rng.uniform(0.5, 0.99), 2)}
        if what > 0.8:  # the device itself takes it back
            return [self._message(camera, {**event, "false_alarm": True}, "end")]
        self._going_on.append((camera, event))
        shown = [{"data": _spelt(self.incidents % VARIETY)}] if rng.random() < _SHOWN else []
        return [self._message(camera, {**event, "snapshots": shown}, "start")]

    def _stuck(self) -> Event:
        """The same message again and again: a leaf before the lens."""
        return self._message(
            self.cameras[0], {"kind": "exposed_garbage", "incident": f"{self.run}-stuck"}, "start", "stuck"
        )

    def _storm(self) -> list[Event]:
        named = (f"{self.run}-{self._looks}-{n}" for n in range(STORM))
        return [
            self._message(self.cameras[1], {"kind": "street_vendor", "incident": each}, "start") for each in named
        ]

    def _message(self, camera: str, said: Event, phase: str, name: str = "") -> Event:
        return {
            "specversion": "1.0", "id": name or f"{said['incident']}-{phase}", "source": f"/simulated/{camera}",
            "type": "cn.grid.camera", "subject": camera, "data": {**said, "phase": phase},
        }  # fmt: skip
