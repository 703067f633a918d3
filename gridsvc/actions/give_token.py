"""Give out the secret that a device posts with."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.errors import Refused, Unknown
from gridsvc.ids import new_id
from gridsvc.store import camera_mappings, camera_tokens, cameras


async def give_token(
    conn: Conn, codes: Sequence[str], protocol: str, label: str, actor: str, now: datetime, *,
    networks: Sequence[str] = (), expires_at: datetime | None = None, mapping: str | None = None,
) -> tuple[UUID, str]:  # fmt: skip
    """A new token for these cameras: its id, and the secret, which is told this once.

    Of the secret only its SHA-256 is kept: 192 bits of chance need no salt. It has 32 characters, since devices
    take addresses of 128. Raises Unknown where one of the cameras is not in the registry, or no version of the mapping
    is in force; Refused where a token of `mapped` names no mapping, or another one does.
    """
    if (protocol == "mapped") != (mapping is not None):
        raise Refused(f"a token of {protocol} with the mapping {mapping!r}; want one for mapped, and for mapped alone")
    if mapping is not None and await camera_mappings.IN_FORCE.one(conn, mapping) is None:
        raise Unknown(f"no version of the mapping {mapping} is published", given=mapping)
    missing = sorted(set(codes) - set(await cameras.current(conn, codes)))
    if missing:
        raise Unknown(f"no camera {missing[0]} in the registry", given=missing[0])
    secret, token_id = secrets.token_urlsafe(24), new_id()
    token = camera_tokens.Token(
        id=token_id, digest=hashlib.sha256(secret.encode()).digest(), label=label, protocol=protocol,
        cameras=sorted(set(codes)), networks=networks, expires_at=expires_at, mapping=mapping,
    )  # fmt: skip
    await camera_tokens.add(conn, token, actor, now)
    return token_id, secret
