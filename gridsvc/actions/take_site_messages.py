"""What sites publish over MQTT is taken in: whose it is by its topic, which the broker lets nobody else write to."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from events.intake import frigate
from events.intake.camera_event import Refused
from gridsvc.actions.quarantine_message import Message, quarantine_message
from gridsvc.actions.take_errands import Errand, errand_of, of_its_camera, take_errands
from gridsvc.db import Conn
from gridsvc.store import camera_tokens, intake_counts, mqtt_sites
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.mqtt_sites import Site

log = logging.getLogger(__name__)

WAY: Final = "mqtt"
STRANGER: Final = "unknown_site"
GIVEN_UP: Final = "given_up"

_NO_TOKEN: Final = UUID(int=0)


@dataclass(frozen=True)
class SiteMessage:
    """One message, by the routing key that the broker made of its topic."""

    key: str
    body: bytes

    @property
    def site(self) -> str:
        """The first word of the topic."""
        return self.key.partition(".")[0]

    @property
    def topic(self) -> str:
        """The topic as it was published to."""
        return self.key.replace(".", "/")


async def take_site_messages(conn: Conn, messages: Sequence[SiteMessage], now: datetime) -> None:
    """Take in all of these in the caller's transaction.

    What cannot be read is put into quarantine. What comes below the name of no site that stands is counted and not
    kept: the broker should have refused it.
    """
    sites = {each.name: each for each in await mqtt_sites.STANDING.all(conn, sorted({m.site for m in messages}))}
    names = await _names(conn, sites)
    outcomes: Counter[str] = Counter()
    errands = []
    for message in messages:
        site = sites.get(message.site)
        if site is None:
            outcomes[STRANGER] += 1
            errands.append(Errand([], Counter({("", "rejected", STRANGER): 1})))
            continue
        errand, unread = _errand_of(message, site, names[site.name])
        outcomes["unread" if unread else "taken"] += 1
        errands.append(errand)
    if outcomes[STRANGER]:
        log.warning("messages of no site", extra={"action": "mqtt_stranger", "messages": outcomes[STRANGER]})
    await take_errands(conn, errands, now)
    heard = Counter(message.site for message in messages if message.site in sites)
    if heard:
        await mqtt_sites.HEARD.run(conn, sorted(heard), [heard[name] for name in sorted(heard)], now)
    await intake_counts.count(conn, WAY, outcomes)


async def keep_apart(conn: Conn, message: SiteMessage, code: str, says: str, now: datetime) -> None:
    """Put a message that could not be taken in into quarantine, from where a person replays it."""
    site = await mqtt_sites.STANDING.one(conn, [message.site])
    cameras = site.cameras if site is not None else []
    await quarantine_message(
        conn, _as_kept(message, cameras), Refused(protocol=frigate.PROTOCOL, code=code, says=says), now
    )
    await intake_counts.count(conn, WAY, {code: 1})


def _errand_of(message: SiteMessage, site: Site, names: Sequence[Named]) -> tuple[Errand, list[Refused]]:
    admitted = Admitted(_NO_TOKEN, frigate.PROTOCOL, site.cameras)
    items = [of_its_camera(item, admitted, names) for item in frigate.parse(message.body)]
    return errand_of(items, admitted, _as_kept(message, site.cameras), f"mqtt:{site.name}")


def _as_kept(message: SiteMessage, cameras: Sequence[str]) -> Message:
    return Message(
        protocol=frigate.PROTOCOL, token_id=None, cameras=list(cameras), peer="mqtt", content_type="",
        headers={"topic": message.topic}, body=message.body,
    )  # fmt: skip


async def _names(conn: Conn, sites: dict[str, Site]) -> dict[str, list[Named]]:
    """What the devices of each site call themselves, where it speaks for several."""
    of_several = {camera: name for name, each in sites.items() if len(each.cameras) > 1 for camera in each.cameras}
    found: dict[str, list[Named]] = defaultdict(list)
    if of_several:
        owned = await camera_tokens.NAMES.all(conn, sorted(of_several))
        for name, site in sites.items():
            found[name] = [each for each in owned if each.camera in site.cameras]
    return found
