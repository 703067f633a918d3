"""The database's clock is believed, unless it jumps ahead of the time that has passed."""

from __future__ import annotations

import pytest

from workers.steady import DOUBT_SECONDS, Steady, Verdict, look

HOUR = 3600.0


def verdicts(*readings: tuple[float, float]) -> list[str]:
    """What is said of each pair: seconds that the database's clock shows, seconds that have passed."""
    steady, said = Steady(), []
    for clock, passed in readings:
        steady, verdict = look(steady, clock, passed)
        said.append(str(verdict))
    return said


@pytest.mark.parametrize(
    ("why", "readings", "said"),
    [
        ("the first look believes", [(5e9, 17)], ["steady"]),
        ("time passes", [(0, 0), (1, 1), (100, 100)], ["steady"] * 3),
        ("the machine slept for a day and both went on", [(0, 0), (24 * HOUR, 24 * HOUR)], ["steady"] * 2),
        ("a correction of four minutes", [(0, 0), (241, 1), (242, 2)], ["steady"] * 3),
        ("slow corrections do not add up", [(n * 201.0, n) for n in range(5)], ["steady"] * 5),
        ("an hour ahead is doubted", [(0, 0), (HOUR, 1), (HOUR + 1, 2)], ["steady", "jumped", "doubted"]),
        (
            "a wrong clock is put right and nothing fired",
            [(0, 0), (HOUR, 1), (HOUR + 60, 61), (62, 62)],
            ["steady", "jumped", "doubted", "steady"],
        ),
        (
            "a clock that keeps its new time is believed without a person",
            [(0, 0), (HOUR, 1), (HOUR + DOUBT_SECONDS, 1 + DOUBT_SECONDS), (HOUR + 700, 701)],
            ["steady", "jumped", "believed", "steady"],
        ),
        (
            "a second jump is doubted anew",
            [(0, 0), (HOUR, 1), (2 * HOUR, 2), (2 * HOUR + DOUBT_SECONDS - 1, 1 + DOUBT_SECONDS)],
            ["steady", "jumped", "jumped", "doubted"],
        ),
        ("an hour back is believed", [(2 * HOUR, 0), (HOUR, 1), (HOUR + 1, 2)], ["steady", "back", "steady"]),
    ],
)
def test_which_clock_fires(why: str, readings: list[tuple[float, float]], said: list[str]) -> None:
    assert verdicts(*readings) == said, why


def test_nothing_fires_by_a_doubted_clock() -> None:
    assert [verdict for verdict in Verdict if not verdict.fires] == [Verdict.JUMPED, Verdict.DOUBTED]
