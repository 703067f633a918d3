"""What the web application holds while it runs, by typed key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from aiohttp import web

from gridsvc.db import SERVICE, Conn, ConnPool, transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.errors import NotSignedIn
from gridsvc.settings import Settings

SETTINGS: Final = web.AppKey("settings", Settings)

POOL: Final = web.AppKey("pool", ConnPool)
"""For requests. Sees nothing until `transaction(pool, scope)` says on whose behalf."""

SERVICE_POOL: Final = web.AppKey("service_pool", ConnPool)
"""Two connections apart, so that a crowd of requests cannot keep health and identity from answering."""

CALLER: Final = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> Caller:
    """Whoever is asking. Raises NotSignedIn on a route that is open to everybody."""
    caller: Caller | None = request.get(CALLER)
    if caller is None:
        raise NotSignedIn("this needs a signed-in caller; want Authorization: Bearer, X-API-Key or a session cookie")
    return caller


@asynccontextmanager
async def scoped(request: web.Request) -> AsyncIterator[tuple[Conn, datetime]]:
    """One transaction that sees what the caller may see; yields the connection and the city's now."""
    async with transaction(request.app[POOL], scope_keys(caller_of(request))) as opened:
        yield opened


@asynccontextmanager
async def as_service(request: web.Request) -> AsyncIterator[tuple[Conn, datetime]]:
    """One short transaction of the service's own: who is calling, how the service is. Never a caller's data."""
    async with transaction(request.app[SERVICE_POOL], SERVICE) as opened:
        yield opened
