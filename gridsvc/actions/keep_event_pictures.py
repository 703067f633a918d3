"""Pictures that came with camera events are kept as they came, in the commit of their events; others look at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from events.intake.camera_event import Snapshot
from gridsvc.db import Conn
from gridsvc.domain.camera_picture import Host, Room, take_in, whole_url
from gridsvc.ids import new_id
from gridsvc.store import camera_gateways, camera_pictures
from gridsvc.store.camera_events import NewEvent
from gridsvc.store.camera_pictures import NewPicture, PictureCount

_HOUR: Final = timedelta(hours=1)


async def keep_event_pictures(conn: Conn, shown: Sequence[tuple[NewEvent, Sequence[Snapshot]]], now: datetime) -> None:
    """Keep what these new events show, within the rules; what is not taken in is counted with its reason.

    In the caller's transaction, which holds the meters of the cameras: two cannot fill the same room.
    """
    if not shown:
        return
    rules = await camera_pictures.rules(conn)
    addressed = any(picture.data is None for _, pictures in shown for picture in pictures)
    hosts = await camera_gateways.listed_hosts(conn) if addressed else []
    codes = sorted({event.camera for event, _ in shown})
    taken = {row.camera: row.pictures for row in await camera_pictures.TAKEN.all(conn, codes, now - _HOUR)}
    room = Room(taken=taken, waiting_bytes=await camera_pictures.waiting_bytes(conn))

    kept: list[NewPicture] = []
    counted: Counter[PictureCount] = Counter()
    for event, pictures in shown:
        whole = [_new(event, number, picture, hosts, now) for number, picture in enumerate(pictures)]
        sizes = [None if each is None else len(each.content) for each in whole]
        for each, why in zip(whole, take_in(event.camera, sizes, room, rules.limits), strict=True):
            counted[event.camera, now, "received", ""] += 1
            if why is not None:
                counted[event.camera, now, "dropped", why] += 1
            elif each is not None:
                kept.append(each)
    await camera_pictures.add(conn, kept, now)
    await camera_pictures.count(conn, counted)


def _new(event: NewEvent, number: int, picture: Snapshot, hosts: Sequence[Host], now: datetime) -> NewPicture | None:
    """The picture as it waits; None for an address that nobody may ask."""
    if picture.data is not None:
        return NewPicture(
            id=new_id(), camera=event.camera, event_id=event.id, event_at=now, number=number, came_as="sent",
            content=picture.data,
        )  # fmt: skip
    found = whole_url(picture.url or "", event.camera, hosts)
    if found is None:
        return None
    url, host = found
    return NewPicture(
        id=new_id(), camera=event.camera, event_id=event.id, event_at=now, number=number, came_as="address", url=url,
        host=host.code,
    )  # fmt: skip
