"""Every route there is, resource by resource: what the service can be asked."""

from __future__ import annotations

from typing import Final

from gridsvc.api import (
    attachments,
    auth,
    bulk,
    calendars,
    call_backs,
    calls,
    cases,
    categories,
    checks,
    chronic_spots,
    co_handlings,
    components,
    divisions,
    evaluation,
    front,
    health,
    moves,
    notices,
    openapi,
    people,
    places,
    positions,
    reporters,
    reports,
    self_handling,
    tiles,
)
from gridsvc.api.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *front.ROUTES,
    *health.ROUTES,
    *openapi.ROUTES,
    *auth.ROUTES,
    *categories.ROUTES,
    *calendars.ROUTES,
    *divisions.ROUTES,
    *components.ROUTES,
    *tiles.ROUTES,
    *places.ROUTES,
    *people.ROUTES,
    *reports.ROUTES,
    *self_handling.ROUTES,
    *cases.ROUTES,
    *bulk.ROUTES,
    *moves.ROUTES,
    *checks.ROUTES,
    *co_handlings.ROUTES,
    *evaluation.ROUTES,
    *chronic_spots.ROUTES,
    *calls.ROUTES,
    *call_backs.ROUTES,
    *attachments.ROUTES,
    *positions.ROUTES,
    *notices.ROUTES,
    *reporters.ROUTES,
)
