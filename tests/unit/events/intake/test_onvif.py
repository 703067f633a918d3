"""ONVIF: a change is an event, how things stand is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.intake import onvif
from events.intake.camera_event import Phase
from tests.fuzz.corpus import envelope, notice
from tests.unit.events.intake.read import event, events, heartbeat, refusal


@pytest.mark.parametrize(
    "soap", ["http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"]
)
def test_both_soaps_are_read(soap: str) -> None:
    seen = event(onvif.parse(envelope(notice(), soap=soap)))
    assert (seen.kind, seen.phase) == ("ruleengine/fielddetector/objectsinside", Phase.START)
    assert (seen.device.channel, seen.zone, seen.target) == ("1", "kerb", "vehicle")
    assert seen.at == datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC)


def test_true_begins_false_ends_and_neither_is_a_point_in_time() -> None:
    told = events(onvif.parse(envelope(notice(), notice(value="0", second=2), notice(value="", second=3))))
    assert [each.phase for each in told] == [Phase.START, Phase.END, Phase.PULSE]
    assert len({each.lane for each in told}) == 1
    assert len({each.key for each in told}) == 3


def test_what_is_initialized_is_a_state_and_no_event() -> None:
    told = heartbeat(onvif.parse(envelope(notice(what="Initialized"))))
    assert told.state == "ruleengine/fielddetector/objectsinside isinside=true classtypes=Vehicle"


def test_the_misspelt_attribute_means_the_same() -> None:
    assert heartbeat(onvif.parse(envelope(notice(what="Initialized", how="PropertyType")))).state


def test_what_is_deleted_has_ended() -> None:
    assert event(onvif.parse(envelope(notice(what="Deleted")))).phase is Phase.END


def test_prefixes_are_the_devices_own() -> None:
    ours, theirs = (
        event(onvif.parse(envelope(notice(topic=f"{one}:RuleEngine/{other}:MyRuleDetector/Visitor"))))
        for one, other in (("tns1", "tnsx"), ("a", "b"))
    )
    assert ours == theirs
    assert ours.kind == "ruleengine/myruledetector/visitor"


def test_the_profile_of_an_application_is_where_it_looks() -> None:
    seen = event(onvif.parse(envelope(notice(topic="x:CameraApplicationPlatform/LoiteringGuard/Camera1Profile2"))))
    assert (seen.kind, seen.zone) == ("cameraapplicationplatform/loiteringguard", "kerb")


def test_what_a_device_does_by_itself_is_a_state() -> None:
    assert heartbeat(onvif.parse(envelope(notice(topic="tns1:PTZController/x:Move/Channel_1")))).state.startswith("ptz")


def test_nothing_to_tell_is_a_heartbeat() -> None:
    assert heartbeat(onvif.parse(envelope())).state == ""


def test_faces_are_refused() -> None:
    assert refusal(onvif.parse(envelope(notice(topic="tns1:RuleEngine/Recognition/Face")))).code == "faces_refused"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (envelope(notice(topic="")), "no_kind"),
        (envelope(notice().replace("UtcTime", "Time")), "no_message"),
        (envelope(*[notice()] * 201), "too_many_items"),
        (b"<s:Envelope><s:Body><GetEventInstancesResponse/></s:Body></s:Envelope>", "unknown_shape"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "dtd_refused"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, code: str) -> None:
    assert refusal(onvif.parse(body)).code == code
