"""Web Push: one message for each phone of a person, sealed for it, sent outside of any transaction.

A phone names its own push service, so where that may lie is looked at each time: public addresses by https, or what
the city has named. No redirect is followed, and of the answer only the status and Retry-After are read.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, DummyCookieJar
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from yarl import URL

from gridsvc.db import Conn
from gridsvc.domain.camera_picture import Host
from gridsvc.domain.pushing import CODE, KEPT_FOR, Answer, host_of, outcome_of, said_of, wait_until
from gridsvc.domain.reaching import Outcome
from gridsvc.errors import CannotUnseal
from gridsvc.sealing import Sealer
from gridsvc.store import pushes
from gridsvc.store.channels import Try
from gridsvc.store.pushes import PURPOSE_OF_KEY, Phone, purpose_of_phone
from gridsvc.webpush import Browser, private_key, sealed_for, signed
from workers.fetch import AddressRefused, connector_to

log = logging.getLogger(__name__)

_WITHIN_S: Final = 10.0  # well below the lease of a try

Phones = Sequence[Phone]


@dataclass(frozen=True)
class Pushing:
    """What it takes to push: the instance's secrets, private push services, and who answers for us."""

    sealer: Sealer | None
    hosts: Sequence[Host]
    contact: str


async def phones_of(conn: Conn, claimed: Sequence[Try], now: datetime) -> Mapping[UUID, Phones]:
    """The phones of those among `claimed` who are to be pushed; no round trip where nobody is."""
    people = sorted({each.user_id for each in claimed if each.channel == CODE and each.unheard})
    found: dict[UUID, list[Phone]] = {}
    for phone in await pushes.OF_PEOPLE.all(conn, people, now) if people else ():
        found.setdefault(phone.user_id, []).append(phone)
    return found


async def forget_phones(conn: Conn, gone: Phones) -> None:
    """Their push service says that they take nothing any more."""
    for phone in gone:
        await pushes.FORGET.run(conn, phone.session_id, phone.endpoint_hash)


async def push(pushing: Pushing, each: Try, phones: Phones, now: datetime) -> tuple[Outcome, Phones]:
    """Send a try to all phones side by side; what became of it, and which of them are gone."""
    if not phones:
        return Outcome(said="acknowledged, or no phone", hopeless=True), ()
    answers = await asyncio.gather(*(_ask(pushing, each, phone, now) for phone in phones))
    return outcome_of(answers), [phone for phone, answer in zip(phones, answers, strict=True) if answer.gone]


async def _ask(pushing: Pushing, each: Try, phone: Phone, now: datetime) -> Answer:
    try:
        key, browser = _opened(pushing.sealer, each, phone)
    except CannotUnseal:
        log.error("a channel's secret opens no more", extra={"action": "channel_sealed", "code": each.channel})
        return Answer(said="cannot be unsealed", refused=True)
    host = host_of(browser.endpoint, pushing.hosts)
    connector = connector_to(host) if host is not None else None
    if connector is None:
        return _REFUSED
    headers = {
        "Authorization": signed(key, browser.endpoint, pushing.contact, now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(KEPT_FOR.total_seconds())),
        "Urgency": "high",
        "Topic": each.notice_id.hex,  # the same again takes the place of what still waits (RFC 8030, 5.4)
    }
    body = sealed_for(browser, said_of(each.kind, each.notice_id))
    try:
        async with (
            ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False,
                timeout=ClientTimeout(total=_WITHIN_S), headers=headers,
            ) as session,
            session.post(URL(browser.endpoint, encoded=True), data=body, allow_redirects=False) as answer,
        ):  # fmt: skip
            return Answer(status=answer.status, wait_until=wait_until(answer.headers.get("Retry-After"), now))
    except ClientConnectorError as error:
        return _REFUSED if isinstance(error.os_error, AddressRefused) else Answer(said=type(error).__name__)
    except (ClientError, OSError, TimeoutError, ValueError) as error:
        return Answer(said=type(error).__name__)


def _opened(sealer: Sealer | None, each: Try, phone: Phone) -> tuple[EllipticCurvePrivateKey, Browser]:
    if sealer is None or each.secret_sealed is None:
        raise CannotUnseal("no secret to open the key of push with", purpose=PURPOSE_OF_KEY)
    key = private_key(sealer.unseal(each.secret_sealed, PURPOSE_OF_KEY))
    kept = json.loads(sealer.unseal(phone.sealed, purpose_of_phone(phone.session_id)))
    return key, Browser(kept["endpoint"], bytes.fromhex(kept["p256dh"]), bytes.fromhex(kept["auth"]))


_REFUSED: Final = Answer(said="address_refused", refused=True)
"""It lies where no push service may lie: asking again changes nothing."""
