"""How officers stand at a moment (gridsvc/domain/duty.py), and what the city has decided about shifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.db import Conn, Statement
from gridsvc.domain.case_state import State
from gridsvc.domain.duty import COUNTS_AT_MOST, Does, Duty, Facts, RosterRules, duty_at
from gridsvc.domain.shift import Shift


@dataclass(frozen=True)
class _Facts:
    officer_id: UUID
    on_duty: bool
    switched_at: datetime | None
    weekdays: list[int]
    starts: list[time]
    ends: list[time]
    absent_since: datetime | None
    absent_until: datetime | None
    next_absence: datetime | None
    account_ended: bool
    given: list[datetime]
    zone: str
    ends_soon_s: int
    staffed_within_s: int
    when_assigned: str
    when_accepted: str
    when_in_progress: str


# What was given: every case that became his, whatever became of it, but for what was undone.
FACTS = Statement(
    _Facts,
    """
    SELECT o.user_id AS officer_id, o.on_duty AND u.active AS on_duty, o.duty_changed_at AS switched_at,
           coalesce(s.weekdays, '{}') AS weekdays, coalesce(s.starts, '{}') AS starts, coalesce(s.ends, '{}') AS ends,
           a.since AS absent_since, a.until AS absent_until, a.next AS next_absence,
           NOT u.active AS account_ended,
           ARRAY(SELECT g.assigned_at FROM assignments g
                  WHERE $4::boolean
                    AND g.officer_id = o.user_id
                    AND g.assigned_at > $2::timestamptz - $3::interval
                    AND g.ended_why IS DISTINCT FROM 'undone') AS given,
           i.zone, r.ends_soon_s, r.staffed_within_s, r.when_assigned, r.when_accepted, r.when_in_progress
      FROM officers o
      JOIN users u ON u.id = o.user_id
     CROSS JOIN instance i
     CROSS JOIN roster_rules r
     CROSS JOIN LATERAL (SELECT array_agg(weekday ORDER BY weekday, starts_at) AS weekdays,
                                array_agg(starts_at ORDER BY weekday, starts_at) AS starts,
                                array_agg(ends_at ORDER BY weekday, starts_at) AS ends
                           FROM shifts
                          WHERE officer_id = o.user_id) s
     CROSS JOIN LATERAL (SELECT min(from_at) FILTER (WHERE from_at <= $2::timestamptz) AS since,
                                max(until_at) FILTER (WHERE from_at <= $2::timestamptz) AS until,
                                min(from_at) FILTER (WHERE from_at > $2::timestamptz) AS next
                           FROM absences
                          WHERE officer_id = o.user_id AND cancelled_at IS NULL AND until_at > $2::timestamptz) a
     WHERE o.user_id = ANY ($1::uuid[])
     ORDER BY o.user_id
    """,
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One officer: his duty now, what was given to him since it counts, and the rules by which that was found."""

    duty: Duty
    given_today: int
    rules: RosterRules


async def standings(
    conn: Conn, officers: Sequence[UUID], now: datetime, *, counted: bool = False
) -> dict[UUID, Standing]:
    """How each of these officers stands at `now`, by id; in one round trip.

    `counted`: with what was given to each, of which a caller's scope shows a part; else that is 0.
    """
    if not officers:
        return {}
    rows = await FACTS.all(conn, sorted(set(officers)), now, COUNTS_AT_MOST, counted)
    return {row.officer_id: _standing(row, now) for row in rows}


def _standing(row: _Facts, now: datetime) -> Standing:
    rules = RosterRules(
        ends_soon=timedelta(seconds=row.ends_soon_s),
        staffed_within=timedelta(seconds=row.staffed_within_s),
        on_leaving={
            State.ASSIGNED: Does(row.when_assigned),
            State.ACCEPTED: Does(row.when_accepted),
            State.IN_PROGRESS: Does(row.when_in_progress),
        },
    )
    facts = Facts(
        on_duty=row.on_duty,
        switched_at=row.switched_at,
        shifts=tuple(map(Shift, row.weekdays, row.starts, row.ends)),
        absent_since=row.absent_since,
        absent_until=row.absent_until,
        next_absence=row.next_absence,
        account_ended=row.account_ended,
    )
    duty = duty_at(facts, rules, now, ZoneInfo(row.zone))
    return Standing(duty=duty, given_today=sum(at >= duty.counts_from for at in row.given), rules=rules)
