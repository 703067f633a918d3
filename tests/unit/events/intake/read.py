"""What a test wants of an answer: exactly one item, of one kind."""

from __future__ import annotations

from collections.abc import Sequence

from events.intake.camera_event import CameraEvent, Heartbeat, Parsed, Refused


def event(told: Sequence[Parsed]) -> CameraEvent:
    """The one event of an answer."""
    (item,) = told
    assert isinstance(item, CameraEvent), item
    return item


def events(told: Sequence[Parsed]) -> list[CameraEvent]:
    """The events of an answer that holds nothing else."""
    assert all(isinstance(item, CameraEvent) for item in told), told
    return [item for item in told if isinstance(item, CameraEvent)]


def heartbeat(told: Sequence[Parsed]) -> Heartbeat:
    """The one heartbeat of an answer."""
    (item,) = told
    assert isinstance(item, Heartbeat), item
    return item


def refusal(told: Sequence[Parsed]) -> Refused:
    """The one refusal of an answer."""
    (item,) = told
    assert isinstance(item, Refused), item
    return item
