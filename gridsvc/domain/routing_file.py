"""Routing rules as a TOML file: read with the place of what is no TOML, and written so that reading gives the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from gridsvc.domain.routing_rules import ReadRules, RoutingEdition, RuleFault, as_document, read_rules


def read_file(content: bytes) -> ReadRules:
    """The edition that a file says, with every fault; one that is no UTF-8 or no TOML has one fault and no rules."""
    try:
        return read_rules(tomllib.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        return _unreadable(f"byte {error.start}, which is no UTF-8", "a text file in UTF-8")
    except tomllib.TOMLDecodeError as error:
        return _unreadable(str(error), "TOML, as docs/rules/routing.md shows")


def _unreadable(given: str, wanted: str) -> ReadRules:
    fault = RuleFault(rule=None, field="file", given=given, wanted=wanted)
    return ReadRules(edition=RoutingEdition(number=0, name="", rules=()), faults=(fault,))


def written_file(edition: RoutingEdition) -> str:
    """The edition as a file."""
    document = as_document(edition)
    lines = [f"{name} = {_value(value)}" for name, value in document.items() if name != "rules"]
    for rule in document["rules"]:
        lines += ["", "[[rules]]", *_table(rule)]
        if "when" in rule:
            lines += ["[rules.when]", *_table(rule["when"])]
    return "\n".join(lines) + "\n"


def _table(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in table.items() if name != "when"]


def _value(value: object) -> str:
    """JSON's texts, numbers, switches and lists are TOML's too, for texts that are printable."""
    return json.dumps(value, ensure_ascii=False)
