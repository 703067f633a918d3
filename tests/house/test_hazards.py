"""Every hazard of the broker has a defence, and the test that is named for it exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "docs/hazards.md").read_text(encoding="utf-8").splitlines() if "::" in line]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(tests/[a-z_/]+\.py::test_[a-z_]+)`", row)})


def test_all_eighteen_hazards_are_there() -> None:
    numbers = [int(found[1]) for row in ROWS if (found := re.match(r"\| (\d+) \|", row))]

    assert numbers == list(range(1, 19))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_every_row_names_a_test(row: str) -> None:
    assert any(name in row for name in NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_the_named_test_exists(name: str) -> None:
    path, _, test = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))

    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
