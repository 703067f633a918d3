"""What a category asks to be said besides the words (必填属性): a material, a width, a floor; was it said, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gridsvc.errors import BadAttribute

KINDS: Final = {
    "text": "text", "文字": "text", "number": "number", "数字": "number", "time": "time", "时间": "time",
}  # fmt: skip
"""Words of a list for what a value is; without one it is text, or one of the choices that are written."""

LONGEST: Final = 400  # characters of a value

SYNTAX: Final = "name, name:number, name:time or name=choice/choice; a ? behind it where it may be left out"

_SPEC: Final = re.compile(
    r"(?P<name>[^:：=＝?？]+)(?:[:：](?P<kind>[^:：=＝?？]+)|[=＝](?P<choices>[^=＝?？]+))?(?P<may>[?？])?"
)
_NUMBER: Final = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One thing that a report of the category says. `kind`: text, number, time (RFC 3339) or choice (of `choices`)."""

    name: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    required: bool = True

    @property
    def spec(self) -> str:
        """How a list of categories writes it; `read_attribute` reads exactly this again."""
        kind = {"text": "", "choice": f"={'/'.join(self.choices)}"}.get(self.kind, f":{self.kind}")
        return f"{self.name}{kind}{'' if self.required else '?'}"


def read_attribute(spec: str) -> Attribute | None:
    """The attribute that a list writes as `spec` (SYNTAX); None where that is none."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        return None
    name, required = found["name"].strip(), found["may"] is None
    if found["choices"] is not None:
        choices = tuple(dict.fromkeys(each.strip() for each in found["choices"].split("/") if each.strip()))
        return Attribute(name=name, kind="choice", choices=choices, required=required) if name and choices else None
    kind = KINDS.get((found["kind"] or "text").strip())
    return Attribute(name=name, kind=kind, required=required) if name and kind else None


def missing(attributes: Sequence[Attribute], given: Mapping[str, str]) -> list[str]:
    """The names of those that are required and not said, in the category's order."""
    return [each.name for each in attributes if each.required and each.name not in given]


def checked(attributes: Sequence[Attribute], given: Mapping[str, str | int | float]) -> dict[str, str]:
    """What was said, each value in one form: numbers as digits, times with their offset, text without space around.

    Nothing in a value: it was not said. Raises BadAttribute for a name that the category has not, and for a value
    that is not of its kind. Whether anything is missing is asked apart, since not everybody must know everything.
    """
    known = {each.name: each for each in attributes}
    said: dict[str, str] = {}
    for name, value in given.items():
        if name not in known:
            raise BadAttribute(
                f"the category has no attribute {name!r}",
                field="attributes", name=name, reason="unknown", wanted=[each.spec for each in attributes],
            )  # fmt: skip
        text = str(value).strip()
        if text:
            said[name] = _in_form(known[name], text)
    return said


def kept(attributes: Sequence[Attribute], said: Mapping[str, str]) -> dict[str, str]:
    """What of `said` under another category still holds under one with these attributes."""
    found: dict[str, str] = {}
    for name, value in said.items():
        try:
            found |= checked(attributes, {name: value})
        except BadAttribute:
            continue
    return found


def refuse_missing(attributes: Sequence[Attribute], given: Mapping[str, str]) -> None:
    """Raise BadAttribute where somebody who stands before the thing has left out what is required."""
    left_out = missing(attributes, given)
    if left_out:
        raise BadAttribute(
            f"the category asks for {', '.join(left_out)}",
            field="attributes", name=left_out[0], reason="missing",
            wanted=[each.spec for each in attributes if each.required],
        )  # fmt: skip


def _in_form(attribute: Attribute, text: str) -> str:
    match attribute.kind:
        case _ if len(text) > LONGEST:
            raise _bad(attribute, "too_long", text, f"at most {LONGEST} characters")
        case "number" if not _NUMBER.fullmatch(text):
            raise _bad(attribute, "not_a_number", text, "digits, with up to six behind a point")
        case "choice" if text not in attribute.choices:
            raise _bad(attribute, "not_a_choice", text, " / ".join(attribute.choices))
        case "time":
            return _moment(attribute, text)
    return text


def _moment(attribute: Attribute, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _bad(attribute, "not_a_time", text, "RFC 3339 with an offset, as 2026-11-26T08:30:00+08:00")
    return moment.isoformat()


def _bad(attribute: Attribute, reason: str, text: str, wanted: str) -> BadAttribute:
    return BadAttribute(
        f"attribute {attribute.name!r} is {text[:40]!r}; want {wanted}",
        field="attributes", name=attribute.name, reason=reason, given=text[:40], wanted=wanted,
    )  # fmt: skip
