"""An officer is replaced (换人): what would move to whom, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.relieve_officer import Outcome
from gridsvc.actions.replace_officer import Order, Replaced, preview_replacement, replace_officer
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import check_reach
from gridsvc.api.route import Route
from gridsvc.api.set_up import ADMIN
from gridsvc.api.users import LOOKS
from gridsvc.api.wire import Told, Wanted, path_id, read_body, read_query, reply
from gridsvc.db import Conn
from gridsvc.domain.access import Caller
from gridsvc.errors import NotAllowed
from gridsvc.store import users
from gridsvc.store.cases import CaseRow


class ReplaceQuery(Wanted):
    """As the body of the act. `successor` left out: the work is routed anew."""

    successor: UUID | None = None
    beats: bool = False
    leaves: bool = False


class ReplaceIn(Wanted):
    """Why, who takes over, and how much: his beats too; he does not come back, and his account ends."""

    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=500)]
    successor: UUID | None = None
    beats: bool = False
    leaves: bool = False


class PassedCaseOut(Told):
    """One case: it is `handed_over` to the successor, `routed` anew, or `stays` (`why` says what hinders it).

    `officer` has it afterwards; of a routed one whom routing would choose at this moment, null: nobody is free.
    """

    case: UUID
    becomes: str
    officer: UUID | None
    officer_name: str | None
    why: str | None


class ReplacementOut(Told):
    """What becomes of each open case of the officer that I see, and which beats the successor walks from now on."""

    officer: UUID
    successor: UUID | None
    items: list[PassedCaseOut]
    beats: list[str]
    account_ends: bool


async def _preview(request: web.Request) -> web.Response:
    officer_id, asked, caller = path_id(request), read_query(request, ReplaceQuery), caller_of(request)
    order = Order(
        officer_id=officer_id, successor=asked.successor, beats=asked.beats, leaves=asked.leaves, reason="preview"
    )
    async with scoped(request) as (conn, now):
        await _check(conn, order, caller, now)
        seen = await preview_replacement(conn, order, caller, now)
        told = await _told(conn, order, seen.replaced, seen.next_owner)
    return reply(told)


async def _replace(request: web.Request) -> web.StreamResponse:
    officer_id, caller = path_id(request), caller_of(request)
    wanted = await read_body(request, ReplaceIn)
    order = Order(
        officer_id=officer_id, successor=wanted.successor, beats=wanted.beats, leaves=wanted.leaves,
        reason=wanted.reason,
    )  # fmt: skip

    async def work(conn: Conn, now: datetime) -> Answer:
        await _check(conn, order, caller, now)
        replaced = await replace_officer(conn, order, caller, now)
        return Answer(await _told(conn, order, replaced, {}))

    return await write(request, work)


async def _check(conn: Conn, order: Order, caller: Caller, now: datetime) -> None:
    """Both work where the caller leads; beats and accounts are the administrator's."""
    if (order.beats or order.leaves) and not any(grant.role in ADMIN for grant in caller.grants):
        raise NotAllowed("beats and accounts are changed by an administrator; a desk moves the work", wanted="admin")
    roles = ADMIN if order.beats or order.leaves else LOOKS
    await check_reach(conn, caller, roles, order.officer_id, now)
    if order.successor is not None:
        await check_reach(conn, caller, roles, order.successor, now)


async def _told(
    conn: Conn, order: Order, replaced: Replaced, next_owner: Mapping[UUID, UUID | None]
) -> ReplacementOut:
    owners = {each.case_id: _owner(each, order, next_owner) for each in replaced.outcomes}
    named = [f"user:{owner}" for owner in set(owners.values()) if owner is not None]
    names = await users.names(conn, named)
    return ReplacementOut(
        officer=order.officer_id, successor=order.successor, beats=list(replaced.beats), account_ends=order.leaves,
        items=[_item(each, order, owners[each.case_id], names) for each in replaced.outcomes],
    )  # fmt: skip


def _owner(each: Outcome, order: Order, next_owner: Mapping[UUID, UUID | None]) -> UUID | None:
    if not isinstance(each.became, CaseRow):
        return order.officer_id
    return each.became.officer_id or next_owner.get(each.case_id)


def _item(each: Outcome, order: Order, owner: UUID | None, names: Mapping[str, str]) -> PassedCaseOut:
    if isinstance(each.became, CaseRow):
        becomes, why = "routed" if order.successor is None else "handed_over", None
    else:
        becomes, why = "stays", each.became.message
    return PassedCaseOut(
        case=each.case_id, becomes=becomes, officer=owner, officer_name=names.get(f"user:{owner}"), why=why
    )


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers/{id}/replacement", handler=_preview, roles=LOOKS, query=ReplaceQuery,
        answers=ReplacementOut, summary="What replacing an officer would do now: which case goes to whom, which beats.",
    ),
    Route(
        method="POST", path="/api/v1/officers/{id}/replace", handler=_replace, roles=LOOKS, reads=ReplaceIn,
        answers=ReplacementOut, statuses=(200, 415), idempotent=True,
        summary="Replace an officer: his open work goes to a successor or to routing, if wanted his beats and account.",
    ),
)  # fmt: skip
