"""Every kind of defect can be looked up."""

from __future__ import annotations

import re
from pathlib import Path

from geo.defects import Defect, Kind

RULES = Path(__file__).parents[3] / "docs/rules/grid-import.md"


def test_the_rules_list_every_kind_of_defect_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \| (?:yes|no) \|", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(Kind)


def test_a_defect_is_told_with_row_and_place() -> None:
    assert str(Defect(Kind.INVALID, "crosses itself", row=5, place=(102.8, 36.3))) == (
        "invalid: row 5 at 102.800000,36.300000: crosses itself"
    )
    assert str(Defect(Kind.NO_ROWS, "nothing in it")) == "no_rows: nothing in it"
