"""A person has looked at what a camera said: it is real, false, or known already.

What is real goes the way of all that cameras see; verdicts count for how far the camera is trusted, and one that was
wrong too often is muted, which its administrators are told.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from events.storm import Rules, Why, at_place, to_be_muted
from gridsvc.db import Conn, act_as_service
from gridsvc.errors import BadRequest, Unknown, WrongMoment
from gridsvc.ids import new_id
from gridsvc.store import camera_events, camera_incidents, camera_meters, camera_rulings, hearers, notices
from gridsvc.store.camera_incidents import Touch
from gridsvc.store.camera_rulings import ReviewRow
from gridsvc.store.rulebook import rulebook

log = logging.getLogger(__name__)

VERDICTS: Final = ("real", "false", "duplicate")

MUTED: Final = "camera.muted"
"""The kind of notice that tells administrators of a mute."""


async def judge_review(
    conn: Conn, review_id: UUID, verdict: str, category: str | None, who: str, keys: list[str], now: datetime
) -> ReviewRow:
    """Keep the verdict and let it have its effect; the review as it was. In a transaction under the caller's scope.

    `category` is needed for what is real and stands in no label map. Raises Unknown for a review that is not in the
    caller's sight, WrongMoment for one that somebody has judged, UnknownCategory.
    """
    review = await camera_rulings.LOCK_REVIEW.one(conn, review_id, keys)
    if review is None:
        raise Unknown("there is no such review", given=str(review_id))
    if review.verdict is not None:
        raise WrongMoment(f"{review.verdict_by} has judged it {review.verdict} already", verdict=review.verdict)
    await act_as_service(conn)
    rules = await camera_meters.rules(conn)
    chosen = category or review.category
    await camera_rulings.JUDGE.run(conn, review_id, verdict, who, now, chosen)
    if verdict == "real":
        await _goes_on(conn, review, chosen, now)
    else:
        why = Why.FALSE if verdict == "false" else Why.SEEN_TWICE
        await camera_events.JUDGED.run(conn, review_id, "suppressed", str(why), None)
    await _mute_where_wrong(conn, review, rules, now)
    return review


async def _goes_on(conn: Conn, review: ReviewRow, chosen: str | None, now: datetime) -> None:
    """Its events wait with their incident, which is due at once: somebody has looked."""
    if chosen is None:
        raise BadRequest(
            "category: this label stands in no map; want the category that it is",
            field="category", given=None, wanted="a code of GET /api/v1/categories",
        )  # fmt: skip
    category = (await rulebook(conn)).category(chosen)
    touch = Touch(
        id=new_id(), group_key=at_place(review.cell_code, category.code), camera=review.camera,
        edition=category.edition, category=category.code, cell_code=review.cell_code, lon=review.lon, lat=review.lat,
        first_at=review.first_at, last_at=review.last_at, due_at=now,
    )  # fmt: skip
    [incident] = (await camera_incidents.touch(conn, [touch], now)).values()
    await camera_events.JUDGED.run(conn, review.id, None, "", incident.id)
    await camera_incidents.due_now(conn, [incident.id], now)


async def _mute_where_wrong(conn: Conn, review: ReviewRow, rules: Rules, now: datetime) -> None:
    said = await camera_rulings.VERDICTS.one(conn, review.camera, review.kind)
    if said is None or not to_be_muted(said.seen_real, said.seen_false, rules):
        return
    muted = await camera_rulings.ADD_MUTE.one(
        conn, new_id(), review.camera, review.kind, said.seen_real, said.seen_false, now
    )
    if muted is None:  # it is already
        return
    log.warning("a camera is muted", extra={"action": "camera_muted", "camera": review.camera})
    body = {
        "camera": review.camera, "kind": review.kind, "real": said.seen_real, "false": said.seen_false,
        "at": now.isoformat(),
    }  # fmt: skip
    message = notices.Message(event_id=muted.id, case_id=None, kind=MUTED, body=body)
    admins = await hearers.admins(conn)
    await notices.keep(conn, message, {admin: uuid5(muted.id, f"{admin}/{MUTED}") for admin in admins}, now)
