"""Give out what a program signs its camera events with: a new secret, alone or beside the one that it replaces."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events.intake.signature import SECRET_PREFIX
from gridsvc.db import Conn
from gridsvc.errors import Refused, Unknown
from gridsvc.ids import new_id
from gridsvc.sealing import Sealer
from gridsvc.store import api_keys, signing_secrets

MOST_IN_FORCE: Final = 2
_BYTES: Final = 32


async def give_secret(
    conn: Conn, key_id: UUID, sealer: Sealer, actor: str, now: datetime, *, grace: timedelta | None = None
) -> tuple[UUID, str]:
    """A new secret of a key: its id, and `whsec_…`, which is told this once. In the caller's transaction.

    `grace`: how long those before it stay good beside it (None: as long as they were). Raises Unknown where there is
    no such key, Refused where two are in force already.
    """
    if await api_keys.NAMED.one(conn, key_id) is None:
        raise Unknown(f"no key {key_id} that is active; gridsvc user list shows them", given=str(key_id))
    in_force = await signing_secrets.IN_FORCE.all(conn, key_id, now)
    if len(in_force) >= MOST_IN_FORCE:
        raise Refused(
            f"{len(in_force)} secrets of this key are in force; revoke the older one: {in_force[-1].id}",
            given=str(in_force[-1].id),
        )
    if grace is not None:
        await signing_secrets.END_BY.run(conn, key_id, now + grace)
    secret_id, secret = new_id(), secrets.token_bytes(_BYTES)
    await signing_secrets.ADD.run(conn, secret_id, key_id, sealer.seal(secret, purpose_of(secret_id)), now, actor)
    return secret_id, SECRET_PREFIX + base64.b64encode(secret).decode()


async def secrets_in_force(conn: Conn, key_id: UUID, sealer: Sealer, now: datetime) -> list[bytes]:
    """What a key's requests may be signed with at this moment. Raises CannotUnseal."""
    rows = await signing_secrets.IN_FORCE.all(conn, key_id, now)
    return [sealer.unseal(row.sealed, purpose_of(row.id)) for row in rows]


def purpose_of(secret_id: UUID) -> str:
    """What a secret is sealed for: its own row."""
    return f"signing secret {secret_id}"
