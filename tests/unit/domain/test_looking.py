"""Looking through a camera (docs/cameras/looking.md): which gateway, and a link that nobody can make himself."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from gridsvc.domain.looking import Gateway, fault_of_template, filled, gateway_for, snapshot_url

PLAY = "https://video.example/{camera}?until={expires}&sig={signature}"
UNTIL = datetime(2026, 11, 26, 8, 5, tzinfo=UTC)


def test_a_gateway_that_names_the_camera_goes_before_its_protocols_and_that_before_any() -> None:
    any_of_them = Gateway(code="a", play_template=PLAY)
    protocol = Gateway(code="b", play_template=PLAY, protocols=["onvif"])
    named = Gateway(code="c", play_template=PLAY, cameras=["c1"])
    every = [any_of_them, protocol, named]
    assert gateway_for("c1", "onvif", "play", every) == named
    assert gateway_for("c2", "onvif", "play", every) == protocol
    assert gateway_for("c2", "frigate", "play", every) == any_of_them
    assert gateway_for("c2", "frigate", "play", [named, protocol]) is None
    assert gateway_for("c1", "onvif", "snapshot", every) is None, "none of them takes pictures"


def test_a_link_is_signed_over_the_camera_and_its_end() -> None:
    link = filled(PLAY, "c 1/2", UNTIL, b"key")
    expires = int(UNTIL.timestamp())
    signature = hmac.new(b"key", f"c 1/2\n{expires}".encode(), hashlib.sha256).hexdigest()
    assert link == f"https://video.example/c%201%2F2?until={expires}&sig={signature}"
    assert signature not in filled(PLAY, "c 1/3", UNTIL, b"key")
    assert signature not in filled(PLAY, "c 1/2", UNTIL.replace(minute=6), b"key")
    assert signature not in filled(PLAY, "c 1/2", UNTIL, b"another")


def test_a_camera_cannot_write_itself_into_an_address() -> None:
    assert snapshot_url("http://g/frame?src={camera}", "x&y=../?#") == "http://g/frame?src=x%26y%3D..%2F%3F%23"


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("https://video.example/{camera}", "play"),
        ("https://video.example/{camera}?u={expires}&s={signature}&k={key}", "play"),
        ("https://video.example/{camera.__class__}?u={expires}&s={signature}", "play"),
        ("https://video.example/{camera!r}?u={expires}&s={signature}", "play"),
        ("https://user:word@video.example/{camera}?u={expires}&s={signature}", "play"),
        ("rtsp://video.example/{camera}?u={expires}&s={signature}", "play"),
        ("https://{camera}.example/?u={expires}&s={signature}", "play"),
        ("https://video.example/{camera", "snapshot"),
        ("https://video.example/frame", "snapshot"),
        ("/frame?src={camera}", "snapshot"),
    ],
)
def test_a_template_that_would_show_or_reach_too_much_is_refused(template: str, kind: str) -> None:
    assert fault_of_template(template, kind) is not None


def test_a_good_template_is_taken() -> None:
    assert fault_of_template(PLAY, "play") is None
    assert fault_of_template("http://go2rtc.lan:1984/api/frame.jpeg?src={camera}", "snapshot") is None
