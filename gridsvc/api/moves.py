"""The table of moves as clients read it: who may make which move from where, what it needs, and its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gridsvc.actions.move_cases import IN_BULK
from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.domain.case import MOVES, Rule
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import Move, State
from gridsvc.domain.reasons import RESULTS, Reasons
from gridsvc.domain.supervision import KINDS, LEVELS, OrderKind, OrderLevel
from gridsvc.store.rulebook import rulebook


class ReasonOut(Told):
    """One reason of a move; `wants_words`: the words of `reason` must be given with it.

    Not `active`: it stands in old histories and is no longer taken.
    """

    code: str
    name: str
    name_en: str
    wants_words: bool
    active: bool


class ResultOut(Told):
    """One value of `result`; `of` is the kind of check, the appeal or the call-back."""

    of: str
    code: str
    name: str
    name_en: str


class ChoiceOut(Told):
    """One value of a field that has few."""

    field: str
    code: str
    name: str
    name_en: str


class MoveOut(Told):
    """One row of the table. `after` null: the state stands; `before` empty: it makes a case.

    `must_say` and `may_say` are fields of its body, `choices` what those that have few values may say, `conditions`
    the names that a refusal gives as `guard`. `in_bulk`: it may be made on many cases in one call.
    """

    move: str
    says: str
    before: list[str]
    after: str | None
    by: list[str]
    must_say: list[str]
    may_say: list[str]
    conditions: list[str]
    over_http: bool
    reasons: list[ReasonOut]
    results: list[ResultOut]
    choices: list[ChoiceOut]
    in_bulk: bool


async def _moves(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, _):
        book = await rulebook(conn)
    return reply(Page[MoveOut](items=[_out(rule, book.reasons) for rule in MOVES.values()]))


def _out(rule: Rule, reasons: Reasons) -> MoveOut:
    return MoveOut(
        move=rule.move,
        says=rule.says,
        before=[state for state in State if state in rule.before],
        after=rule.after,
        by=sorted(rule.by),
        must_say=list(rule.needs),
        may_say=list(rule.takes),
        conditions=[guard.__name__ for guard in rule.guards],
        over_http=rule.over_http,
        reasons=[
            ReasonOut(
                code=each.code, name=each.name, name_en=each.name_en, wants_words=each.wants_words, active=each.active
            )
            for each in reasons.get(rule.move, ())
        ],
        results=[
            ResultOut(of=kind, code=each.code, name=each.name, name_en=each.name_en)
            for kind in _RESULTS_OF.get(rule.move, ())
            for each in RESULTS[kind]
        ],
        choices=[
            ChoiceOut(field=name, code=each.code, name=each.name, name_en=each.name_en)
            for name, values in _CHOICES_OF.get(rule.move, {}).items()
            for each in values
        ],
        in_bulk=rule.move in IN_BULK,
    )


_RESULTS_OF: Final = {
    Move.CHECK: tuple(CHECKS.values()),
    Move.SETTLE_APPEAL: ("appeal",),
    Move.CALL_BACK: ("call_back",),
    Move.VISIT: ("visit",),
}

_CHOICES_OF: Final[dict[Move, dict[str, Sequence[OrderKind | OrderLevel]]]] = {
    Move.SUPERVISE: {"kind": KINDS, "level": LEVELS},
}


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/moves", handler=_moves, roles=SIGNED_IN, scope="grid:read",
        answers=Page[MoveOut],
        summary="The table of moves with what each needs and its reasons.",
    ),
)  # fmt: skip
