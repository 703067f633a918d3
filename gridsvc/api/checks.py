"""GET /api/v1/me/checks: what I was sent to look at (核实、核查), the most pressing first."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.domain.access import Role
from gridsvc.domain.reasons import RESULTS
from gridsvc.store.checks import TASKS, Task


class FindingOut(Told):
    """Something that a check may find: `code` is the `result` of the move `check`."""

    code: str
    name: str
    name_en: str


class CheckTaskOut(Told):
    """A check that waits for me. `version` is the case's; `POST /api/v1/cases/{case_id}/check` wants it."""

    id: UUID
    kind: str
    case_id: UUID
    number: str | None
    version: int
    state: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    note: str
    sent_at: datetime
    due_at: datetime
    results: list[FindingOut]


async def _mine(request: web.Request) -> web.Response:
    caller = caller_of(request)
    async with scoped(request) as (conn, _):
        tasks = await TASKS.all(conn, caller.user_id)
    return reply(Page[CheckTaskOut](items=[_out(task) for task in tasks]))


def _out(task: Task) -> CheckTaskOut:
    return CheckTaskOut(
        id=task.id, kind=task.kind, case_id=task.case_id, number=task.number, version=task.version, state=task.state,
        category=f"{task.edition}:{task.category}", category_name=task.category_name,
        category_name_en=task.category_name_en, description=task.description, address=task.address, lon=task.lon,
        lat=task.lat, note=task.note, sent_at=task.sent_at, due_at=task.due_at,
        results=[FindingOut(code=each.code, name=each.name, name_en=each.name_en) for each in RESULTS[task.kind]],
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/checks", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=Page[CheckTaskOut],
        summary="What I was sent to look at, the most pressing first.",
    ),
)  # fmt: skip
