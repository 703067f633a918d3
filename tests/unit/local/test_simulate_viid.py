"""The simulated traffic camera: it registers first, keeps alive, leaves once, and what it says is GA/T 1400."""

from __future__ import annotations

import json

import pytest

from events.intake import digest, gat1400
from events.intake.camera_event import CameraEvent, Heartbeat, Refused
from gridsvc.local.simulate_viid import TrafficCamera, proof

DEVICE = "62010000001320000003"


def paths(looks: int, chance: float = 0.5) -> list[str]:
    camera = TrafficCamera(1, "run", DEVICE, chance)
    return [path for _ in range(looks) for path, _ in camera.look()]


def test_it_registers_before_anything_else_and_leaves_once_speaking_before_it_is_back() -> None:
    called = paths(100)
    assert called[0] == "System/Register"
    left = called.index("System/UnRegister")
    assert called[left : left + 3] == ["System/UnRegister", "MotorVehicles", "System/Register"]
    assert called.count("System/UnRegister") == 1
    assert called.count("System/Keepalive") == 10
    assert called.count("Faces") == 3


def test_how_much_passes_is_the_pace() -> None:
    assert paths(100, 0.0).count("MotorVehicles") == 1
    assert 30 < paths(100, 0.5).count("MotorVehicles") < 70
    assert paths(100) == paths(100)


def test_everything_that_it_says_is_read() -> None:
    camera = TrafficCamera(1, "run", DEVICE, 1.0)
    kinds = {"System": Heartbeat, "MotorVehicles": CameraEvent, "Faces": Refused}
    for _ in range(20):
        for path, message in camera.look():
            (item,) = gat1400.parse(json.dumps(message).encode(), "", DEVICE)
            assert isinstance(item, kinds[path.split("/")[0]])


@pytest.mark.parametrize(("secret", "good"), [("secret", True), ("other", False)])
def test_its_proof_is_one_for_whoever_knows_the_secret(secret: str, good: bool) -> None:
    header = proof(digest.challenge("viid", "n0"), "/VIID/System/Register", DEVICE, secret, "c0")
    answer = digest.read_answer(header)
    assert answer is not None
    assert digest.proves(answer, "POST", digest.secret_of(DEVICE, "viid", "secret")) is good
