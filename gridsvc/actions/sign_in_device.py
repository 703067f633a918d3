"""A device of GA/T 1400 proves by digest that it knows its secret, and registers or unregisters."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from events.intake import digest
from events.intake.digest import Answer
from events.intake.nonce import born_at
from gridsvc.actions.give_account import REALM, purpose_of
from gridsvc.actions.watch_cameras import hear_cameras
from gridsvc.db import Conn
from gridsvc.sealing import Sealer
from gridsvc.store import viid_accounts
from gridsvc.store.viid_accounts import Account

log = logging.getLogger(__name__)

NONCE: Final = timedelta(minutes=5)
"""How long a challenge may be answered."""

_WITHOUT_COUNT: Final = 2**32
"""The count of an answer without one (RFC 2617, 3.2.2): after it nothing counts, so such a nonce is good once."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came: as which device, what it answers to a challenge (None: nothing), to which request, from where."""

    device: str | None
    answer: Answer | None
    method: str
    uri: str
    peer: str


@dataclass(frozen=True, repr=False, kw_only=True)
class Keys:
    """What challenges are signed with, and what secrets are sealed with. No repr: keys must never reach a log."""

    nonces: bytes
    sealer: Sealer


@dataclass(frozen=True)
class Challenged:
    """It has not proven anything. `stale`: only its nonce is used up or too old, so the same secret may be tried."""

    why: str
    stale: bool = False


async def register_device(conn: Conn, attempt: Attempt, keys: Keys, now: datetime) -> Account | Challenged:
    """Let a device in that proves its secret: known from now on, from its address, until it is silent for too long.

    Its cameras are heard, but for those that it reports to be offline.
    """
    account = await _proven(conn, attempt, keys, now)
    if isinstance(account, Challenged):
        return _told(account, attempt)
    await viid_accounts.REGISTER.run(conn, account.id, now, attempt.peer)
    await hear_cameras(conn, [row.camera for row in await viid_accounts.THERE.all(conn, account.id)], now)
    log.info("a device registered", extra={"action": "device_registered", "account_id": str(account.id)})
    return account


async def unregister_device(conn: Conn, attempt: Attempt, keys: Keys, now: datetime) -> Account | Challenged:
    """Let a device go that proves its secret: what it sends afterwards is not taken in. Twice does no harm."""
    account = await _proven(conn, attempt, keys, now)
    if isinstance(account, Challenged):
        return _told(account, attempt)
    await viid_accounts.UNREGISTER.run(conn, account.id)
    log.info("a device unregistered", extra={"action": "device_unregistered", "account_id": str(account.id)})
    return account


async def _proven(conn: Conn, attempt: Attempt, keys: Keys, now: datetime) -> Account | Challenged:
    answer = attempt.answer
    if answer is None or attempt.device is None:
        return Challenged("no_answer")
    born = born_at(keys.nonces, answer.nonce)
    if born is None or answer.realm != REALM or not _same_place(answer.uri, attempt.uri):
        return Challenged("not_ours")
    account = await viid_accounts.BY_DEVICE.one(conn, attempt.device, attempt.peer)
    if account is None or account.username != answer.username:
        return Challenged("unknown_device")
    sealed = [each for each in (account.secret, account.old_secret) if each is not None]
    if not any(digest.proves(answer, attempt.method, _opened(keys, account.id, each)) for each in sealed):
        return Challenged("wrong_secret")
    if born < now - NONCE or not await _use_up(conn, answer, born):
        return Challenged("used_up", stale=True)
    await viid_accounts.FORGET_NONCES.run(conn, now)
    return account


def _opened(keys: Keys, account_id: UUID, sealed: bytes) -> str:
    return keys.sealer.unseal(sealed, purpose_of(account_id)).decode()


async def _use_up(conn: Conn, answer: Answer, born: datetime) -> bool:
    try:
        count = int(answer.nc, 16) if answer.qop else _WITHOUT_COUNT
    except ValueError:
        return False
    return 0 < count <= _WITHOUT_COUNT and await viid_accounts.use_nonce(conn, answer.nonce, count, born + NONCE)


def _same_place(said: str, asked: str) -> bool:
    """Whether an answer is for this request; devices write the path alone, or the whole address."""
    if not said.lower().startswith(("http://", "https://")):
        return said == asked
    try:
        parts = urlsplit(said)
    except ValueError:
        return False
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) == asked


def _told(refused: Challenged, attempt: Attempt) -> Challenged:
    if attempt.answer is not None:  # the first request of every device has none
        log.warning("a device could not sign in", extra={"action": "device_refused", "code": refused.why})
    return refused
