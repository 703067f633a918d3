"""People who may sign in, as an administrator finds them: by name, pinyin or beat; and the end of an account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc import passwords
from gridsvc.api.auth import PASSWORD_DESK
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import areas_of
from gridsvc.api.route import Route
from gridsvc.api.set_up import ADMIN
from gridsvc.api.wire import Told, Wanted, path_id, read_body, read_query, reply
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.person_search import is_meant
from gridsvc.errors import GuardFailed, Unknown
from gridsvc.store import replacing
from gridsvc.store.replacing import PersonRow

LOOKS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})


class UsersQuery(Wanted):
    """Who: words of a name, its pinyin or initials, the name he signs in by, or the beginning of a beat's code."""

    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    role: Role | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class PasswordIn(Wanted):
    """The password that he signs in by from now on; it is not kept, and nobody is told it again."""

    password: Annotated[str, msgspec.Meta(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


class PostOut(Told):
    """A role, and where it holds."""

    role: str
    division: str
    department: str | None
    duty_line: str | None


class OfficerPartOut(Told):
    """What he has as an officer; `open_cases` counts what the asker may see."""

    duty_line: str
    on_duty: bool
    beats: list[str]
    open_cases: int


class UserOut(Told):
    """Somebody with a post in my area. `posts` are all of his; `active` false: his account has ended."""

    id: UUID
    username: str
    display_name: str
    active: bool
    posts: list[PostOut]
    officer: OfficerPartOut | None


class UsersOut(Told):
    """Whom the words mean, active ones first, by name. `found` counts all of them, `items` is cut."""

    items: list[UserOut]
    found: int
    next: str | None = None


async def _users(request: web.Request) -> web.Response:
    asked = read_query(request, UsersQuery)
    async with scoped(request) as (conn, now):
        rows = await replacing.people_in_reach(conn, areas_of(caller_of(request), LOOKS), now)
    meant = [
        row
        for row in rows
        if (asked.role is None or any(post["role"] == asked.role for post in row.posts))
        and is_meant(asked.q, (row.display_name, row.username), row.beats)
    ]
    return reply(UsersOut(items=[_out(row) for row in meant[: asked.limit]], found=len(meant)))


async def _end(request: web.Request) -> web.StreamResponse:
    user_id, caller = path_id(request), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        [*found] = await replacing.people_in_reach(conn, areas_of(caller, ADMIN), now, user_id)
        if not found:
            raise Unknown(f"no user {user_id}", user=str(user_id))
        if user_id == caller.user_id:
            raise GuardFailed("nobody ends his own account; ask another administrator", guard="another_person")
        if found[0].open_cases:
            raise GuardFailed(
                f"{found[0].open_cases} open cases are with this officer; replace him first",
                guard="no_open_work", given=found[0].open_cases,
            )  # fmt: skip
        await act_as_service(conn)
        await replacing.end_account(conn, user_id, now)
        [row] = await replacing.people_in_reach(conn, areas_of(caller, ADMIN), now, user_id)
        return Answer(_out(row))

    return await write(request, work)


async def _password(request: web.Request) -> web.StreamResponse:
    user_id, caller = path_id(request), caller_of(request)
    said = await read_body(request, PasswordIn)
    hashed = await request.app[PASSWORD_DESK].hash(said.password)

    async def work(conn: Conn, now: datetime) -> Answer:
        found = await replacing.people_in_reach(conn, areas_of(caller, ADMIN), now, user_id)
        await act_as_service(conn)
        if not found or not await replacing.give_password(conn, user_id, hashed, now):
            raise Unknown(f"no active user {user_id}", user=str(user_id))
        return Answer(_out(found[0]))

    # The digest of a body is kept with its key, and one of a password would be cheap to guess it from.
    return await write(request, work, b"a password")


def _out(row: PersonRow) -> UserOut:
    officer = None
    if row.duty_line is not None:
        officer = OfficerPartOut(
            duty_line=row.duty_line, on_duty=bool(row.on_duty), beats=row.beats, open_cases=row.open_cases
        )
    return UserOut(
        id=row.id, username=row.username, display_name=row.display_name, active=row.active,
        posts=[PostOut(**post) for post in row.posts], officer=officer,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/users", handler=_users, roles=LOOKS, query=UsersQuery, answers=UsersOut,
        summary="People of my area by name, pinyin or beat: posts, beats, open work, whether the account is active.",
    ),
    Route(
        method="POST", path="/api/v1/users/{id}/deactivate", handler=_end, roles=ADMIN, answers=UserOut,
        statuses=(200, 422), idempotent=True,
        summary="End an account that has no open work: out within seconds, everywhere; what he did stays.",
    ),
    Route(
        method="POST", path="/api/v1/users/{id}/password", handler=_password, roles=ADMIN, reads=PasswordIn,
        answers=UserOut, statuses=(200, 415), idempotent=True,
        summary="Give somebody another password; his sessions end, and he signs in by it.",
    ),
)  # fmt: skip
