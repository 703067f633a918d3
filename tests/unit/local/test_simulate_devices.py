"""The simulated cameras that post by themselves: each in the words of its maker, each thing with its end."""

from __future__ import annotations

from events.intake.camera_event import CameraEvent, Phase
from gridsvc.api.camera_protocols import PROTOCOLS
from gridsvc.local.city_people import LABELS
from gridsvc.local.simulate_devices import DeviceToken, DeviceWatch

SPOKEN = ("dahua", "frigate", "hikvision", "onvif")
TOKENS = [DeviceToken(protocol, f"{protocol}-{n}", "secret") for protocol in (*SPOKEN, "gat1400") for n in range(3)]


def watched(looks: int, seed: int = 1) -> list[tuple[str, CameraEvent]]:
    watch = DeviceWatch(seed, "run", TOKENS, 0.5)
    told = []
    for _ in range(looks):
        for sent in watch.look():
            [item] = PROTOCOLS[sent.token.protocol].parse(sent.body, sent.content_type, {})
            assert isinstance(item, CameraEvent), item
            told.append((sent.token.camera, item))
    return told


def test_each_protocol_says_what_begins_and_that_it_ends() -> None:
    told = watched(100)
    assert {event.protocol for _, event in told} == set(SPOKEN)
    going_on: dict[tuple[str, str], list[Phase]] = {}
    for camera, event in told[:-8]:
        going_on.setdefault((camera, event.lane or event.key), []).append(event.phase)
    for phases in going_on.values():
        assert phases[::2] == [Phase.START] * len(phases[::2])
        assert phases[1::2] == [Phase.END] * len(phases[1::2])


def test_no_two_messages_are_the_same_to_the_door() -> None:
    told = watched(200)
    assert len({(camera, event.key, event.phase) for camera, event in told}) == len(told)


def test_the_map_of_the_demo_city_knows_their_words() -> None:
    known = {(protocol, kind) for protocol, kind, *_ in LABELS}
    for _, event in watched(200):
        assert (event.protocol, event.kind) in known or ("*", event.kind) in known


def test_the_same_seed_sends_the_same() -> None:
    assert watched(50) == watched(50)
    assert watched(50) != watched(50, seed=2)
