"""Find who answers for filed cases; where nobody can be found, put the case in the pool for all to see.

Takes any number of cases at once, because news that arrives together shares one transaction
(workers/hear.py): a case alone costs eighteen round trips, sixteen together cost the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events.catalog import CaseNews, CaseUnacknowledged
from gridsvc.actions.call_officers import call_officers
from gridsvc.actions.record_move import NewOwner, Recorded, record_moves
from gridsvc.actions.routing_inputs import routing_inputs, vacancy_of
from gridsvc.db import Conn
from gridsvc.domain.calling import is_called, is_summoned
from gridsvc.domain.candidates import Candidate, Choice, NobodyFree
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, Pool, State
from gridsvc.domain.category import Category
from gridsvc.domain.routing import choose_owner, kept, sources_wanted
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import assignments, cases, components, people
from gridsvc.store.beat_lock import hold_beats
from gridsvc.store.cases import CaseRow
from gridsvc.store.people import Vacancy
from gridsvc.store.rulebook import rulebook

ROUTER: Final = Actor(worker=Party.ROUTER)

TRY_AGAIN: Final = timedelta(seconds=60)
"""How often a pooled case is tried again, besides when an officer of its beat comes on duty."""


async def assign_cases(conn: Conn, news: Sequence[CaseNews], now: datetime) -> None:
    """Give the cases of `news` owners, or pool them and say why.

    They are chosen for in the order of their news, each knowing what those before it took. News that
    is old, repeated or overtaken by a person changes nothing, nor does news of a case that has gone.
    Runs in the caller's transaction as the service.
    """
    waiting = list(news)
    while waiting:  # two news of one case are two rounds: the second sees what the first made of it
        first = {each.case_id: each for each in reversed(waiting)}
        await _assign_each(conn, [each for each in waiting if first[each.case_id] is each], now)
        waiting = [each for each in waiting if first[each.case_id] is not each]


async def _assign_each(conn: Conn, news: Sequence[CaseNews], now: datetime) -> None:
    locked = await cases.lock_many(conn, [each.case_id for each in news])
    wanted = [row for each in news if (row := locked.get(each.case_id)) is not None and _still_wanted(row, each)]
    if not wanted:
        return
    # Whoever let his time pass has lost it whatever follows, and is no candidate for it any more.
    await assignments.end(conn, {row.id: "unacknowledged" for row in wanted if row.assignment_id is not None}, now)
    book = await rulebook(conn)
    # An emergency is not given to one by load: it rings with the nearest (docs/rules/emergencies.md).
    rung = [row for row in wanted if is_called(row.case(), _category(book, row), book.call_rounds)]
    await call_officers(conn, book, rung, Move.CALL, now)
    wanted = [row for row in wanted if row not in rung]
    found = await choose_owners(conn, book, wanted, now)
    moves = [(row, _recorded(book, row, choice, now)) for row, choice in zip(wanted, found, strict=True)]
    moved = await record_moves(conn, book, [(row, what) for row, what in moves if what is not None], now)
    summoned = [row for row in moved if is_summoned(row.case(), _category(book, row), book.call_rounds)]
    await call_officers(conn, book, summoned, Move.SUMMON, now)
    still_pooled = [row.id for row, what in moves if what is None]
    if still_pooled:
        await cases.route_again(conn, still_pooled, now + TRY_AGAIN)


def _category(book: Rulebook, row: CaseRow) -> Category:
    return book.categories[(row.edition, row.category)]


def _still_wanted(locked: CaseRow, news: CaseNews) -> bool:
    if locked.suspended:
        return False
    if isinstance(news, CaseUnacknowledged):
        return locked.state == State.ASSIGNED and locked.assignment_id == news.assignment_id
    if locked.state != State.FILED:
        return False
    # Given back by a person (no time to route again): for a person to send on.
    return locked.pool == Pool.ROUTING or (locked.pool == Pool.DISPATCH and locked.route_again_at is not None)


async def choose_owners(
    conn: Conn,
    book: Rulebook,
    wanted: Sequence[CaseRow],
    now: datetime,
    taken: Counter[UUID] | None = None,
    *,
    given_up: Mapping[UUID, int] | None = None,
    only_ask: bool = False,
) -> list[Choice | NobodyFree]:
    """Whom routing would give each case to, in their order, each knowing what those before it took.

    `taken`: by choices that the database does not know of; counted on. `given_up`: what officers will have given up by
    then. `only_ask`: nothing will come of the answer, so that no beat is held for it. Writes nothing.
    """
    named = sorted({row.component for row in wanted if row.component is not None})
    register = await components.answering(conn, named) if named else {}
    inputs = [routing_inputs(book, row, register.get(row.component or ""), now) for row in wanted]
    sources = [sources_wanted(book.routing, each) for each in inputs]
    vacancies = [vacancy_of(row, source) for row, looked in zip(wanted, sources, strict=True) for source in looked]
    # Two choices in one beat or team at the same instant must not both see the same officer as the least loaded.
    if not only_ask:
        await hold_beats(conn, [_held(each) for each in vacancies])
    weighed = iter(await people.candidates(conn, vacancies, now))
    given_up = given_up or {}
    taken = Counter() if taken is None else taken  # by the choices before, which the database does not know yet
    found: list[Choice | NobodyFree] = []
    for case, looked in zip(inputs, sources, strict=True):
        officers = {source: _loaded(next(weighed), taken, given_up) for source in looked}
        choice = choose_owner(book.routing, case, officers)
        if isinstance(choice, Choice) and choice.officer_id is not None:
            taken[choice.officer_id] += 1
        found.append(replace(choice, reasons={**choice.reasons, "kept": kept(case, officers)}))
    return found


def _held(vacancy: Vacancy) -> tuple[str, str]:
    if vacancy.team is not None:
        return "team:", vacancy.team  # no duty line has such a name
    return vacancy.duty_line, vacancy.beat_code or ""


def _loaded(
    candidates: Sequence[Candidate], taken: Counter[UUID], given_up: Mapping[UUID, int]
) -> list[Candidate]:
    """What he gives up he no longer has, but he was given it all the same."""
    return [
        replace(
            each,
            open_cases=each.open_cases + more - given_up.get(each.officer_id, 0),
            given_today=each.given_today + more,
        )
        for each in candidates
        for more in [taken[each.officer_id]]
    ]


def _recorded(book: Rulebook, row: CaseRow, found: Choice | NobodyFree, now: datetime) -> Recorded | None:
    """What the choice makes of the case; None when it stands in the pool already and stays there."""
    if isinstance(found, Choice):
        return _assigned(book, row, found, now)
    return None if row.pool == Pool.DISPATCH else _pooled(row, found, now)


def _assigned(book: Rulebook, row: CaseRow, found: Choice, now: datetime) -> Recorded:
    said = Particulars(officer=found.officer_id, department=found.department)
    return Recorded(
        moved=decide(row.case(), Move.ASSIGN, ROUTER, said, now),
        actor=ROUTER.id,
        facts={
            "officer": str(found.officer_id) if found.officer_id else None,
            "department": found.department,
            "rule": found.rule,
            "edition": book.routing.number,
        },
        owner=NewOwner(
            officer_id=found.officer_id,
            department=found.department,
            rule=found.rule,
            edition=book.routing.number,
            reasons=found.reasons,
        ),
    )


def _pooled(row: CaseRow, found: NobodyFree, now: datetime) -> Recorded:
    return Recorded(
        moved=decide(row.case(), Move.POOL, ROUTER, Particulars(reason=found.why), now),
        actor=ROUTER.id,
        facts={"why": found.why, "reasons": found.reasons},
        changes={"route_again_at": now + TRY_AGAIN if found.try_again else None},
        told={"why": found.why},
    )
