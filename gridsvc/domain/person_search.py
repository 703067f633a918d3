"""Who is meant by some words: a name by its characters, its pinyin or its initials, a sign-in name, a beat."""

from __future__ import annotations

from collections.abc import Iterable

from pypinyin import Style, lazy_pinyin


def is_meant(words: str, names: Iterable[str], codes: Iterable[str] = ()) -> bool:
    """Whether every one of `words` stands in one of the names, or sounds like it, or begins one of the codes.

    Capitals and blanks in names count for nothing; no words mean everybody.
    """
    spelled = {spelling for name in names for spelling in _spellings(name)}
    begins = [code.casefold() for code in codes]
    return all(
        any(word in spelling for spelling in spelled) or any(code.startswith(word) for code in begins)
        for word in words.casefold().split()
    )


def _spellings(name: str) -> set[str]:
    plain = "".join(name.casefold().split())
    return {plain, "".join(lazy_pinyin(plain)), "".join(lazy_pinyin(plain, style=Style.FIRST_LETTER))}
