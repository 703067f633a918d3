"""The documents list everything there is, and what they say can be found."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import events.catalog
import gridsvc.errors
from events.catalog import CATALOG, Announcement, CameraNews, CaseNews
from gridsvc.api.routes import ROUTES
from gridsvc.domain.access import Role
from gridsvc.domain.case_state import Clock, Move, Pool, State
from gridsvc.errors import GridError
from gridsvc.logs import ACTIONS
from gridsvc.settings import PARTS, setting_names
from gridsvc.store.ledger import INVARIANTS
from tests.house.source import ROOT, document, kept_files


def _codes(text: str) -> set[str]:
    """Every word in `backquotes`."""
    return set(re.findall(r"`([^`\n]+)`", text))


def _table_words(text: str, heading: str) -> list[str]:
    """The first cells, in backquotes, of the table in the section under `heading`."""
    section = text.split(f"\n{heading}\n", 1)
    assert len(section) == 2, f"there is no section {heading!r}"
    body = re.split(r"\n#{1,3} ", section[1], maxsplit=1)[0]
    return re.findall(r"^\| `([^`]+)`", body, re.MULTILINE)


def _family(kind: type[Any]) -> list[type[Any]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _family(child))]


# --- settings, errors, announcements, routes ----------------------------------------------------------


def test_every_setting_is_documented_and_nothing_else() -> None:
    written = re.findall(r"^\| `(GRIDSVC_[A-Z_]+)`", document("settings.md"), re.MULTILINE)
    there_are = [name for part in PARTS for name in setting_names(part) if not name.endswith("_FILE")]
    assert written == [*there_are, "GRIDSVC_SAMPLE_DATA"]


def test_every_setting_is_documented_with_its_default_and_its_bounds() -> None:
    rows = {row[0]: row[1:] for row in _rows("settings.md") if row[0].startswith("`GRIDSVC_")}
    for part in PARTS:
        for entry in vars(part)["__dataclass_fields__"].values():
            default, wanted, *_ = rows[f"`{entry.metadata['name']}`"]
            shown = "–" if entry.default == "" else f"`{entry.default}`"
            assert default == shown, entry.metadata["name"]
            if entry.metadata["least"] is not None:
                bounds = f"{entry.metadata['least']} to {entry.metadata['most']}"
                assert wanted == bounds, entry.metadata["name"]
            assert (entry.metadata["name"] + "_FILE" in wanted) == entry.metadata["secret"], entry.metadata["name"]


def test_every_error_is_documented() -> None:
    codes = {kind.code for kind in _family(GridError)} - {"error", "refused", "setup_error"}
    assert codes - _codes(document("errors.md")) == set()


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in _family(GridError)]
    assert sorted(codes) == sorted(set(codes))


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+)", inspect.getdoc(gridsvc.errors) or "", re.MULTILINE)
    assert [name for name in drawn if name != "Everything" and name != "HTTP"] == _drawn_order()


def _drawn_order() -> list[str]:
    """The classes of the tree, each before its kind, in the order in which they are written."""
    source = [name for name, kind in vars(gridsvc.errors).items() if isinstance(kind, type)]

    def below(kind: type[GridError]) -> list[str]:
        children = sorted(kind.__subclasses__(), key=lambda each: source.index(each.__name__))
        return [kind.__name__, *(name for child in children for name in below(child))]

    return below(GridError)


def test_every_announcement_is_in_the_catalog() -> None:
    """A class that is not listed could be written to the outbox and never be read back."""
    abstract = {Announcement, CaseNews, CameraNews}
    ours = {kind for kind in _family(Announcement) if kind.__module__ == events.catalog.__name__}
    assert set(CATALOG.values()) == ours - abstract
    assert [kind.TYPE for kind in CATALOG.values()] == list(CATALOG)
    assert "" not in CATALOG


def test_every_announcement_is_documented() -> None:
    assert set(CATALOG) - _codes(document("events.md")) == set()


def test_every_route_is_documented() -> None:
    page = document("api.md")
    missing = [route.name for route in ROUTES if route.path not in page]
    assert missing == []


# --- what the operator reads --------------------------------------------------------------------------


def test_the_operator_finds_every_question_of_verify() -> None:
    page = document("operations.md")
    assert _table_words(page, "## What verify asks") == [rule.name for rule in INVARIANTS]
    for rule in INVARIANTS:
        assert f"| `{rule.name}` | {rule.says} |" in page, rule.name


def test_the_operator_finds_every_action_of_the_logs() -> None:
    page = document("operations.md")
    assert _table_words(page, "## What the logs say") == list(ACTIONS)
    for action, meaning in ACTIONS.items():
        assert f"| `{action}` | {meaning} |" in page, action


# --- words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [State, Move, Clock, Pool, Role])
def test_every_word_of_the_code_stands_in_the_glossary(kind: type[State]) -> None:
    assert {str(word) for word in kind} - _codes(document("glossary.md")) == set()


def test_every_case_word_has_its_chinese_in_the_glossary() -> None:
    for row in _rows("glossary.md"):
        assert len(row) == 4, row
        assert re.search(r"[\u4e00-\u9fff]", row[0]) or row[0] in {"–", "城市用词"}, row


# --- decisions ------------------------------------------------------------------------------------------

DECISIONS = ROOT / "docs/decisions"


def _decisions() -> list[Path]:
    return sorted(DECISIONS.glob("*.md"))


def test_decisions_are_numbered_without_gap_within_their_fives() -> None:
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name) for path in _decisions())
    numbers = [int(path.name[:4]) for path in _decisions()]
    assert len(numbers) == len(set(numbers))
    for five in {number // 5 for number in numbers}:  # a subject has a ten, or half of one
        mine = [number for number in numbers if number // 5 == five]
        first = 1 if five == 0 else five * 5
        assert mine == list(range(first, first + len(mine)))


# What a decision says, and the headings under which it may say so.
PARTS_OF_A_DECISION = {
    "Context": ("Context", "Why"),
    "Decision": ("Decision",),
    "Consequences": ("Consequences", "Consequence", "What would change our mind", "Would change our mind", "Rejected"),
}


@pytest.mark.parametrize("path", _decisions(), ids=lambda path: path.stem)
def test_a_decision_says_status_context_decision_and_consequences(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    headings = set(re.findall(r"^(?:## |\*\*)(\w[\w ]+)", text, re.MULTILINE))
    assert re.search(r"^(?:.*\. )?Status: \w+", text, re.MULTILINE), f"{path.name} has no status"
    assert re.match(rf"# {path.name[:4]} \S", text), f"{path.name} does not begin with its number"
    missing = [part for part, named in PARTS_OF_A_DECISION.items() if headings.isdisjoint(named)]
    assert missing == []


# --- links ----------------------------------------------------------------------------------------------

PAGES = [path for path in kept_files() if path.suffix == ".md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    dead = []
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        linked = (page.parent / name).resolve() if name else page
        if not linked.exists() or (anchor and linked.suffix == ".md" and anchor not in _anchors(linked)):
            dead.append(target)
    assert dead == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """A path in backquotes that begins in one of our folders and ends like a file."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:geo|events|gridsvc|workers|tests|bench|docker|docs)/[\w./-]+\.\w+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def _rows(page: str) -> list[list[str]]:
    lines = [line for line in document(page).splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
