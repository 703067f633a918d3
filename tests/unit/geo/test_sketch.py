"""An area that somebody drew on a map, as text."""

from __future__ import annotations

import pytest
import shapely

from geo.sketch import MOST_CORNERS, Around, Outlined, read_sketch

SQUARE = "ring,103.8,36.05,103.81,36.05,103.81,36.06,103.8,36.06"


def test_a_box_a_ring_and_a_circle_are_read() -> None:
    box, ring = read_sketch("box,103.8,36.05,103.81,36.06"), read_sketch(SQUARE)
    assert isinstance(box, Outlined)
    assert isinstance(ring, Outlined)
    assert shapely.from_wkt(box.wkt).equals(shapely.from_wkt(ring.wkt))
    assert read_sketch("circle,103.8,36.05,250.5") == Around(103.8, 36.05, 250.5)
    assert read_sketch("circle,-0.5,-36,1") == Around(-0.5, -36.0, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "", "box", "box,1,2,3", "box,1,2,3,4,5", "box,3,2,1,4", "box,1,2,1,4", "box,1,2,3,95", "box,1,2,1e1,4",
        "box,1,2, 3,4", "box,1,2,nan,4", "circle,1,2", "circle,1,2,0", "circle,1,2,-5", "circle,1,2,100001",
        "circle,181,2,5", "ring,0,0,4,0", "ring,0,0,4,0,4", "ring,0,0,4,4,4,0,0,4", "ring,0,0,1,1,2,2",
        f"ring{',0,0' * (MOST_CORNERS + 1)}", "star,0,0,1,1,2,0", "ring,０,0,4,0,4,4",
    ],
)  # fmt: skip
def test_anything_else_is_no_area(text: str) -> None:
    assert read_sketch(text) is None
