"""What must always hold, as questions to the database whose right answer is no row.

`gridsvc verify`, the failure tests and the operator ask the same questions. Each statement returns
the ids of what breaks its rule, at most 20 of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.locator import BORDER_DEG
from gridsvc.db import Statement
from gridsvc.domain.case_state import RUN_ON_CLOSED


@dataclass(frozen=True)
class Breach:
    """One thing that breaks a rule."""

    what: str


@dataclass(frozen=True)
class Invariant:
    """A rule of the ledger, and the question that finds what breaks it."""

    name: str
    says: str
    breaches: Statement[Breach]


_ON_CLOSED: Final = ", ".join(f"'{kind}'" for kind in sorted(RUN_ON_CLOSED))


def _rule(name: str, says: str, sql: str) -> Invariant:
    return Invariant(name, says, Statement(Breach, sql))


INVARIANTS: Final = (
    _rule(
        "every_report_has_a_case",
        "An acknowledged report is one case, for ever: no report without its case.",
        """
        SELECT r.id::text AS what
          FROM reports r
          LEFT JOIN cases c ON c.id = r.case_id
         WHERE c.id IS NULL
         LIMIT 20
        """,
    ),
    _rule(
        "every_case_has_a_report",
        "A case comes from a report: none is without one.",
        """
        SELECT c.id::text AS what
          FROM cases c
         WHERE NOT EXISTS (SELECT FROM reports r WHERE r.case_id = c.id)
         LIMIT 20
        """,
    ),
    _rule(
        "accepted_is_owned_pooled_or_over",
        "Accepted = routed + pooled + closed: every open case has one owner or stands in a pool.",
        """
        SELECT c.id::text AS what
          FROM cases c
          LEFT JOIN assignments a ON a.case_id = c.id AND a.ended_at IS NULL
         WHERE c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
           AND (CASE WHEN c.pool IS NULL THEN a.id IS DISTINCT FROM c.assignment_id OR a.id IS NULL
                     ELSE a.id IS NOT NULL END)
         LIMIT 20
        """,
    ),
    _rule(
        "over_means_unowned",
        "A case that is over has no assignment that still runs.",
        """
        SELECT c.id::text AS what
          FROM cases c
          JOIN assignments a ON a.case_id = c.id AND a.ended_at IS NULL
         WHERE c.state IN ('closed', 'rejected', 'cancelled', 'merged')
         LIMIT 20
        """,
    ),
    _rule(
        "history_is_gapless",
        "Versions per case have no gaps, and the case stands at the last one.",
        """
        SELECT c.id::text AS what
          FROM cases c
          LEFT JOIN history h ON h.case_id = c.id
         GROUP BY c.id, c.version
        HAVING count(h.version) <> c.version OR max(h.version) IS DISTINCT FROM c.version OR min(h.version) <> 1
         LIMIT 20
        """,
    ),
    _rule(
        "every_rung_once",
        "Each escalation step fires once, up to the level that its clock names.",
        """
        SELECT k.id::text AS what
          FROM clocks k
          LEFT JOIN escalations e ON e.clock_id = k.id
         GROUP BY k.id, k.fired_level
        HAVING count(e.level) <> count(DISTINCT e.level)
            OR coalesce(max(e.level), 0) <> k.fired_level
         LIMIT 20
        """,
    ),
    _rule(
        "no_rung_early",
        "No rung fires before its time.",
        """
        SELECT clock_id::text || ' level ' || level AS what
          FROM escalations
         WHERE fired_at < scheduled_at
         LIMIT 20
        """,
    ),
    _rule(
        "escalations_are_history",
        "Every rung that fired stands in the history, and every rung of the history has fired.",
        """
        SELECT coalesce(e.clock_id::text, h.clock_id) || ' level ' || coalesce(e.level, h.level) AS what
          FROM escalations e
          FULL JOIN (SELECT facts ->> 'clock_id' AS clock_id, (facts ->> 'level')::integer AS level
                       FROM history
                      WHERE move = 'escalate') h
                 ON h.clock_id = e.clock_id::text AND h.level = e.level
         WHERE e.clock_id IS NULL OR h.clock_id IS NULL
         LIMIT 20
        """,
    ),
    _rule(
        "marks_are_history",
        "Every mark that evaluation counts stands in the history as its move, and every such move left its mark.",
        """
        SELECT coalesce(m.case_id, h.case_id)::text || ' version ' || coalesce(m.version, h.version) AS what
          FROM case_marks m
          FULL JOIN (SELECT case_id, version,
                            CASE move WHEN 'rework' THEN 'reworked' WHEN 'send_back' THEN 'reworked'
                                      WHEN 'extend' THEN 'extended' WHEN 'suspend' THEN 'suspended'
                                      WHEN 'appeal' THEN 'appealed' WHEN 'settle_appeal' THEN 'granted'
                                      WHEN 'undo' THEN 'undone' ELSE 'reopened' END AS mark
                       FROM history
                      WHERE move IN ('rework', 'send_back', 'extend', 'suspend', 'appeal', 'reopen')
                         OR (move = 'settle_appeal' AND facts ->> 'result' = 'granted')
                         OR (move = 'undo' AND facts ->> 'undone' IN ('suspend', 'extend'))) h
               ON h.case_id = m.case_id AND h.version = m.version
         WHERE m.mark IS DISTINCT FROM h.mark
         LIMIT 20
        """,
    ),
    _rule(
        "open_cases_have_a_clock",
        "Nothing is late unseen: every open case has a clock that runs or is paused, or waits for a cause that has.",
        """
        SELECT c.id::text AS what
          FROM cases c
         WHERE c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
           AND c.pool IS DISTINCT FROM 'cause'
           AND NOT EXISTS (SELECT FROM clocks k WHERE k.case_id = c.id AND k.state <> 'stopped')
         LIMIT 20
        """,
    ),
    _rule(
        "over_means_no_clock",
        "A case that is over has no clock that still runs, but for a look again at a closed one, and its call-backs.",
        f"""
        SELECT c.id::text AS what
          FROM cases c
          JOIN clocks k ON k.case_id = c.id AND k.state <> 'stopped'
         WHERE c.state IN ('closed', 'rejected', 'cancelled', 'merged')
           AND NOT (c.state = 'closed' AND k.kind IN ({_ON_CLOSED}))
         LIMIT 20
        """,  # noqa: S608 - a constant of ours
    ),
    _rule(
        "what_stands_still_has_its_reason",
        "Nothing stands still for ever: each clock that is paused has a suspension, or an outage, that has not ended.",
        """
        SELECT k.id::text AS what
          FROM clocks k
         WHERE k.state = 'paused'
           AND NOT EXISTS (SELECT FROM clock_pauses p WHERE p.clock_id = k.id AND p.to_at IS NULL)
           AND NOT EXISTS (SELECT FROM clock_outages o WHERE o.clock_id = k.id AND o.to_at IS NULL)
         LIMIT 20
        """,
    ),
    _rule(
        "an_outage_takes_out_what_was_approved",
        "A clock stands still because of an outage only if that was approved, and no longer than it lasted.",
        """
        SELECT o.clock_id::text || ' ' || o.outage_id AS what
          FROM clock_outages o
          JOIN outages u ON u.id = o.outage_id
         WHERE u.pass_at IS NULL   -- else the sweeper is still at it
           AND (u.state <> 'approved' OR o.from_at < u.from_at OR o.to_at > u.until_at)
         LIMIT 20
        """,
    ),
    _rule(
        "an_outage_without_an_end_holds_its_clocks",
        "A stretch without an end belongs to a clock that stands still, and to an outage whose end nobody knows.",
        """
        SELECT o.clock_id::text || ' ' || o.outage_id AS what
          FROM clock_outages o
          JOIN clocks k ON k.id = o.clock_id
          JOIN outages u ON u.id = o.outage_id
         WHERE o.to_at IS NULL
           AND (k.state <> 'paused' OR (u.until_at IS NOT NULL AND u.pass_at IS NULL))
         LIMIT 20
        """,
    ),
    _rule(
        "a_moved_deadline_names_its_outage",
        "A deadline was moved by an outage that the clock names, never to an earlier moment, and it left a trace.",
        """
        SELECT k.id::text AS what
          FROM clocks k
         WHERE k.plain_due_at IS NOT NULL
           AND (k.plain_due_at >= k.due_at
                OR NOT EXISTS (SELECT FROM clock_outages o WHERE o.clock_id = k.id)
                OR NOT EXISTS (SELECT FROM outage_changes h WHERE h.clock_id = k.id))
         LIMIT 20
        """,
    ),
    _rule(
        "stopping_runs_beside_the_handling",
        "What must be stopped is asked of whoever handles it: that clock runs only while the handling clock does.",
        """
        SELECT k.case_id::text AS what
          FROM clocks k
         WHERE k.kind = 'stop_it'
           AND k.state <> 'stopped'
           AND NOT EXISTS (SELECT FROM clocks h
                            WHERE h.case_id = k.case_id AND h.kind = 'handling' AND h.state = k.state)
         LIMIT 20
        """,
    ),
    _rule(
        "a_check_out_has_its_clock",
        "Whoever was sent to look has a time: no check is out without its clock, and no such clock without a check.",
        """
        SELECT coalesce(k.case_id, w.case_id)::text AS what
          FROM (SELECT case_id FROM checks WHERE ended_at IS NULL) k
          FULL JOIN (SELECT case_id FROM clocks WHERE kind = 'on_site' AND state <> 'stopped') w USING (case_id)
         WHERE k.case_id IS NULL OR w.case_id IS NULL
         LIMIT 20
        """,
    ),
    _rule(
        "looked_at_again_by_another",
        "Only what was self-handled is looked at again, and never by the officer who handled it.",
        """
        SELECT k.id::text AS what
          FROM checks k
          JOIN cases c ON c.id = k.case_id
         WHERE k.kind = 're_check'
           AND (NOT c.self_handled OR (k.cycle = c.cycle AND k.officer_id = c.officer_id))
         LIMIT 20
        """,
    ),
    _rule(
        "a_call_back_waits_on_its_closed_case",
        "A reporter is still to be asked only of a closed case, in its present cycle.",
        """
        SELECT b.id::text AS what
          FROM call_backs b
          JOIN cases c ON c.id = b.case_id
         WHERE b.ended_at IS NULL
           AND (c.state <> 'closed' OR c.cycle <> b.cycle)
         LIMIT 20
        """,
    ),
    _rule(
        "a_call_back_has_its_clock",
        "Each call-back that waits has a clock that runs, and each such clock belongs to one that waits.",
        """
        SELECT coalesce(b.id, k.id)::text AS what
          FROM (SELECT id, case_id, clock_id FROM call_backs WHERE ended_at IS NULL) b
          FULL JOIN (SELECT id, case_id FROM clocks WHERE kind = 'call_back' AND state <> 'stopped') k
                 ON k.id = b.clock_id AND k.case_id = b.case_id
         WHERE b.id IS NULL OR k.id IS NULL
         LIMIT 20
        """,
    ),
    _rule(
        "one_call_back_of_a_report",
        "Nobody is asked twice at once about one report.",
        """
        SELECT report_id::text AS what
          FROM call_backs
         WHERE ended_at IS NULL
         GROUP BY report_id
        HAVING count(*) > 1
         LIMIT 20
        """,
    ),
    _rule(
        "a_check_out_has_its_officer",
        "Whoever was sent to look stands on the case until he has looked, and nobody else does.",
        """
        SELECT coalesce(c.id, k.case_id)::text AS what
          FROM (SELECT id, checker_id FROM cases WHERE checker_id IS NOT NULL) c
          FULL JOIN (SELECT case_id, officer_id FROM checks WHERE ended_at IS NULL) k ON k.case_id = c.id
         WHERE k.officer_id IS DISTINCT FROM c.checker_id
         LIMIT 20
        """,
    ),
    _rule(
        "an_open_part_has_its_case_and_clock",
        "A part that is open stands on an open case, and has a clock that runs or is paused; so has nobody else.",
        """
        SELECT coalesce(c.id, p.case_id)::text || ' ' || coalesce(c.department, p.department) AS what
          FROM (SELECT id, unnest(co_open) AS department
                  FROM cases
                 WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged')) c
          FULL JOIN (SELECT q.case_id, q.department, k.id AS clock
                       FROM co_handlings q
                       LEFT JOIN clocks k ON k.co_handling_id = q.id AND k.state <> 'stopped'
                      WHERE q.ended_at IS NULL) p
                 ON p.case_id = c.id AND p.department = c.department
         WHERE c.id IS NULL OR p.clock IS NULL
         UNION ALL
        SELECT q.case_id::text || ' ' || q.department
          FROM co_handlings q
          JOIN clocks k ON k.co_handling_id = q.id AND k.state <> 'stopped'
         WHERE q.ended_at IS NOT NULL
         LIMIT 20
        """,
    ),
    _rule(
        "an_effect_waits_for_an_open_cause",
        "Nothing waits for a cause that is over or not filed: it would wait for ever.",
        """
        SELECT c.id::text AS what
          FROM cases c
          JOIN cases m ON m.id = c.cause_id
         WHERE c.pool = 'cause'
           AND m.state IN ('reported', 'closed', 'rejected', 'cancelled', 'merged')
         LIMIT 20
        """,
    ),
    _rule(
        "no_effect_of_an_effect",
        "No chains: what waits for a cause is not a cause itself.",
        """
        SELECT c.id::text AS what
          FROM cases c
          JOIN cases m ON m.id = c.cause_id
         WHERE c.pool = 'cause'
           AND m.pool = 'cause'
         LIMIT 20
        """,
    ),
    _rule(
        "what_rings_has_its_call",
        "A case for which it rings has one open call, and an open call belongs to an open case that names it.",
        """
        SELECT coalesce(c.id, k.case_id)::text AS what
          FROM (SELECT id, call_id, call_for, state FROM cases WHERE call_id IS NOT NULL OR pool = 'call') c
          FULL JOIN (SELECT id, case_id, wanted FROM calls WHERE ended_at IS NULL) k ON k.case_id = c.id
         WHERE k.id IS DISTINCT FROM c.call_id
            OR k.wanted IS DISTINCT FROM c.call_for
            OR c.state IN ('closed', 'rejected', 'cancelled', 'merged')
         LIMIT 20
        """,
    ),
    _rule(
        "one_accepts_a_call",
        "Never do two accept one call, and who accepted it is who the call names.",
        """
        SELECT k.id::text AS what
          FROM calls k
          LEFT JOIN called o ON o.call_id = k.id AND o.answer = 'accepted'
         GROUP BY k.id, k.answered_by
        HAVING count(o.officer_id) > 1
            OR (min(o.officer_id::text))::uuid IS DISTINCT FROM k.answered_by
         LIMIT 20
        """,
    ),
    _rule(
        "what_is_gathered_can_be_read",
        "What a digest gathers is its own person's, and none of it is left unseen when the digest was acknowledged.",
        """
        SELECT i.id::text AS what
          FROM notices i
          JOIN notices d ON d.id = i.digest_id
         WHERE d.kind <> 'digest'
            OR d.user_id <> i.user_id
            OR (d.acknowledged_at IS NOT NULL AND i.acknowledged_at IS NULL)
         LIMIT 20
        """,
    ),
    _rule(
        "routing_never_chooses_the_absent",
        "Routing gives nothing to somebody who is absent, but for the first minute after that was entered.",
        """
        SELECT a.id::text AS what
          FROM assignments a
          JOIN absences b ON b.officer_id = a.officer_id
                         AND a.assigned_at >= b.from_at AND a.assigned_at < b.until_at
         WHERE a.assigned_by = 'worker:router'
           AND b.entered_at < a.assigned_at - interval '1 minute'
           AND (b.cancelled_at IS NULL OR b.cancelled_at > a.assigned_at)
         LIMIT 20
        """,
    ),
    _rule(
        "numbers_are_unique",
        "A case number and an acceptance number stand for one thing only.",
        """
        SELECT number AS what FROM cases WHERE number IS NOT NULL GROUP BY number HAVING count(*) > 1
        UNION ALL
        SELECT acceptance_number FROM reports GROUP BY acceptance_number HAVING count(*) > 1
        LIMIT 20
        """,
    ),
    _rule(
        "filed_lies_in_its_cell",
        "A case lies in the cell that it names, or was snapped to it.",
        # As wide as the border that decided it (docs/rules/place.md): narrower calls a case beside a line broken.
        f"""
        SELECT c.id::text AS what
          FROM cases c
          JOIN cells g ON g.grid_set_id = c.grid_set_id AND g.code = c.cell_code
         WHERE c.cell_method = 'covers'
           AND NOT ST_DWithin(g.outline, c.place, {BORDER_DEG})
         LIMIT 20
        """,  # noqa: S608 - a constant of ours
    ),
    _rule(
        "what_cameras_sent_is_accounted_for",
        "What a camera sent in an hour is what became of it: received is the sum of all outcomes and what waits.",
        """
        SELECT camera || ' ' || hour AS what
          FROM (SELECT camera, hour, outcome = 'received' AS came, events FROM camera_counts
                 UNION ALL
                SELECT camera, date_trunc('hour', received_at, 'UTC'), false, count(*) FROM camera_events GROUP BY 1, 2
               ) AS counted
         GROUP BY camera, hour
        HAVING sum(events) FILTER (WHERE came) IS DISTINCT FROM sum(events) FILTER (WHERE NOT came)
         LIMIT 20
        """,
    ),
    _rule(
        "pictures_of_cameras_are_accounted_for",
        "What pictures of a camera came in an hour is what became of them: received is dropped, removed and there.",
        """
        SELECT camera || ' ' || hour AS what
          FROM (SELECT camera, hour, outcome = 'received' AS came, pictures FROM camera_picture_counts
                 UNION ALL
                SELECT camera, date_trunc('hour', received_at, 'UTC'), false, count(*)
                  FROM camera_pictures
                 GROUP BY 1, 2
               ) AS counted
         GROUP BY camera, hour
        HAVING coalesce(sum(pictures) FILTER (WHERE came), 0) <> coalesce(sum(pictures) FILTER (WHERE NOT came), 0)
         LIMIT 20
        """,
    ),
    _rule(
        "a_picture_goes_with_its_event",
        "A picture of a camera is evidence of the case that its event led to; what still waits has its bytes.",
        """
        SELECT p.id::text AS what
          FROM camera_pictures p
          JOIN camera_events e ON e.received_at = p.event_at AND e.id = p.event_id
         WHERE e.case_id IS DISTINCT FROM p.case_id
         UNION ALL
        SELECT p.id::text
          FROM camera_pictures p
          LEFT JOIN camera_picture_bytes b ON b.picture_id = p.id
         WHERE p.came_as = 'sent'
           AND (p.state = 'waiting') <> (b.picture_id IS NOT NULL)
         LIMIT 20
        """,
    ),
    _rule(
        "a_case_is_opened_by_one_camera_event",
        "What a camera event opened or joined is a case, and no two events opened one.",
        """
        SELECT e.id::text AS what
          FROM camera_events e
          LEFT JOIN cases c ON c.id = e.case_id
         WHERE e.case_id IS NOT NULL
           AND c.id IS NULL
         UNION ALL
        SELECT case_id::text
          FROM camera_events
         WHERE outcome = 'opened'
         GROUP BY case_id
        HAVING count(*) > 1
         LIMIT 20
        """,
    ),
    _rule(
        "what_waits_with_an_incident_is_decided_with_it",
        "Nothing waits for ever: an event that waits with an incident waits with one that is still to be decided.",
        """
        SELECT e.id::text AS what
          FROM camera_events e
          LEFT JOIN camera_incidents i ON i.id = e.incident_id
         WHERE e.outcome IS NULL
           AND e.incident_id IS NOT NULL
           AND i.due_at IS NULL
         LIMIT 20
        """,
    ),
    _rule(
        "attachments_have_files",
        "What is kept of an attachment stands in the table of its files.",
        """
        SELECT a.id::text AS what
          FROM attachments a
         WHERE a.removed_at IS NULL
           AND (NOT EXISTS (SELECT FROM attachment_files f WHERE f.sha256 = a.sha256 AND f.kind = a.kind)
                OR a.original_kept
                   AND NOT EXISTS (SELECT FROM attachment_files f WHERE f.sha256 = a.original AND f.kind = 'original'))
         LIMIT 20
        """,
    ),
    _rule(
        "attachments_go_in_time",
        "No attachment is kept for more than two days beyond its time.",
        """
        SELECT a.id::text AS what
          FROM attachments a
         CROSS JOIN attachment_rules r
          LEFT JOIN cases c ON c.id = a.case_id
         WHERE a.removed_at IS NULL
           AND CASE WHEN a.case_id IS NULL THEN a.uploaded_at + make_interval(days => r.loose_days)
                    WHEN c.state IN ('closed', 'rejected', 'cancelled', 'merged')
                    THEN coalesce(c.closed_at, c.updated_at)
                         + make_interval(days => CASE a.kind WHEN 'sound' THEN r.sound_days ELSE r.picture_days END)
               END < city_now() - interval '2 days'
         LIMIT 20
        """,
    ),
    _rule(
        "nothing_is_removed_early",
        "No attachment and no original was removed before its time, and whatever is gone has its record.",
        """
        SELECT what
          FROM (SELECT attachment_id::text AS what
                  FROM attachment_removals
                 WHERE removed_at < kept_until
                 UNION ALL
                SELECT a.id::text
                  FROM attachments a
                 WHERE a.removed_at IS NOT NULL
                   AND NOT EXISTS (SELECT FROM attachment_removals r
                                    WHERE r.attachment_id = a.id AND r.kind = a.kind)) AS wrong
         LIMIT 20
        """,
    ),
    _rule(
        "open_cases_follow_the_grid",
        "An open case lies in the grid set in force, follows it within the hour, or keeps its own because it has no"
        " cell there.",
        f"""
        WITH force AS (
          SELECT s.id, greatest(s.valid_from, (SELECT max(r.retired_at) FROM grid_sets r)) AS since
            FROM grid_sets s
           WHERE s.id = grid_set_at(city_now())
        )
        SELECT c.id::text AS what
          FROM cases c
         CROSS JOIN force f
         WHERE c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
           AND c.grid_set_id <> f.id
           AND CASE WHEN c.lost_in = f.id
                    THEN EXISTS (SELECT
                                   FROM cells g
                                  WHERE g.grid_set_id = f.id
                                    AND ST_DWithin(g.outline, c.place, {BORDER_DEG}))
                    ELSE greatest(f.since, c.updated_at) < city_now() - interval '1 hour' END
         LIMIT 20
        """,  # noqa: S608 - a constant of ours
    ),
)
"""In the order of the story; docs/operations.md lists them (a test insists)."""
