"""What devices and platforms of GA/T 1400 sign in with, and what they report of cameras."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions import give_account
from gridsvc.actions.write_camera import must_administer
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import (
    Moment,
    Page,
    Told,
    Wanted,
    path_id,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller, Role
from gridsvc.errors import BadRequest, Unknown
from gridsvc.sealing import Sealer
from gridsvc.store import cameras, viid_accounts
from gridsvc.store.viid_accounts import Listed, Reported

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Cameras = Annotated[list[_Code], msgspec.Meta(min_length=1, max_length=20_000)]

MOST_GRACE_HOURS: Final = 720.0


class AccountWanted(Wanted):
    """An account: the 20 digits that the device registers as, the cameras that it speaks for; no name: the digits."""

    device: _Code
    cameras: _Cameras
    username: Annotated[str, msgspec.Meta(max_length=64)] = ""
    label: Annotated[str, msgspec.Meta(max_length=128)] = ""
    networks: Annotated[list[_Code], msgspec.Meta(max_length=32)] = msgspec.field(default_factory=list)
    expires_at: Moment | None = None


class AccountCameras(Wanted):
    """The cameras that an account speaks for from now on."""

    cameras: _Cameras


class AccountRotation(Wanted):
    """A new secret; the old one is good for some hours more, so that somebody can go to the device."""

    grace_hours: Annotated[float, msgspec.Meta(ge=0, le=MOST_GRACE_HOURS)] = 24.0


class AccountTold(Told):
    """An account. `standing` is registered, silent or not_registered; `secret` is told once, where it was just made."""

    id: UUID
    device: str
    username: str
    label: str
    networks: list[str]
    cameras: list[str]
    standing: str
    registered_at: datetime | None
    registered_from: str | None
    heard_at: datetime | None
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    old_secret_until: datetime | None
    secret: str | None


class ReportedQuery(Wanted):
    """Which reported cameras: of one account, or all."""

    account: UUID | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ReportedTold(Told):
    """A camera as a platform reports it, in the words of GA/T 1400. `known`: the registry has one of this code."""

    account: UUID
    device: str
    code: str
    known: bool
    facts: dict[str, Any]
    first_at: datetime
    last_at: datetime


async def _accounts(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        rows = await viid_accounts.LISTED.all(conn, None)
    return reply(Page[AccountTold](items=[_told(row, now) for row in rows]))


async def _give(request: web.Request) -> web.Response:
    wanted, caller, sealer = await read_body(request, AccountWanted), caller_of(request), _sealer(request)
    networks = _networks(wanted.networks)

    async def work(conn: Conn, now: datetime) -> tuple[UUID, str]:
        await _must_administer_all(conn, caller, wanted.cameras)
        await act_as_service(conn)
        asked = give_account.Wanted(
            device=wanted.device, cameras=wanted.cameras, username=wanted.username, label=wanted.label,
            networks=networks, expires_at=wanted.expires_at,
        )  # fmt: skip
        return await give_account.give_account(conn, asked, sealer, caller.id, now)

    return await _with_secret(request, work, 201)


async def _rotate(request: web.Request) -> web.Response:
    account_id, wanted, sealer = path_id(request), await read_body(request, AccountRotation), _sealer(request)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> tuple[UUID, str]:
        await _must_hold(conn, caller, account_id)
        old_until = now + timedelta(hours=wanted.grace_hours)
        return account_id, await give_account.rotate_account(conn, account_id, sealer, old_until)

    return await _with_secret(request, work, 200)


async def _revoke(request: web.Request) -> web.Response:
    account_id, caller = path_id(request), caller_of(request)
    await read_body(request, Wanted)

    async def work(conn: Conn, now: datetime) -> Answer:
        await _must_hold(conn, caller, account_id)
        await give_account.revoke_account(conn, account_id, now)
        return Answer(await _one(conn, account_id, now))

    return await write(request, work)


async def _change(request: web.Request) -> web.Response:
    account_id, wanted, caller = path_id(request), await read_body(request, AccountCameras), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await _must_hold(conn, caller, account_id)
        await _must_administer_all(conn, caller, wanted.cameras)
        await act_as_service(conn)
        await give_account.change_cameras(conn, account_id, wanted.cameras)
        return Answer(await _one(conn, account_id, now))

    return await write(request, work)


async def _reported(request: web.Request) -> web.Response:
    asked = read_query(request, ReportedQuery)
    after = read_cursor(asked.cursor, tuple[str, str]) if asked.cursor else ("", "")
    async with scoped(request) as (conn, _):
        found = await viid_accounts.REPORTED.all(conn, asked.account, *after, asked.limit + 1)
    page = found[: asked.limit]
    more = write_cursor(page[-1].code, page[-1].account_id) if len(found) > asked.limit else None
    return reply(Page[ReportedTold](items=[_told_of(row) for row in page], next=more))


# -- who may, and in words -------------------------------------------------------------------------


async def _must_administer_all(conn: Conn, caller: Caller, codes: Sequence[str]) -> None:
    await give_account.must_be_there(conn, codes)
    for kept in (await cameras.current(conn, codes)).values():
        must_administer(caller, kept.row.divisions)


async def _must_hold(conn: Conn, caller: Caller, account_id: UUID) -> None:
    """Raise Unknown for an account out of sight, NotAllowed where the caller does not administer all its cameras.

    Afterwards the transaction works as the service: a camera out of the caller's sight is the account's all the same.
    """
    if await viid_accounts.LISTED.one(conn, account_id) is None:
        raise Unknown(f"no account {account_id}", given=str(account_id))
    await act_as_service(conn)
    row = await viid_accounts.LISTED.one(conn, account_id)
    for kept in (await cameras.current(conn, row.cameras if row is not None else [])).values():
        must_administer(caller, kept.row.divisions)


async def _with_secret(
    request: web.Request, work: Callable[[Conn, datetime], Awaitable[tuple[UUID, str]]], status: int
) -> web.Response:
    """Run `work` once and tell the secret that it made. It is in no kept answer: a repeat is told without it."""
    made: list[tuple[AccountTold, str]] = []

    async def keep(conn: Conn, now: datetime) -> Answer:
        account_id, secret = await work(conn, now)
        told = await _one(conn, account_id, now)
        made.append((told, secret))
        return Answer(told, status=status)

    answer = await write(request, keep)
    if made:
        told, secret = made[-1]
        return reply(msgspec.structs.replace(told, secret=secret), status)
    return answer


async def _one(conn: Conn, account_id: UUID, now: datetime) -> AccountTold:
    row = await viid_accounts.LISTED.one(conn, account_id)
    if row is None:
        raise Unknown(f"no account {account_id}", given=str(account_id))
    return _told(row, now)


def _told(row: Listed, now: datetime) -> AccountTold:
    return AccountTold(
        id=row.id, device=row.device, username=row.username, label=row.label, networks=row.networks,
        cameras=row.cameras, standing=str(row.standing(now)), registered_at=row.registered_at,
        registered_from=row.registered_from, heard_at=row.heard_at, created_at=row.created_at,
        created_by=row.created_by, expires_at=row.expires_at, revoked_at=row.revoked_at,
        old_secret_until=row.old_until, secret=None,
    )  # fmt: skip


def _told_of(row: Reported) -> ReportedTold:
    return ReportedTold(
        account=row.account_id, device=row.device, code=row.code, known=row.known, facts=row.facts,
        first_at=row.first_at, last_at=row.last_at,
    )  # fmt: skip


def _sealer(request: web.Request) -> Sealer:
    return Sealer.of_secrets(request.app[SETTINGS].identity.sealing)


def _networks(given: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(each)) for each in given]
    except ValueError as wrong:
        raise BadRequest(
            f"networks: {wrong}; want e.g. 10.20.0.0/16", field="networks", given=", ".join(given)[:80],
            wanted="networks as 10.20.0.0/16",
        ) from wrong  # fmt: skip


_ADMIN: Final = frozenset({Role.ADMIN})

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/viid-accounts", handler=_accounts, roles=_ADMIN, scope="cameras:write",
        answers=Page[AccountTold],
        summary="What devices and platforms of GA/T 1400 sign in with, and how they stand.",
    ),
    Route(
        method="POST", path="/api/v1/viid-accounts", handler=_give, roles=_ADMIN, scope="cameras:write",
        reads=AccountWanted, answers=AccountTold, statuses=(201, 404, 409), idempotent=True,
        summary="Give a device or platform an account for some cameras; its secret is told once.",
    ),
    Route(
        method="POST", path="/api/v1/viid-accounts/{id}/rotate", handler=_rotate, roles=_ADMIN, scope="cameras:write",
        reads=AccountRotation, answers=AccountTold, idempotent=True,
        summary="A new secret instead of the old one, which is good for some hours more.",
    ),
    Route(
        method="POST", path="/api/v1/viid-accounts/{id}/revoke", handler=_revoke, roles=_ADMIN, scope="cameras:write",
        reads=Wanted, answers=AccountTold, idempotent=True,
        summary="End an account at once.",
    ),
    Route(
        method="POST", path="/api/v1/viid-accounts/{id}/cameras", handler=_change, roles=_ADMIN, scope="cameras:write",
        reads=AccountCameras, answers=AccountTold, idempotent=True,
        summary="Say for which cameras an account speaks from now on.",
    ),
    Route(
        method="GET", path="/api/v1/reported-cameras", handler=_reported, roles=DESK, scope="cameras:read",
        query=ReportedQuery, answers=Page[ReportedTold],
        summary="Cameras as platforms of GA/T 1400 report them: proposals, which somebody enters or does not.",
    ),
)  # fmt: skip
