"""docs/events.md lists every announcement with its fields, and who hears it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from events.catalog import CATALOG, Announcement, CaseNews
from events.topology import QUEUES, Queue
from workers.listen import LISTENERS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/events.md").read_text(encoding="utf-8")


def row_of(kind: type[Announcement]) -> str:
    """The line that the document must hold for `kind`."""
    common = fields(CaseNews) if issubclass(kind, CaseNews) else fields(Announcement)
    shared = {field.name for field in common}
    own = " ".join(f"`{field.name}`" for field in fields(kind) if field.name not in shared)
    heard = ", ".join(f"{each.queue.name}: `{each.action.__name__}`" for each in LISTENERS if each.announcement is kind)
    what = (kind.__doc__ or "").strip().splitlines()[0]
    return f"| `{kind.TYPE}` | {kind.VERSION} | {what} | {own or '–'} | {heard or '–'} |"


@pytest.mark.parametrize("kind", CATALOG.values(), ids=CATALOG.keys())
def test_every_announcement_is_described_as_it_is(kind: type[Announcement]) -> None:
    assert row_of(kind) in TEXT.splitlines()


def test_nothing_else_is_described() -> None:
    families = tuple(f"| `{kind.split('.')[0]}." for kind in CATALOG)
    assert sum(line.startswith(families) for line in TEXT.splitlines()) == len(CATALOG)


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_every_queue_is_described(queue: Queue) -> None:
    assert f"`{queue.name}`" in TEXT
    assert f"`{queue.dead}`" in TEXT
