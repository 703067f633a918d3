"""A refusal that only says that the city moved on is a race, as people have them; any other is a fault of the run."""

from __future__ import annotations

import pytest

from gridsvc.local.service_client import Answer
from gridsvc.local.simulate import is_race


@pytest.mark.parametrize(
    ("status", "body", "race"),
    [
        (409, {"code": "version_conflict"}, True),
        (409, {"code": "wrong_moment"}, True),
        (422, {"code": "guard_failed", "guard": "goes_on"}, True),  # the case to merge into ended a moment ago
        (422, {"code": "guard_failed", "guard": "no_chain"}, True),  # the cause became an effect a moment ago
        (422, {"code": "guard_failed", "guard": "before_and_after"}, False),
        (422, {"code": "guard_failed"}, False),
        (403, {"code": "not_allowed"}, False),
        (502, None, False),
    ],
)
def test_only_what_the_city_overtook_is_a_race(status: int, body: dict[str, str] | None, race: bool) -> None:
    assert is_race(Answer(status, body, {})) is race
