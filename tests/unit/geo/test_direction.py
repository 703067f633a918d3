"""Two national standards number directions; they agree on the axes and on one diagonal."""

from __future__ import annotations

from geo.direction import GAT1400, GB28181

# By their own words, axis (西向东: from west to east) by axis.
WORDS_GAT1400 = {"1": "东", "2": "西", "3": "南", "4": "北", "5": "东北", "6": "西南", "7": "东南", "8": "西北"}
WORDS_GB28181 = {"1": "东", "2": "西", "3": "南", "4": "北", "5": "东南", "6": "东北", "7": "西南", "8": "西北"}
DEGREES = {"北": 0, "东北": 45, "东": 90, "东南": 135, "南": 180, "西南": 225, "西": 270, "西北": 315}


def test_each_number_points_where_its_standard_says() -> None:
    assert {number: DEGREES[word] for number, word in WORDS_GAT1400.items()} == GAT1400
    assert {number: DEGREES[word] for number, word in WORDS_GB28181.items()} == GB28181


def test_what_is_read_by_the_wrong_standard_is_off_by_a_right_angle_or_looks_backwards() -> None:
    off = {number: (GAT1400[number] - GB28181[number]) % 360 for number in GAT1400}
    assert off == {"1": 0, "2": 0, "3": 0, "4": 0, "5": 270, "6": 180, "7": 270, "8": 0}
