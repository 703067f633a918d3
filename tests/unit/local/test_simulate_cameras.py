"""The simulated cameras: what they see begins and ends, one is stuck, some is taken back, and one storms."""

from __future__ import annotations

from collections import Counter

import msgspec

from events.intake.camera_event import CameraEvent, Phase
from events.intake.cloudevents import parse
from gridsvc.local.city_ground import make_lattice
from gridsvc.local.city_people import CAMERAS, LABELS, camera_code, make_cameras
from gridsvc.local.simulate_cameras import KINDS, STORM, STRANGE, CameraWatch

CODES = [camera_code(number) for number in range(1, CAMERAS + 1)]


def watched(looks: int, seed: int = 1) -> tuple[CameraWatch, list[list[CameraEvent]]]:
    watch = CameraWatch(seed, "run", CODES, 0.5, 40)
    batches = []
    for _ in range(looks):
        for batch in watch.look():
            events = parse(msgspec.json.encode(batch), "application/cloudevents-batch+json")
            assert all(isinstance(event, CameraEvent) for event in events), events
            batches.append([event for event in events if isinstance(event, CameraEvent)])
    return watch, batches


def test_what_begins_ends_in_the_next_look_and_some_is_taken_back() -> None:
    watch, batches = watched(400)
    events = [event for batch in batches if len(batch) < STORM for event in batch if "stuck" not in event.key]
    phases: dict[str, list[Phase]] = {}
    for event in events:
        phases.setdefault(event.key, []).append(event.phase)
    whole = [told for told in phases.values() if told == [Phase.START, Phase.END]]
    assert len(whole) > 100
    taken_back = [event for event in events if event.false_alarm]
    assert len(taken_back) > 20
    assert watch.incidents == len({event.key.split()[1] for event in events})
    assert {event.kind for event in events} == {*KINDS, STRANGE}
    shown = [event for event in events if event.snapshots]
    assert 50 < len(shown) < len(whole), "much of what begins comes with its picture, and not all"
    assert {event.phase for event in shown} == {Phase.START}


def test_the_stuck_camera_says_the_very_same_and_another_storms() -> None:
    _, batches = watched(80)
    said = Counter(str(event) for batch in batches for event in batch if "stuck" in event.key)
    assert list(said.values()) == [16]
    storms = [batch for batch in batches if len(batch) == STORM]
    assert len(storms) == 2
    assert len({event.key for batch in storms for event in batch}) == 2 * STORM


def test_in_a_full_city_only_the_stuck_camera_goes_on() -> None:
    watch = CameraWatch(1, "run", CODES, 1.0, 4)
    [began] = watch.look()
    later = [watch.look(full=True) for _ in range(10)]
    ended = [event["id"] for event in later[0][0]]
    assert len(ended) == len(began) - 1, "what had begun ends"
    assert [[event["id"] for batch in look for event in batch] for look in later[1:]] == [
        [], [], [], ["stuck"], [], [], [], [], ["stuck"],
    ]  # fmt: skip


def test_the_cameras_are_those_of_the_demo_city_and_the_map_knows_the_labels() -> None:
    cameras = make_cameras(1, make_lattice(1))
    assert [camera.code for camera in cameras] == CODES
    known = {kind for protocol, kind, *_ in LABELS if protocol == "*"}
    assert set(KINDS) <= known
    assert STRANGE not in {kind for _, kind, *_ in LABELS}


def test_the_same_seed_sees_the_same() -> None:
    assert watched(50)[1] == watched(50)[1]
    assert watched(50)[1] != watched(50, seed=2)[1]
