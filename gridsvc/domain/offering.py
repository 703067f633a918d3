"""Which moves somebody may try on a case as it stands: by who asks, the state, and what is known without a body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gridsvc.domain.call_back import CallBack
from gridsvc.domain.case import MOVES, Rule, may_make
from gridsvc.domain.case_guards import (
    Guard,
    an_order_waits,
    at_most_two,
    call_back_waits,
    called_to_help,
    called_to_own,
    calls_for_its_level,
    checked_by_another,
    given_back,
    has_an_open_appeal,
    is_an_effect,
    lies_in_a_cell,
    never_appealed,
    never_suspended,
    no_order_waits,
    not_given_back,
    not_late,
    open_or_self_handled,
    parts_are_over,
    running,
    stands_for_itself,
    suspended,
    waits_for_a_person,
    was_late,
)
from gridsvc.domain.case_state import Actor, Case, Move, Particulars

KNOWN_BEFORE: Final[frozenset[Guard]] = frozenset(
    {
        running, suspended, not_given_back, given_back, waits_for_a_person, was_late, never_appealed, no_order_waits,
        an_order_waits, has_an_open_appeal, lies_in_a_cell, checked_by_another, not_late, never_suspended, at_most_two,
        call_back_waits, calls_for_its_level, open_or_self_handled, stands_for_itself, is_an_effect, parts_are_over,
        called_to_own, called_to_help,
    }
)  # fmt: skip
"""The conditions that look at the case and at who asks, and at nothing that is said with the move."""


def offered(case: Case, actor: Actor, waiting: Sequence[CallBack], now: datetime) -> list[Move]:
    """The moves that `actor` may try now, in the order of the table; `waiting` are the case's open call-backs.

    One that is offered may still be refused for what is said with it, or because the case moved on.
    """
    return [rule.move for rule in MOVES.values() if _may_be_tried(rule, case, actor, waiting, now)]


def _may_be_tried(rule: Rule, case: Case, actor: Actor, waiting: Sequence[CallBack], now: datetime) -> bool:
    if not rule.over_http or case.state not in rule.before or not may_make(rule, case, actor):
        return False
    stands = [replace(case, call_back=each) for each in waiting] if rule.move is Move.CALL_BACK else [case]
    return any(
        all(guard(each, actor, Particulars(), now) is None for guard in rule.guards if guard in KNOWN_BEFORE)
        for each in stands
    )
