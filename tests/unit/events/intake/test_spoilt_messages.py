"""No message breaks a parser: a small count of spoilt ones here, 100 000 each with `python -m tests.fuzz`."""

from __future__ import annotations

import pytest

from events.intake.camera_event import Refused
from tests.fuzz.corpus import TARGETS
from tests.fuzz.spoil import check, run, spoilt


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    done = run(name, seed=7, count=2_000)
    assert done.answers[TARGETS[name].usual] > 100, "the spoiling has become too rough to get past the first look"
    assert sum(done.answers.values()) >= 2_000


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.usual == "CameraEvent"])
def test_the_kept_messages_are_mostly_events(name: str) -> None:
    target = TARGETS[name]
    answers = [target.parse(body, media_type) for body, media_type in target.kept]
    for told in answers:
        check(told)
    refused = [told for told in answers if isinstance(told[0], Refused)]
    assert len(refused) <= len(answers) / 2


def test_the_same_seed_spoils_alike() -> None:
    assert list(spoilt("dahua", 3, 50)) == list(spoilt("dahua", 3, 50)) != list(spoilt("dahua", 4, 50))
