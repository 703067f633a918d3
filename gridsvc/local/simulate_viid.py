"""A traffic camera of the demo city that speaks GA/T 1400: it registers, keeps alive, and posts what passes.

Pure: the same seed and looks give the same calls.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from events.intake import digest
from gridsvc.local.city_plan import dice

_KEEP_ALIVE_LOOKS: Final = 10
_FACE_LOOKS: Final = 40
_LEAVE_LOOK: Final = 15  # once in a run it takes its leave, and speaks before it has registered again

_TOLD: Final = re.compile(r'(realm|nonce)="([^"]*)"')

Call = tuple[str, Mapping[str, Any]]
"""A path below /VIID, and the message."""


@dataclass
class TrafficCamera:
    """One device, by its 20 digits; each look tells what it sends now, in order."""

    seed: int
    run: str
    device: str
    chance: float  # that a look sees a vehicle pass
    looks: int = 0

    def look(self) -> list[Call]:
        """The calls of one look. Register and UnRegister are by digest."""
        number, self.looks = self.looks, self.looks + 1
        rng = dice(f"{self.seed}/viid/{self.run}/{number}")
        calls: list[Call] = []
        if number == 0:
            calls.append(self.signing("Register"))
        if number == _LEAVE_LOOK:
            calls += [self.signing("UnRegister"), self._vehicle(number, "before"), self.signing("Register")]
        if number % _KEEP_ALIVE_LOOKS == 1:
            calls.append(("System/Keepalive", {"KeepaliveObject": {"DeviceID": self.device}}))
        if rng.random() < self.chance:
            calls.append(self._vehicle(number, "passing"))
        if number % _FACE_LOOKS == 2:
            face = {"FaceID": f"{self.run}-{number}-face", "DeviceID": self.device}
            calls.append(("Faces", {"FaceListObject": {"FaceObject": [face]}}))
        return calls

    def signing(self, verb: str) -> Call:
        """What it says when it comes or goes."""
        return f"System/{verb}", {f"{verb}Object": {"DeviceID": self.device}}

    def _vehicle(self, number: int, why: str) -> Call:
        vehicle = {"MotorVehicleID": f"{self.run}-{number}-{why}", "DeviceID": self.device, "PlateNo": "甘A·模拟"}
        return "MotorVehicles", {"MotorVehicleListObject": {"MotorVehicleObject": [vehicle]}}


def proof(challenge: str, path: str, username: str, secret: str, chance: str) -> str:
    """The value of Authorization that answers a challenge for a POST to `path`. `chance` is the client's nonce."""
    told = dict(_TOLD.findall(challenge))
    realm, nonce = told.get("realm", ""), told.get("nonce", "")
    parts = (digest.secret_of(username, realm, secret), nonce, "00000001", chance, "auth", _md5(f"POST:{path}"))
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{path}", qop=auth, nc=00000001, '
        f'cnonce="{chance}", response="{_md5(":".join(parts))}"'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
