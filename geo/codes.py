"""How divisions, cells and beats are written: schemes of digits, their checks, the next number.

There is no check digit in any of these codes (GB/T 30428.1, CJ/T 213): a wrong digit is only found
because the code is not there. Codes are text everywhere; a leading zero is part of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["province", "city", "district", "street", "community"]
LEVELS: Final[tuple[Level, ...]] = ("province", "city", "district", "street", "community")

# Words for the levels as files write them.
LEVEL_WORDS: Final[dict[str, Level]] = {
    **{level: level for level in LEVELS},
    "省": "province", "自治区": "province", "直辖市": "province",
    "市": "city", "地级市": "city", "county": "district", "区": "district", "县": "district", "区县": "district",
    "街道": "street", "镇": "street", "乡": "street", "town": "street", "township": "street",
    "社区": "community", "村": "community", "village": "community",
}  # fmt: skip

_FREE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}")


@dataclass(frozen=True)
class Scheme:
    """How cell codes of one grid set are built.

    `parts` are lengths in digits, the last one the cell's number inside its division. No parts: free,
    any 1 to 32 letters, digits, dots, dashes and underscores.
    """

    name: str
    parts: tuple[int, ...] = ()

    @property
    def digits(self) -> int:
        """Length of a cell code; 0 where it is free."""
        return sum(self.parts)

    @property
    def division_digits(self) -> int:
        """Length of the code of the division that cells are numbered in; 0 where it is free."""
        return sum(self.parts[:-1])

    @property
    def most_cells(self) -> int:
        """How many cells one division can number."""
        return int(10 ** self.parts[-1] - 1) if self.parts else 0

    def fault(self, code: str) -> str | None:
        """What is wrong with a cell code, or None."""
        if not self.parts:
            return None if _FREE.fullmatch(code) else f"{code!r} is not 1 to 32 of A-Z a-z 0-9 . _ -"
        if re.fullmatch(rf"[0-9]{{{self.digits}}}", code) is None:
            return f"{code!r} is not {self.digits} digits ({self.name})"
        if int(code[self.division_digits :]) == 0:
            return f"{code!r} numbers its cell zero; numbers start at one"
        return None

    def division_of(self, code: str) -> str | None:
        """The division that a well-formed cell code names; None where the scheme is free."""
        return code[: self.division_digits] if self.parts else None

    def next_codes(self, division: str, taken: int = 0) -> Iterator[str]:
        """Codes for a division's cells from number `taken` + 1 on; ends after `most_cells`.

        Raises ValueError where the scheme is free or the division's code has another length.
        """
        if not self.parts:
            raise ValueError("a free scheme cannot number cells; want digits such as 6+3+3+3 or 6+6")
        if len(division) != self.division_digits:
            raise ValueError(
                f"cells of {division!r} cannot be numbered by {self.name}: "
                f"it numbers inside divisions of {self.division_digits} digits"
            )
        for number in range(taken + 1, self.most_cells + 1):
            yield f"{division}{number:0{self.parts[-1]}d}"


FREE: Final = Scheme("free")
NATIONAL: Final = Scheme("6+3+3+3", (6, 3, 3, 3))  # GB/T 30428.1: county, street, community, cell
BY_DISTRICT: Final = Scheme("6+6", (6, 6))  # ours, where only district outlines exist


def scheme_named(name: str) -> Scheme:
    """`6+3+3+3`, `6+6`, any other such sum, or `free`. Raises ValueError naming what is wanted."""
    if name == FREE.name:
        return FREE
    if re.fullmatch(r"[1-9][0-9]?(\+[1-9])+", name) is None:
        raise ValueError(f"{name!r} is no scheme of codes; want digits as in 6+3+3+3 or 6+6, or free")
    return Scheme(name, tuple(int(part) for part in name.split("+")))


def division_fault(code: str, scheme: Scheme) -> str | None:
    """What is wrong with a division's code, or None.

    Under a scheme of digits: 6, 9 or 12 of them (GB/T 2260, then GB/T 10114). Under a free one as cells.
    """
    if not scheme.parts:
        return scheme.fault(code)
    if re.fullmatch(r"[0-9]{6}|[0-9]{9}|[0-9]{12}", code) is None:
        return f"{code!r} is not 6, 9 or 12 digits"
    return None


def level_of(code: str) -> Level | None:
    """The level that a division's digits tell (GB/T 2260), or None where they tell none."""
    if re.fullmatch(r"[0-9]{6}", code):
        return "province" if code.endswith("0000") else "city" if code.endswith("00") else "district"
    return {9: "street", 12: "community"}.get(len(code)) if code.isdecimal() else None  # type: ignore[return-value]


def parent_code(code: str) -> str | None:
    """The division above one of 6, 9 or 12 digits; None above a province and for other codes."""
    match level_of(code):
        case "community" | "street":
            return code[:-3]
        case "district":
            return code[:4] + "00"
        case "city":
            return code[:2] + "0000"
        case _:
            return None


def beat_code(division: str, number: int) -> str:
    """The code of the `number`-th beat made inside a division."""
    return f"{division}B{number:03d}"
