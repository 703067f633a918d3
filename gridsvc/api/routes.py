"""Every route there is, resource by resource: what the service can be asked."""

from __future__ import annotations

from typing import Final

from gridsvc.api import (
    attachments,
    auth,
    bulk,
    call_backs,
    cases,
    categories,
    checks,
    components,
    divisions,
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
    *call_backs.ROUTES,
    *attachments.ROUTES,
    *positions.ROUTES,
    *notices.ROUTES,
    *reporters.ROUTES,
)
