"""Sign in, refresh, sign out, and what the own session is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc import passwords
from gridsvc.actions.refresh_session import NoSession, Reused, refresh_session
from gridsvc.actions.sign_in import Candidate, NewSession, Throttled, knock, sign_in
from gridsvc.actions.sign_out import sign_out
from gridsvc.api.identity import (
    IDENTITY,
    SESSION,
    SIGNER,
    address_of,
    cookie_name,
    on_https,
    refuse_foreign_pages,
)
from gridsvc.api.parts import SETTINGS, as_service, caller_of
from gridsvc.api.route import PUBLIC, SIGNED_IN, Route
from gridsvc.api.tokens import RefreshToken
from gridsvc.api.wire import Told, Wanted, read_body, reply
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.errors import BadRequest, NotSignedIn, TooManyTries, Unavailable, WrongPassword
from gridsvc.ids import new_id
from gridsvc.store import sessions, users
from gridsvc.store.rulebook import rulebook

log = logging.getLogger(__name__)

T = TypeVar("T")

# ---- what travels -------------------------------------------------------------------------------


class LoginIn(Wanted):
    """A name and its password. `label` is what the person sees in a list of sessions: 'Duty phone 7'."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=passwords.LONGEST)]
    label: Annotated[str, msgspec.Meta(max_length=100)] = ""


class RefreshIn(Wanted):
    """The refresh token that was given last."""

    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class RoleOut(Told):
    """One role: for a division and below, for one department, one duty line, or (both null) all."""

    role: Role
    division: str
    department: str | None
    duty_line: str | None


class UserOut(Told):
    """A user as he sees himself."""

    id: UUID
    username: str
    display_name: str
    roles: list[RoleOut]


class SignedIn(Told):
    """Tokens of a session. `expires_in` is the access token's, in seconds.

    `csrf_token` goes into X-CSRF-Token with every write of a page that works by the cookie.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    csrf_token: str
    user: UserOut
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme (RFC 6750)


class SessionOut(Told):
    """The session behind the cookie or token; `zone` is the city's, in which pages show its times."""

    csrf_token: str
    user: UserOut
    zone: str


# ---- passwords, off the event loop --------------------------------------------------------------

HASHERS: Final = 2  # threads: about 30 ms of a core each; more of them only make the intake wait
MOST_WAITING: Final = 64  # sign-ins in line, about a second's worth; beyond it 503 is the honest answer


class PasswordDesk:
    """Compares passwords in a few threads, with a short line before them."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._waiting = 0

    async def check(self, kept: str | None, password: str) -> bool:
        """Whether `password` is the one kept; the same work where there is none. Raises Unavailable when crowded."""
        return await self._in_line(passwords.check_password, kept, password)

    async def hash(self, password: str) -> str:
        """What is kept of a new password. Raises Unavailable when crowded."""
        return await self._in_line(passwords.hash_password, password)

    async def _in_line(self, work: Callable[..., T], *args: object) -> T:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many people sign in at once; try again in a moment", retry_after_s=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)
        finally:
            self._waiting -= 1


@asynccontextmanager
async def open_password_desk() -> AsyncIterator[PasswordDesk]:
    """The desk with its threads, until the end of the block."""
    executor = ThreadPoolExecutor(HASHERS, "passwords")
    try:
        yield PasswordDesk(executor)
    finally:
        executor.shutdown(wait=True)


PASSWORD_DESK: Final = web.AppKey("password_desk", PasswordDesk)

# ---- handlers -----------------------------------------------------------------------------------


async def _login(request: web.Request) -> web.Response:
    refuse_foreign_pages(request)
    given = await read_body(request, LoginIn)
    username, address = given.username.strip().lower(), address_of(request)
    candidate, tried_at = await _knock(request, username, address)
    right = await request.app[PASSWORD_DESK].check(candidate.password_hash, given.password)
    if not right or candidate.user_id is None:
        raise WrongPassword("name and password do not go together")
    first = RefreshToken.first(new_id())
    session = NewSession(
        id=first.session_id,
        kind="browser" if "Sec-Fetch-Site" in request.headers or "Origin" in request.headers else "app",
        label=given.label,
        refresh_hash=first.digest,
        lasts=timedelta(days=request.app[SETTINGS].identity.session_days),
    )
    async with as_service(request) as (conn, now):
        person = await sign_in(conn, candidate.user_id, session, (address, tried_at), now)
        user = None if person is None else await _user_out(conn, person)
    if user is None:
        raise WrongPassword("name and password do not go together")
    answer = _answer(request, user, first, now)
    _give_cookie(request, answer, first.session_id, 0, session.lasts)
    return answer


async def _knock(request: web.Request, username: str, address: str) -> tuple[Candidate, datetime]:
    most = request.app[SETTINGS].identity.failures_per_quarter
    async with as_service(request) as (conn, now):
        outcome = await knock(conn, username, address, most, now)
    if isinstance(outcome, Throttled):
        log.warning("sign-in throttled", extra={"action": "sign_in_throttled", "by": outcome.by})
        raise TooManyTries(
            f"too many sign-ins failed; try again in {outcome.retry_after_s:.0f} s", retry_after_s=outcome.retry_after_s
        )
    return outcome, now


async def _refresh(request: web.Request) -> web.Response:
    refuse_foreign_pages(request)
    given = RefreshToken.read((await read_body(request, RefreshIn)).refresh_token)
    if given is None:
        raise NotSignedIn("the refresh token is none of ours")
    successor = request.app[SIGNER].successor(given)
    async with as_service(request) as (conn, now):
        outcome = await refresh_session(conn, given.session_id, given.digest, successor.digest, now)
        user = None if isinstance(outcome, Reused | NoSession) else await _user_out(conn, outcome.person)
    if isinstance(outcome, Reused):
        request.app[IDENTITY].forget(given.session_id)
        log.warning(
            "a spent refresh token came again: its session is ended",
            extra={"action": "session_reuse", "session_id": str(given.session_id)},
        )
    if user is None:
        raise NotSignedIn("the session has ended; sign in again")
    return _answer(request, user, successor, now)


async def _renew(request: web.Request) -> web.Response:
    session_id, signer = request[SESSION], request.app[SIGNER]
    cookie = signer.read_cookie(request.cookies.get(cookie_name(request.app[SETTINGS].http), ""))
    if cookie is None or cookie.session_id != session_id:
        raise BadRequest(
            "only a session's cookie is renewed here; a token is refreshed", field="Cookie", given=None,
            wanted="the cookie of this session",
        )  # fmt: skip
    async with as_service(request) as (conn, now):
        standing = await sessions.STANDING.one(conn, session_id)
    if standing is None:
        raise NotSignedIn("the session has ended; sign in again")
    answer = web.Response(status=204)
    _give_cookie(request, answer, session_id, cookie.turn + 1, standing.expires_at - now)
    return answer


async def _logout(request: web.Request) -> web.Response:
    session_id = request[SESSION]
    async with as_service(request) as (conn, now):
        await sign_out(conn, session_id, now)
    request.app[IDENTITY].forget(session_id)
    answer = web.Response(status=204)
    http = request.app[SETTINGS].http
    answer.del_cookie(cookie_name(http), path="/", secure=on_https(http), httponly=True, samesite="Strict")
    return answer


async def _session(request: web.Request) -> web.Response:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has this route
    async with as_service(request) as (conn, _):
        person = await users.PERSON.one(conn, user_id)
        user = None if person is None else await _user_out(conn, person)
        zone = (await rulebook(conn)).zone.key
    if user is None:
        raise NotSignedIn("the session has ended; sign in again")
    return reply(SessionOut(csrf_token=request.app[SIGNER].forgery_token(request[SESSION]), user=user, zone=zone))


def _answer(request: web.Request, user: UserOut, refresh: RefreshToken, now: datetime) -> web.Response:
    settings, signer = request.app[SETTINGS], request.app[SIGNER]
    lasts = timedelta(seconds=settings.identity.access_seconds)
    return reply(
        SignedIn(
            access_token=signer.access_token(user.id, refresh.session_id, now, lasts),
            refresh_token=refresh.text,
            expires_in=settings.identity.access_seconds,
            csrf_token=signer.forgery_token(refresh.session_id),
            user=user,
        )
    )


def _give_cookie(
    request: web.Request, answer: web.StreamResponse, session_id: UUID, turn: int, lasts: timedelta
) -> None:
    http = request.app[SETTINGS].http
    answer.set_cookie(
        cookie_name(http), request.app[SIGNER].cookie(session_id, turn),
        path="/", max_age=int(lasts.total_seconds()), httponly=True, secure=on_https(http), samesite="Strict",
    )  # fmt: skip


async def _user_out(conn: Conn, person: users.Person) -> UserOut:
    grants = await users.grants_of(conn, person.id)
    return UserOut(
        id=person.id,
        username=person.username,
        display_name=person.display_name,
        roles=[
            RoleOut(role=g.role, division=g.division, department=g.department, duty_line=g.duty_line) for g in grants
        ],
    )


ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/auth/login", handler=_login, roles=PUBLIC,
        reads=LoginIn, answers=SignedIn, statuses=(200, 415, 429),
        summary="Sign in by name and password; sets the session cookie too.",
    ),
    Route(
        method="POST", path="/api/v1/auth/refresh", handler=_refresh, roles=PUBLIC,
        reads=RefreshIn, answers=SignedIn, statuses=(200, 415),
        summary="Trade the refresh token for the next pair; a spent one ends the session.",
    ),
    Route(
        method="POST", path="/api/v1/auth/session/renew", handler=_renew, roles=SIGNED_IN, statuses=(204,),
        summary="The next cookie of this session; the one before runs out when it is used.",
    ),
    Route(
        method="POST", path="/api/v1/auth/logout", handler=_logout, roles=SIGNED_IN, statuses=(204,),
        summary="End this session.",
    ),
    Route(
        method="GET", path="/api/v1/auth/session", handler=_session, roles=SIGNED_IN, answers=SessionOut,
        summary="Who I am, and the anti-forgery token of this session.",
    ),
)  # fmt: skip
