"""Notices that go on to gateways (SMS, WeCom …) and phones: taken by row, sent outside of any transaction, and kept.

Whoever dies between sending and keeping leaves a row whose lease ends; it is sent again with the same
Idempotency-Key, by which the gateway knows it. So one try is one row, and one message at a gateway that keeps keys.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from events.intake.signature import sign
from gridsvc.actions.reach_people import claim_tries, go_on, settle_try
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.pushing import CODE as PUSH
from gridsvc.domain.pushing import private_hosts
from gridsvc.domain.reaching import Outcome, fields_of, rendered
from gridsvc.errors import CannotUnseal
from gridsvc.sealing import Sealer
from gridsvc.settings import PushSettings
from gridsvc.store.channels import Try
from workers.push import Phones, Pushing, forget_phones, phones_of, push
from workers.runtime import periodically

log = logging.getLogger(__name__)

REACH_SECONDS: Final = 1.0
AT_ONCE: Final = 50  # notices of one transaction, and requests under way at once
WITHIN_S: Final = 10.0  # well below the lease of a try
_PUBLIC: Final = PushSettings()


def purpose_of_headers(channel: str) -> str:
    """What the headers of a channel are sealed for."""
    return f"channel headers {channel}"


def purpose_of_secret(channel: str) -> str:
    """What the secret that signs for a channel is sealed for."""
    return f"channel secret {channel}"


def purpose_of_address(channel: str, user_id: UUID) -> str:
    """What a person's address in a channel is sealed for."""
    return f"channel address {channel} {user_id}"


async def reach_round(pool: ConnPool, sealer: Sealer | None, settings: PushSettings = _PUBLIC) -> int:
    """Let notices go on whose time has come, then send what is due; return how many tries were sent."""
    pushing = Pushing(sealer, private_hosts(settings.private), settings.contact)
    full = True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            full = await go_on(conn, now, AT_ONCE) >= AT_ONCE
    sent, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            claimed = await claim_tries(conn, now, AT_ONCE)
            phones = await phones_of(conn, claimed, now)
        if not claimed:
            break
        full = len(claimed) >= AT_ONCE
        sent += len(claimed)
        sent_now = await send_all(claimed, phones, sealer, pushing, now)
        for each, (outcome, gone) in zip(claimed, sent_now, strict=True):
            async with transaction(pool, SERVICE) as (conn, at):
                await forget_phones(conn, gone)
                await settle_try(conn, each, outcome, at)
        failed = sum(not outcome.good for outcome, _ in sent_now)
        log.info("notices went on", extra={"action": "notices_sent", "notices": len(claimed), "errors": failed})
    return sent


async def send_all(
    claimed: list[Try], phones: Mapping[UUID, Phones], sealer: Sealer | None, pushing: Pushing, now: datetime
) -> list[tuple[Outcome, Phones]]:
    """Send these side by side; what became of each, and which phones take nothing any more, in their order."""
    async with ClientSession(
        cookie_jar=DummyCookieJar(), trust_env=False, timeout=ClientTimeout(total=WITHIN_S), auto_decompress=False
    ) as session:

        async def one(each: Try) -> tuple[Outcome, Phones]:
            if each.channel == PUSH:
                return await push(pushing, each, phones.get(each.user_id, ()), now)
            return await _send(session, each, sealer, now), ()

        return list(await asyncio.gather(*map(one, claimed)))


async def _send(session: ClientSession, each: Try, sealer: Sealer | None, now: datetime) -> Outcome:
    if each.address_sealed is None:
        return Outcome(said="acknowledged, or no address", hopeless=True)
    try:
        body, headers = _request(each, sealer, now)
    except CannotUnseal:
        log.error("a channel's secret opens no more", extra={"action": "channel_sealed", "code": each.channel})
        return Outcome(said="cannot be unsealed", hopeless=True)
    try:
        async with session.post(each.url, data=body, headers=headers, allow_redirects=False) as answer:
            status = answer.status
    except (ClientError, OSError, TimeoutError) as error:
        return Outcome(said=type(error).__name__)
    # 409: it knows the key, and had the message before. What it understood and refuses, it refuses again.
    return Outcome(
        said=str(status),
        good=200 <= status < 300 or status == 409,
        hopeless=400 <= status < 500 and status not in _LATER,
    )


_LATER: Final = frozenset({401, 403, 404, 408, 409, 425, 429})
"""Refusals that a gateway mends, or its operator; the message itself is not at fault."""


def _request(each: Try, sealer: Sealer | None, now: datetime) -> tuple[bytes, Mapping[str, str]]:
    address = _open(sealer, each.address_sealed, purpose_of_address(each.channel, each.user_id)).decode()
    fields = fields_of(each.kind, each.body, str(each.notice_id), address)
    body = json.dumps(rendered(json.loads(each.template), fields), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(each.id)}
    if each.headers_sealed is not None:
        headers |= json.loads(_open(sealer, each.headers_sealed, purpose_of_headers(each.channel)))
    if each.secret_sealed is not None:
        secret = _open(sealer, each.secret_sealed, purpose_of_secret(each.channel))
        at = int(now.timestamp())
        headers |= {
            "webhook-id": str(each.id),
            "webhook-timestamp": str(at),
            "webhook-signature": sign(secret, str(each.id), at, body),
        }
    return body, headers


def _open(sealer: Sealer | None, sealed: bytes | None, purpose: str) -> bytes:
    if sealer is None or sealed is None:
        raise CannotUnseal(f"no secret to open {purpose} with", purpose=purpose)
    return sealer.unseal(sealed, purpose)


async def reach(pool: ConnPool, sealer: Sealer | None, stop: asyncio.Event, settings: PushSettings = _PUBLIC) -> None:
    """Let notices go on until `stop`."""

    async def turn() -> int:
        return await reach_round(pool, sealer, settings)

    await periodically("channels", REACH_SECONDS, turn, stop)
