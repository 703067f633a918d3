"""A phone subscribes to Web Push: for the session that it is signed in with, and for no longer (手机推送)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.camera_picture import Host
from gridsvc.domain.pushing import host_of
from gridsvc.errors import BadRequest, Unknown
from gridsvc.sealing import Sealer
from gridsvc.store import pushes
from gridsvc.store.pushes import PURPOSE_OF_KEY, purpose_of_phone
from gridsvc.webpush import Browser, fault_of_keys, private_key, public_bytes, read, written


async def public_key(conn: Conn, sealer: Sealer) -> str | None:
    """The instance's public key as browsers want it; None: the city has no push. As the service."""
    kept = await pushes.KEY.one(conn)
    if kept is None:
        return None
    return written(public_bytes(private_key(sealer.unseal(kept.secret_sealed, PURPOSE_OF_KEY))))


def browser_of(endpoint: str, p256dh: str, auth: str, private: Sequence[Host]) -> Browser:
    """What a browser said of itself. Raises BadRequest where that is no push service, or these are no keys."""
    if host_of(endpoint, private) is None:
        raise BadRequest(
            "no push service may lie there", field="endpoint", given=endpoint[:200],
            wanted="https:// at a public host, or a host of GRIDSVC_PUSH_HOSTS",
        )  # fmt: skip
    point, shared = read(p256dh), read(auth)
    fault = "p256dh or auth is no base64url" if point is None or shared is None else fault_of_keys(point, shared)
    if point is None or shared is None or fault is not None:
        raise BadRequest(fault or "", field="keys", wanted="p256dh and auth as PushSubscription.toJSON() has them")
    return Browser(endpoint, point, shared)


async def subscribe_phone(
    conn: Conn, session_id: UUID, user_id: UUID, browser: Browser, sealer: Sealer, now: datetime
) -> None:
    """Keep where this session's phone is reached; another address of it is replaced, twice changes nothing.

    Whoever had the same browser before is not reached there any more. Raises Unknown where the city has no push.
    """
    if await public_key(conn, sealer) is None:
        raise Unknown("this city has no push; want gridsvc channels push", channel="push")
    digest = hashlib.sha256(browser.endpoint.encode()).digest()
    kept = {"endpoint": browser.endpoint, "p256dh": browser.p256dh.hex(), "auth": browser.auth.hex()}
    await pushes.TAKE_OVER.run(conn, digest, session_id)
    sealed = sealer.seal(json.dumps(kept).encode(), purpose_of_phone(session_id))
    await pushes.PUT.run(conn, session_id, user_id, digest, sealed, now)
