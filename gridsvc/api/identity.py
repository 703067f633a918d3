"""Who is calling: token, key or cookie to Caller, with grants from the database that are seconds old at most."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

from aiohttp import web

from gridsvc.actions.use_cookie import Copied, use_cookie
from gridsvc.api.parts import CALLER, SETTINGS
from gridsvc.api.route import LOOPBACK, PUBLIC, Handler, Route, may_call
from gridsvc.api.tokens import ApiKey, Signer
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.errors import ForgeryCheckFailed, NotAllowed, NotSignedIn
from gridsvc.settings import HttpSettings
from gridsvc.store import api_keys, sessions

log = logging.getLogger(__name__)

KEPT_S: Final = 10.0
"""How long a look into the database counts: a user who is put out is out within this, in every process."""

MOST_KEPT: Final = 50_000
"""Credentials remembered at once, about 1 kB each; beyond it the oldest look is forgotten."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A credential that was looked up: whose it is, and until when (monotonic seconds) that counts."""

    caller: Caller
    until: float
    session_id: UUID | None = None


SESSION: Final = web.RequestKey("session", UUID)
"""The session behind the request; absent for an API key."""


class Identity:
    """Recognises credentials, and remembers for `kept_s` seconds whom it has recognised.

    Tokens run out by the city's clock: each look brings it from the database, and the monotonic
    clock carries it until the next.
    """

    def __init__(
        self, pool: ConnPool, signer: Signer, *, kept_s: float = KEPT_S, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._signer = signer
        self._kept_s = kept_s
        self._ticks = ticks
        self._known: dict[tuple[str, str], Known] = {}
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def recognise(self, kind: str, text: str) -> Known | None:
        """Whose credential this is: kind 'bearer', 'key' or 'cookie'. None for one that is not valid (any more)."""
        known = self._remembered(kind, text)
        if known is not None:
            return known
        # One look per credential: a hundred requests of one camera must not become a hundred queries.
        turn = self._turns.setdefault((kind, text), asyncio.Lock())
        async with turn:
            known = self._remembered(kind, text) or await self._look_up(kind, text)
            if known is not None:
                self._remember(kind, text, known)
            return known

    def forget(self, session_id: UUID) -> None:
        """Forget a session that has just ended here; other processes find out within KEPT_S."""
        self._known = {name: known for name, known in self._known.items() if known.session_id != session_id}

    def forget_user(self, user_id: UUID) -> None:
        """Forget whatever is known of a user: what he may see has changed."""
        self._known = {name: known for name, known in self._known.items() if known.caller.user_id != user_id}

    def _remembered(self, kind: str, text: str) -> Known | None:
        known = self._known.get((kind, text))
        return known if known is not None and known.until > self._ticks() else None

    def _remember(self, kind: str, text: str, known: Known) -> None:
        self._known.pop((kind, text), None)
        while len(self._known) >= MOST_KEPT:
            del self._known[next(iter(self._known))]
        self._known[kind, text] = known

    async def _look_up(self, kind: str, text: str) -> Known | None:
        if kind == "key":
            return await self._by_key(text)
        if kind == "cookie":
            return await self._by_cookie(text)
        access = self._signer.read_access_token(text)
        return None if access is None else await self._by_session(access.session_id, access.user_id, access.expires_at)

    async def _by_cookie(self, text: str) -> Known | None:
        cookie = self._signer.read_cookie(text)
        if cookie is None:
            return None
        async with transaction(self._pool, SERVICE) as (conn, now):
            standing = await use_cookie(conn, cookie.session_id, cookie.turn, now)
        if isinstance(standing, Copied):
            self.forget(cookie.session_id)
            log.warning(
                "a cookie came that a newer one has replaced: its session is ended",
                extra={"action": "session_reuse", "session_id": str(cookie.session_id)},
            )
            return None
        return None if standing is None else self._known_by(standing, cookie.session_id, None)

    async def _by_session(self, session_id: UUID, user_id: UUID, token_ends: float) -> Known | None:
        async with transaction(self._pool, SERVICE) as (conn, _):
            standing = await sessions.STANDING.one(conn, session_id)
        if standing is None or standing.user_id != user_id:
            return None
        return self._known_by(standing, session_id, token_ends)

    def _known_by(self, standing: sessions.Standing, session_id: UUID, token_ends: float | None) -> Known | None:
        ends = standing.expires_at.timestamp()
        left_s = min(ends, token_ends or ends) - standing.now.timestamp()
        if left_s <= 0:
            return None
        grants = tuple(
            Grant(role=Role(role), division=division, department=department, duty_line=duty_line)
            for role, division, department, duty_line in zip(
                standing.roles, standing.divisions, standing.departments, standing.duty_lines, strict=True
            )
        )
        caller = Caller(id=f"user:{standing.user_id}", grants=grants, user_id=standing.user_id)
        return Known(caller=caller, until=self._ticks() + min(left_s, self._kept_s), session_id=session_id)

    async def _by_key(self, text: str) -> Known | None:
        key = ApiKey.read(text)
        if key is None:
            return None
        async with transaction(self._pool, SERVICE) as (conn, _):
            usable = await api_keys.USABLE.one(conn, key.id, key.digest)
        if usable is None:
            return None
        left_s = _left_s(usable.expires_at, usable.now)
        return Known(caller=caller_of_key(usable), until=self._ticks() + min(self._kept_s, left_s))


def _left_s(expires_at: datetime | None, now: datetime) -> float:
    return float("inf") if expires_at is None else (expires_at - now).total_seconds()


def caller_of_key(key: api_keys.Key) -> Caller:
    """Who calls with a key, once he has proved that it is his."""
    return Caller(
        id=f"key:{key.id}", grants=_grants_of_key(key), scopes=frozenset(key.scopes), signed_only=key.signed_only
    )


def _grants_of_key(key: api_keys.Key) -> tuple[Grant, ...]:
    """A key sees its area as an auditor does, unless a scope `role:<role>` lets it act as somebody there."""
    names = [scope.removeprefix("role:") for scope in key.scopes if scope.startswith("role:")]
    return tuple(
        Grant(role=Role(name), division=key.division_code, department=key.department, duty_line=key.duty_line)
        for name in names or [Role.AUDITOR]
    )


IDENTITY: Final = web.AppKey("identity", Identity)
SIGNER: Final = web.AppKey("signer", Signer)
DECLARED: Final = web.AppKey("declared", dict[web.AbstractRoute, Route])
"""What was declared for each route of the router; a route that is missing here is closed to everybody."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the caller and hold him against what the route declares, before any handler runs."""
    matched = request.match_info
    if matched.http_exception is not None:
        return await handler(request)
    route = request.app[DECLARED].get(matched.route)
    if route is None:
        raise NotAllowed("nobody has declared who may call this, so nobody may")
    if route.roles is PUBLIC or (route.roles is LOOPBACK and _from_here(request)):
        return await handler(request)
    known = await _credential_of(request)
    _let_pass(route, known)
    request[CALLER] = known.caller
    if known.session_id is not None:
        request[SESSION] = known.session_id
    return await handler(request)


async def _credential_of(request: web.Request) -> Known:
    """The first of Authorization, X-API-Key and cookie that is there counts; a bad one is not made good by the next."""
    identity = request.app[IDENTITY]
    headers = request.headers
    authorization = headers.get("Authorization")
    if authorization is not None:
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            raise NotSignedIn(f"Authorization is of kind {kind[:20]!r}; want Bearer and an access token")
        return await identity.recognise("bearer", token.strip()) or _refuse("the access token is not valid any more")
    key = headers.get("X-API-Key")
    if key is not None:
        return await identity.recognise("key", key) or _refuse("the API key is not valid")
    cookie = request.cookies.get(cookie_name(request.app[SETTINGS].http))
    if cookie is None:
        return _refuse("no credential; want Authorization: Bearer, X-API-Key or a session cookie")
    known = await identity.recognise("cookie", cookie) or _refuse("the session has ended")
    _check_forgery(request, known)
    return known


def _refuse(why: str) -> Known:
    raise NotSignedIn(why)


def _let_pass(route: Route, known: Known) -> None:
    caller = known.caller
    if known.session_id is None:
        if route.scope is None or route.scope not in caller.scopes:
            wanted = f"want the scope {route.scope}" if route.scope else "no API key may call this"
            raise NotAllowed(f"this key may not call {route.name}; {wanted}", wanted=route.scope)
    elif not may_call(route, caller.roles):
        roles = sorted(route.roles) if isinstance(route.roles, frozenset) else []
        raise NotAllowed(f"none of your roles may call {route.name}; want one of {', '.join(roles) or 'none'}")


def _check_forgery(request: web.Request, known: Known) -> None:
    """A browser sends its cookie whoever asked it to: a write, or a socket, must come from our own page."""
    if request.method in _SAFE:
        if "Upgrade" in request.headers:
            refuse_foreign_pages(request, origin_needed=True)
        return
    refuse_foreign_pages(request)
    given = request.headers.get("X-CSRF-Token", "")
    wanted = request.app[SIGNER].forgery_token(known.session_id) if known.session_id else ""
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise ForgeryCheckFailed("X-CSRF-Token is missing or not this session's; GET /api/v1/auth/session tells it")


def refuse_foreign_pages(request: web.Request, *, origin_needed: bool = False) -> None:
    """Raise ForgeryCheckFailed for a request that a browser sends at the wish of another origin's page."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise ForgeryCheckFailed(f"the request comes from another site's page (Sec-Fetch-Site: {site[:20]})")
    origin = request.headers.get("Origin")
    own = own_origin(request)
    if origin is None and not origin_needed:
        return
    if origin != own:
        raise ForgeryCheckFailed(f"the request comes from a page of {(origin or 'no origin')[:200]}; want {own}")


def own_origin(request: web.Request) -> str:
    """The origin of our own pages: of GRIDSVC_PUBLIC_URL, else as this request names us."""
    public = request.app[SETTINGS].http.public_url
    if public:
        parts = urlsplit(public)
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://{request.headers.get('Host', '')}"


def on_https(http: HttpSettings) -> bool:
    """Whether callers reach us over HTTPS (through a proxy: the process itself speaks HTTP)."""
    return http.public_url.startswith("https://")


def cookie_name(http: HttpSettings) -> str:
    """`__Host-` binds the cookie to this very host; browsers accept that prefix on HTTPS only."""
    return "__Host-gridsvc" if on_https(http) else "gridsvc"


def address_of(request: web.Request) -> str:
    """Where the request comes from: the peer, or what the nearest trusted proxy saw. Never more than is trusted."""
    hops = [hop.strip() for hop in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",") if hop.strip()]
    trusted = request.app[SETTINGS].http.trusted_proxies
    if trusted and len(hops) >= trusted:
        return hops[-trusted][:64]
    return request.remote or "unknown"


def _from_here(request: web.Request) -> bool:
    """Whether a process of this machine asks for itself; one that asks for somebody else is a proxy."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
