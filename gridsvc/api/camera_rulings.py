"""What people say about cameras' words: silences, reviews, mutes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from events.storm import FIELDS, precision
from gridsvc.actions.judge_review import judge_review
from gridsvc.api.camera_pictures import CameraPictureOut, pictures_of_reviews
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
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
from gridsvc.db import Conn
from gridsvc.domain.access import Role, scope_keys
from gridsvc.errors import BadRequest, Unknown, WrongMoment
from gridsvc.ids import new_id
from gridsvc.store import camera_rulings
from gridsvc.store.camera_rulings import MuteRow, ReviewRow, SilenceRow

RULERS: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})
"""Who may let nothing come of what cameras see."""

REVIEWERS: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR})

_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]
_Cursor = Annotated[str, msgspec.Meta(max_length=400)]


# -- silences ----------------------------------------------------------------------------------------


class SilenceIn(Wanted):
    """Nothing shall come of events that match: each named field has one of its values.

    Fields: camera, kind, zone, target, category, cell.
    """

    matchers: Annotated[
        dict[_Line, Annotated[list[_Line], msgspec.Meta(min_length=1, max_length=500)]], msgspec.Meta(min_length=1)
    ]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    until: Moment
    since: Moment | None = None


class SilenceOut(Told):
    """A silence: who, why, and for how long."""

    id: UUID
    matchers: dict[str, list[str]]
    author: str
    author_name: str | None
    reason: str
    since: datetime
    until: datetime
    created_at: datetime
    expired_by: str | None


class SilenceQuery(Wanted):
    """`active`: those that are not over (planned ones too), or only those that are."""

    active: bool | None = None
    limit: _Limit = 100
    cursor: _Cursor | None = None


async def _silences(request: web.Request) -> web.Response:
    query = read_query(request, SilenceQuery)
    before, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    async with scoped(request) as (conn, now):
        rows = await camera_rulings.SILENCES.all(conn, query.active, now, before, last, query.limit)
    cursor = write_cursor(rows[-1].created_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[SilenceOut](items=[_silence_out(row) for row in rows], next=cursor))


def _silence_out(row: SilenceRow) -> SilenceOut:
    return SilenceOut(
        id=row.id, matchers=row.matchers, author=row.author, author_name=row.author_name, reason=row.reason,
        since=row.starts_at, until=row.ends_at, created_at=row.created_at, expired_by=row.expired_by,
    )  # fmt: skip


async def _silence(request: web.Request) -> web.Response:
    said, caller = await read_body(request, SilenceIn), caller_of(request)
    strangers = sorted(set(said.matchers) - set(FIELDS))
    if strangers:
        raise BadRequest(
            f"matchers: no event has a {strangers[0]}; want some of {', '.join(FIELDS)}",
            field="matchers", given=strangers[0], wanted=", ".join(FIELDS),
        )  # fmt: skip

    async def work(conn: Conn, now: datetime) -> Answer:
        since = said.since or now
        if said.until <= max(since, now):
            raise BadRequest(
                f"until is {said.until.isoformat()}; want a moment after its beginning, and after now",
                field="until", given=said.until.isoformat(), wanted="a moment to come",
            )  # fmt: skip
        made = new_id()
        await camera_rulings.ADD_SILENCE.run(
            conn, made, dict(said.matchers), caller.id, said.reason, since, said.until, now
        )
        row = await camera_rulings.SILENCE.one(conn, made)
        assert row is not None  # noqa: S101 - just written
        return Answer(_silence_out(row), status=201)

    return await write(request, work)


async def _expire(request: web.Request) -> web.Response:
    silence_id, caller = path_id(request), caller_of(request)
    await read_body(request, Wanted)

    async def work(conn: Conn, now: datetime) -> Answer:
        row = await camera_rulings.SILENCE.one(conn, silence_id)
        if row is None:
            raise Unknown("there is no such silence", given=str(silence_id))
        if row.ends_at <= now:
            raise WrongMoment("this silence is over already", ended_at=row.ends_at.isoformat())
        await camera_rulings.EXPIRE_SILENCE.run(conn, silence_id, now, caller.id)
        ended = await camera_rulings.SILENCE.one(conn, silence_id)
        assert ended is not None  # noqa: S101 - locked by us
        return Answer(_silence_out(ended))

    return await write(request, work)


# -- reviews -----------------------------------------------------------------------------------------


class ReviewOut(Told):
    """What waits for a person's look: `why` is mode (the city wants it) or unmapped (no label map knows the kind).

    `pictures`: the newest few, each with how it stands.
    """

    id: UUID
    camera: str
    kind: str
    zone: str
    target: str
    why: str
    category: str | None
    lon: float
    lat: float
    cell: str
    division: str
    first_at: datetime
    last_at: datetime
    events: int
    opened_at: datetime
    verdict: str | None
    verdict_by: str | None
    verdict_at: datetime | None
    pictures: list[CameraPictureOut]


class ReviewQuery(Wanted):
    """Those that wait, the longest wait first; `judged`: those that are judged."""

    judged: bool = False
    camera: _Line | None = None
    limit: _Limit = 100
    cursor: _Cursor | None = None


class VerdictIn(Wanted):
    """`category` is needed for what is real and of a kind that stands in no label map."""

    verdict: Literal["real", "false", "duplicate"]
    category: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class VerdictOut(Told):
    """The review, and how far its camera is to be trusted with this kind since it was last let speak again."""

    review: ReviewOut
    seen_real: int
    seen_false: int
    precision: float | None


async def _reviews(request: web.Request) -> web.Response:
    query, keys = read_query(request, ReviewQuery), scope_keys(caller_of(request))
    after, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    async with scoped(request) as (conn, _):
        rows = await camera_rulings.REVIEWS.all(conn, keys, query.judged, query.camera, after, last, query.limit)
        shown = await pictures_of_reviews(conn, [row.id for row in rows])
    cursor = write_cursor(rows[-1].opened_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[ReviewOut](items=[_review_out(row, pictures=shown[row.id]) for row in rows], next=cursor))


def _review_out(row: ReviewRow, **after: Any) -> ReviewOut:
    said = {"pictures": [], **vars(row), "cell": row.cell_code, "division": row.division_code, **after}
    return ReviewOut(**{name: said[name] for name in ReviewOut.__struct_fields__})


async def _judge(request: web.Request) -> web.Response:
    review_id, said, caller = path_id(request), await read_body(request, VerdictIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        review = await judge_review(conn, review_id, said.verdict, said.category, caller.id, scope_keys(caller), now)
        counted = await camera_rulings.VERDICTS.one(conn, review.camera, review.kind)
        assert counted is not None  # noqa: S101 - one row by construction
        chosen = said.category or review.category
        shown = await pictures_of_reviews(conn, [review.id])
        judged = _review_out(
            review, verdict=said.verdict, verdict_by=caller.id, verdict_at=now, category=chosen,
            pictures=shown[review.id],
        )  # fmt: skip
        share = precision(counted.seen_real, counted.seen_false)
        return Answer(VerdictOut(judged, counted.seen_real, counted.seen_false, share))

    return await write(request, work)


# -- mutes -------------------------------------------------------------------------------------------


class MuteOut(Told):
    """A camera of whose kind nothing comes, because it was wrong too often; until somebody lifts it."""

    id: UUID
    camera: str
    kind: str
    seen_real: int
    seen_false: int
    muted_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None


class MuteQuery(Wanted):
    """Those that stand; `lifted`: those that were lifted."""

    lifted: bool = False
    limit: _Limit = 100
    cursor: _Cursor | None = None


async def _mutes(request: web.Request) -> web.Response:
    query = read_query(request, MuteQuery)
    after, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    async with scoped(request) as (conn, _):
        rows = await camera_rulings.MUTES.all(conn, not query.lifted, after, last, query.limit)
    cursor = write_cursor(rows[-1].muted_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[MuteOut](items=[_mute_out(row) for row in rows], next=cursor))


def _mute_out(row: MuteRow, **after: Any) -> MuteOut:
    return MuteOut(**{**vars(row), **after})


async def _lift(request: web.Request) -> web.Response:
    mute_id, caller = path_id(request), caller_of(request)
    await read_body(request, Wanted)

    async def work(conn: Conn, now: datetime) -> Answer:
        row = await camera_rulings.LOCK_MUTE.one(conn, mute_id)
        if row is None:
            raise Unknown("there is no such mute", given=str(mute_id))
        if row.lifted_at is not None:
            raise WrongMoment(f"{row.lifted_by} has lifted it already", lifted_at=row.lifted_at.isoformat())
        await camera_rulings.LIFT_MUTE.run(conn, mute_id, now, caller.id)
        return Answer(_mute_out(row, lifted_at=now, lifted_by=caller.id))

    return await write(request, work)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/camera-silences", handler=_silences, roles=DESK, query=SilenceQuery,
        answers=Page[SilenceOut],
        summary="Silences: of which camera events nothing shall come, who said so, why, until when.",
    ),
    Route(
        method="POST", path="/api/v1/camera-silences", handler=_silence, roles=RULERS, reads=SilenceIn,
        answers=SilenceOut, statuses=(201,), idempotent=True,
        summary="Let nothing come of matching camera events for a time; each keeps its row and its reason.",
    ),
    Route(
        method="POST", path="/api/v1/camera-silences/{id}/expire", handler=_expire, roles=RULERS, reads=Wanted,
        answers=SilenceOut, statuses=(200, 404), idempotent=True,
        summary="End a silence now.",
    ),
    Route(
        method="GET", path="/api/v1/camera-reviews", handler=_reviews, roles=DESK, query=ReviewQuery,
        answers=Page[ReviewOut],
        summary="What cameras saw and a person is to judge, the longest wait first.",
    ),
    Route(
        method="POST", path="/api/v1/camera-reviews/{id}/verdict", handler=_judge, roles=REVIEWERS, reads=VerdictIn,
        answers=VerdictOut, statuses=(200, 404, 422), idempotent=True,
        summary="Judge it: real, false or a duplicate; verdicts count for the camera's precision.",
    ),
    Route(
        method="GET", path="/api/v1/camera-mutes", handler=_mutes, roles=DESK, query=MuteQuery,
        answers=Page[MuteOut],
        summary="Cameras muted because they were wrong too often.",
    ),
    Route(
        method="POST", path="/api/v1/camera-mutes/{id}/lift", handler=_lift, roles=RULERS, reads=Wanted,
        answers=MuteOut, statuses=(200, 404), idempotent=True,
        summary="Let a muted camera speak again; its verdicts count anew.",
    ),
)  # fmt: skip
