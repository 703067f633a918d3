"""A route as one row of data: what it is called by, who may call it, what it reads and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from aiohttp import web

from gridsvc.domain.access import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Open(Enum):
    """Who may call a route without being signed in."""

    PUBLIC = "anyone"
    LOOPBACK = "this machine"  # or an API key with the route's scope


PUBLIC: Final = Open.PUBLIC
LOOPBACK: Final = Open.LOOPBACK

SIGNED_IN: Final[frozenset[Role]] = frozenset()
"""Any user with a session, whatever his roles."""

DESK: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})
"""The people of the control centre: they see an area, not only what is theirs."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path. There is no default for `roles`: who may call it is always said.

    `roles` is a set of roles of which a user needs one (SIGNED_IN: any user), or Open.
    `scope` is what an API key needs; None: no key may call it, whatever its scopes.
    `statuses` begins with the status of success; the rest are the refusals of its own, beside
    those that every route may give (400, 401, 403, 404, 503).
    `idempotent` says that the write takes, and needs, an Idempotency-Key; `captured` that a phone may say when it was
    done (gridsvc/api/captured_wire.py). `head` says that HEAD is answered too, as this GET without its body: where
    somebody looks who is no client of ours (a browser, a proxy, who watches whether we live).
    """

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | Open
    summary: str
    scope: str | None = None
    reads: Any = None  # the type of the JSON body; None: no body
    query: Any = None  # the struct of the query string
    answers: Any = None  # the type of the JSON answer; None: no body, or none that is JSON
    statuses: tuple[int, ...] = (200,)
    idempotent: bool = False
    if_match: bool = False
    captured: bool = False
    head: bool = False

    @property
    def name(self) -> str:
        """`GET /api/v1/cases`: how documents, metrics and tests call it."""
        return f"{self.method} {self.path}"


def may_call(route: Route, roles: frozenset[Role]) -> bool:
    """Whether a user who holds `roles` somewhere may call `route` at all; where is decided by scope."""
    if isinstance(route.roles, Open):
        return route.roles is PUBLIC
    return not route.roles or not route.roles.isdisjoint(roles)
