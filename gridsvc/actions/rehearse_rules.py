"""Rehearse routing rules: make the decisions of the last days again by another edition. Nothing is written.

Each decision is made from what was kept of it. Officers who were not weighed then are rebuilt: their duty from
roster and absences, their load from assignments and history; where they stood nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn
from gridsvc.domain.candidates import Candidate
from gridsvc.domain.rehearsal import Decision, Rebuilding, Rehearsal, compared
from gridsvc.domain.routing import NotKept, choose_owner, decided_on, sources_wanted
from gridsvc.domain.routing_rules import RoutingEdition
from gridsvc.domain.shift import span_at
from gridsvc.store import rehearsal
from gridsvc.store.rehearsal import Member, Stretch
from gridsvc.store.rulebook import rulebook

_PAGE: Final = 500  # decisions that are read at once


async def rehearse_rules(
    conn: Conn, edition: RoutingEdition, since: datetime, progress: Callable[[int], object] = lambda _: None
) -> Rehearsal:
    """What `edition` would have decided since then; `progress` hears how many more decisions were looked at.

    In the caller's transaction, best a snapshot, as the service.
    """
    zone = (await rulebook(conn)).zone
    told = Rehearsal(edition=edition.number)
    past = _Past(since, zone)
    after = None
    while page := await rehearsal.decisions(conn, since, after, _PAGE):
        ready = [each for decision in page if (each := _ready(told, edition, decision)) is not None]
        await past.read(conn, [each for each in ready if each.missing])
        for each in ready:
            _decide(told, edition, each, past)
        last = page[-1]
        after = (last.at, last.case_id, last.version)
        progress(len(page))
    return told


def _ready(told: Rehearsal, edition: RoutingEdition, decision: Decision) -> Rebuilding | None:
    """The decision with what was kept of it; None, and counted, where too little was."""
    told.decisions += 1
    if "kept" not in decision.reasons:
        told.not_kept["decided before inputs were kept"] += 1
        return None
    case, weighed = decided_on(decision.reasons["kept"], str(decision.facts["description"]))
    try:
        wanted = sources_wanted(edition, case)
    except NotKept as missing:
        told.not_kept[f"{missing.name} was changed since"] += 1
        return None
    gone = tuple(source for source in wanted if source not in weighed)
    return Rebuilding(decision=decision, case=case, weighed=weighed, missing=gone)


def _decide(told: Rehearsal, edition: RoutingEdition, each: Rebuilding, past: _Past) -> None:
    officers = {**each.weighed, **{source: past.officers(each, source) for source in each.missing}}
    try:
        found = choose_owner(edition, each.case, officers)
    except NotKept as missing:
        told.not_kept[f"{missing.name} was changed since"] += 1
        return
    told.add(compared(each.decision, found, edition.number, rebuilt=bool(each.missing)))


class _Past:
    """Officers as they were, read when they are first asked for."""

    def __init__(self, since: datetime, zone: ZoneInfo) -> None:
        self._since, self._zone = since, zone
        self._members: dict[tuple[str, str], list[Member]] = {}
        self._stretches: dict[UUID, list[Stretch]] = {}

    async def read(self, conn: Conn, wanted: Sequence[Rebuilding]) -> None:
        """Read the officers of whom these know nothing, and what they had in hand."""
        sources = {(each.case.duty_line, source) for each in wanted for source in each.missing}
        if new := sources - self._members.keys():
            self._members |= await rehearsal.members(conn, new)
        officers = {one.officer_id for source in new for one in self._members[source]} - self._stretches.keys()
        if officers:
            found: Mapping[UUID, list[Stretch]] = await rehearsal.stretches(conn, officers, self._since)
            self._stretches |= {officer: found.get(officer, []) for officer in officers}

    def officers(self, each: Rebuilding, source: str) -> list[Candidate]:
        """The officers of a source as they were when it was decided."""
        return [self._as_he_was(one, each.decision) for one in self._members[each.case.duty_line, source]]

    def _as_he_was(self, one: Member, decision: Decision) -> Candidate:
        at = decision.at
        away = any(begins <= at < ends for begins, ends in one.away)
        in_hand = self._stretches[one.officer_id]
        span = span_at(one.shifts, at, self._zone)
        begun = span[0] if span else datetime.combine(at.astimezone(self._zone).date(), time(), self._zone)
        return Candidate(
            officer_id=one.officer_id,
            on_duty=span is not None if one.shifts else one.on_duty,
            on_shift=span is not None if one.shifts else None,
            absent=away,
            shift_ends_in=span[1] - at if span else None,
            given_today=sum(begun <= each.begins < at for each in in_hand),
            # What was given at the very moment may have been given after this.
            open_cases=sum(
                each.begins < at and (each.ends is None or each.ends > at) and each.case_id != decision.case_id
                for each in in_hand
            ),
            most_open=one.most_open,
            distance_m=None,
            position_age=None,
            already_tried=any(
                each.given_up and each.ends is not None and each.ends <= at
                for each in in_hand
                if (each.case_id, each.cycle) == (decision.case_id, decision.facts["cycle"])
            ),
            skills=one.skills,
        )
