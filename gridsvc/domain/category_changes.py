"""What a new edition of categories would change against the one in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from gridsvc.domain.category import Category


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A category that is in both editions and differs, and in which of its fields."""

    before: Category
    after: Category
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Categories by code: new ones, different ones, those that are gone, and how many stay as they are."""

    added: tuple[Category, ...]
    changed: tuple[Changed, ...]
    removed: tuple[Category, ...]
    same: int


def changes_between(before: Iterable[Category], after: Iterable[Category]) -> Changes:
    """Compare by code, whatever the edition calls it: a code that means something else now has changed its name."""
    old = {each.code: each for each in before}
    new = {each.code: each for each in after}
    both = [(old[code], each) for code, each in new.items() if code in old]
    changed = [Changed(before=was, after=each, fields=_differing(was, each)) for was, each in both]
    return Changes(
        added=tuple(each for code, each in new.items() if code not in old),
        changed=tuple(each for each in changed if each.fields),
        removed=tuple(each for code, each in old.items() if code not in new),
        same=sum(not each.fields for each in changed),
    )


def _differing(before: Category, after: Category) -> tuple[str, ...]:
    names = (each.name for each in fields(Category) if each.name != "edition")
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))
