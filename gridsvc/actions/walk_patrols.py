"""Patrols begin with their shifts, tell what is still open before the end, and are judged when they are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from gridsvc.db import Conn
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.domain.patrol import SETTLES_AFTER, CellWalk, Walked, judge
from gridsvc.domain.shift import read_shifts
from gridsvc.ids import new_id
from gridsvc.store import hearers, notices, patrols
from gridsvc.store.patrols import ActivePlan, Facts, PatrolRow, SeenTo
from gridsvc.store.rulebook import rulebook

SHORT: Final = "patrol.short"
"""The kind of the notice that a patrol has cells which nobody has walked, and its shift ends soon."""

RECKONED_AFTER: Final = timedelta(minutes=3)
"""Ways are reckoned some moments after the positions come: so long after its end a patrol is judged."""


async def begin_patrols(conn: Conn, now: datetime) -> int:
    """Let the patrols of all shifts begin that run now and have not; how many. As the service.

    A patrol keeps its cells and rules as they are at that moment, whatever a plan or a grid set becomes.
    """
    zone = (await rulebook(conn)).zone
    today = now.astimezone(zone).date()
    rows: list[tuple[PatrolRow, list[str]]] = []
    for plan in await patrols.ACTIVE.all(conn, now):
        for shift in read_shifts(plan.shifts):
            for day in (today - timedelta(days=1), today):
                since, until = shift.on(day, zone)
                if day.isoweekday() == shift.weekday and since <= now < until:
                    rows.append((_row(plan, since, until), _keys(plan)))
    return await patrols.begin(conn, rows)


def _row(plan: ActivePlan, since: datetime, until: datetime) -> PatrolRow:
    wanted = [cell for cell in plan.cells if cell in set(plan.beat_cells)] if plan.cells else plan.beat_cells
    return PatrolRow(
        id=new_id(), plan_id=plan.id, code=plan.code, duty_line=plan.duty_line, beat_code=plan.beat_code,
        divisions=plan.divisions, from_at=since, until_at=until, warn_at=max(since, until - plan.warn), cells=wanted,
        times=plan.times, stay=plan.stay,
    )  # fmt: skip


def _keys(plan: ActivePlan) -> list[str]:
    return case_keys(Whereabouts(divisions=plan.divisions, duty_line=plan.duty_line, reported_by=""))


async def judge_patrols(conn: Conn, now: datetime, limit: int) -> int:
    """See to up to `limit` patrols: tell what is open before the end, judge what is over; how many. As the service.

    What another worker sees to at this moment is passed over. Judged again a day later, when what phones sent late has
    come, a patrol is settled.
    """
    due = await patrols.DUE.all(conn, now - RECKONED_AFTER, now - SETTLES_AFTER, now, limit)
    known = await patrols.facts(conn, [each.id for each in due], now)
    judged: dict[UUID, Mapping[str, CellWalk]] = {}
    done: list[SeenTo] = []
    short: list[tuple[PatrolRow, list[str], Facts]] = []
    for each in due:
        facts = known[each.id]
        walks = judge(each.patrol(), facts.passages, facts.gaps, now)
        over = each.until_at <= now - RECKONED_AFTER
        if over:
            judged[each.id] = walks
        elif each.until_at > now and (left := [cell for cell, walk in walks.items() if walk.state is Walked.OPEN]):
            short.append((each, left, facts))
        settled = each.until_at <= now - SETTLES_AFTER
        done.append(SeenTo(each.id, judged=over, settled=settled, officers=sorted(facts.officers)))
    await patrols.keep_cells(conn, judged)
    await patrols.see_to(conn, done, now)
    await _tell(conn, short, now)
    return len(due)


async def _tell(conn: Conn, short: Sequence[tuple[PatrolRow, list[str], Facts]], now: datetime) -> None:
    """One notice for each officer of the beat who is on duty, and for whoever leads them."""
    told: list[tuple[notices.Message, dict[UUID, UUID]]] = []
    for patrol, left, facts in short:
        leaders = await hearers.nearest(conn, "supervisor", patrol.divisions, patrol.duty_line, None)
        people = {*facts.officers, *(leaders or await hearers.admins(conn))}
        body = {
            "patrol_id": str(patrol.id), "beat": patrol.beat_code, "duty_line": patrol.duty_line,
            "until_at": patrol.until_at.isoformat(), "wanted": len(patrol.cells), "open": len(left), "cells": left,
            "at": now.isoformat(),
        }  # fmt: skip
        message = notices.Message(event_id=patrol.id, case_id=None, kind=SHORT, body=body)
        told.append((message, {person: uuid5(patrol.id, f"{person}/{SHORT}") for person in people}))
    await notices.keep_all(conn, told, now)
