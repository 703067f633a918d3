"""How the service is, in figures: what waits, what is late, what stands where."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Statement


@dataclass(frozen=True)
class Reachable:
    """That the database answered, and how old the oldest unsent announcement is (0: none waits)."""

    oldest_news_s: float


REACHABLE = Statement(
    Reachable,
    """
    SELECT coalesce(greatest(0, extract(epoch FROM city_now() - (
             SELECT created_at FROM outbox ORDER BY seq LIMIT 1))), 0)::double precision AS oldest_news_s
    """,
)


@dataclass(frozen=True)
class Applied:
    """One migration of this database."""

    number: int
    digest: str


APPLIED = Statement(Applied, "SELECT number, digest FROM schema_migrations ORDER BY number")


_NEWS = """\
(SELECT count(*)::integer FROM outbox) AS news,
           coalesce(greatest(0, extract(epoch FROM city_now() - (
             SELECT created_at FROM outbox ORDER BY seq LIMIT 1))), 0)::double precision AS oldest_news_s"""
"""What waits for the broker, and for how long: two columns."""


@dataclass(frozen=True)
class Backlog:
    """What waits for workers whatever they are: news, and the rung that is due for longest (0: none)."""

    news: int
    oldest_news_s: float
    oldest_rung_s: float


BACKLOG = Statement(
    Backlog,
    f"""
    SELECT {_NEWS},
           coalesce(greatest(0, extract(epoch FROM city_now() - (
             SELECT min(next_fire_at) FROM clocks))), 0)::double precision AS oldest_rung_s
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class Waiting:
    """What the workers have before them."""

    news: int
    oldest_news_s: float
    failures: int
    dead: int
    rungs_due: int
    cases_to_route: int
    cases_to_follow: int
    calls_ringing: int
    oldest_call_s: float
    camera_events: int
    oldest_camera_event_s: float
    cameras_muted: int
    camera_pictures: int


WAITING = Statement(
    Waiting,
    f"""
    SELECT {_NEWS},
           (SELECT count(*)::integer FROM failures WHERE next_attempt_at IS NOT NULL) AS failures,
           (SELECT count(*)::integer FROM failures WHERE next_attempt_at IS NULL) AS dead,
           (SELECT count(*)::integer FROM clocks WHERE next_fire_at <= city_now()) AS rungs_due,
           (SELECT count(*)::integer FROM cases WHERE route_again_at <= city_now()) AS cases_to_route,
           (SELECT count(*)::integer
              FROM cases c, (SELECT grid_set_at(city_now()) AS id) force
             WHERE c.cell_code IS NOT NULL
               AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
               AND (c.grid_set_id < force.id OR c.grid_set_id > force.id)
               AND c.lost_in IS DISTINCT FROM force.id) AS cases_to_follow,
           (SELECT count(*)::integer FROM calls WHERE ended_at IS NULL) AS calls_ringing,
           coalesce(greatest(0, extract(epoch FROM city_now() - (
             SELECT min(started_at) FROM calls WHERE ended_at IS NULL))), 0)::double precision AS oldest_call_s,
           (SELECT count(*)::integer FROM camera_events WHERE outcome IS NULL AND incident_id IS NULL) AS camera_events,
           coalesce(greatest(0, extract(epoch FROM city_now() - (
             SELECT min(received_at) FROM camera_events WHERE outcome IS NULL AND incident_id IS NULL))), 0
             )::double precision AS oldest_camera_event_s,
           (SELECT count(*)::integer FROM camera_mutes WHERE lifted_at IS NULL) AS cameras_muted,
           (SELECT count(*)::integer FROM camera_pictures WHERE state = 'waiting') AS camera_pictures
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class Standing:
    """How many open cases stand in one state."""

    state: str
    cases: int


OPEN_CASES = Statement(
    Standing,
    """
    SELECT state, count(*)::integer AS cases
      FROM cases
     WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
     GROUP BY state
     ORDER BY state
    """,
)
