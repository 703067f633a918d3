"""Supervision orders (督办): their kinds, their levels, and how long each level leaves for the reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class OrderKind:
    """Why an order is laid on a case."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True)
class OrderLevel:
    """How pressing an order is: so long, on the natural clock, may the reply take."""

    code: str
    name: str
    name_en: str
    reply_within: timedelta


KINDS: Final = (
    OrderKind("important", "重要事项督办", "An important matter"),
    OrderKind("timeout", "超时督办", "It is late"),
    OrderKind("leader", "领导督办", "A leader wants to know"),
)

LEVELS: Final = (
    OrderLevel("ordinary", "一般", "Ordinary", timedelta(hours=24)),
    OrderLevel("pressing", "重要", "Pressing", timedelta(hours=8)),
    OrderLevel("urgent", "紧急", "Urgent", timedelta(hours=2)),
)

KIND: Final = KINDS[0].code
"""Of an order that does not say why."""

LEVEL: Final = LEVELS[0].code
"""Of an order that does not say how pressing it is."""


def reply_within(level: str) -> timedelta:
    """How long the reply to an order of `level` may take."""
    return next(each.reply_within for each in LEVELS if each.code == level)
