"""A message that cannot be read is kept as it came, until somebody has mended the reader and replays it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from events.intake.camera_event import Refused
from gridsvc.db import Conn
from gridsvc.ids import new_id
from gridsvc.store import camera_quarantine

log = logging.getLogger(__name__)

MOST_BYTES: Final = 262_144
"""What is kept of a message; the rest is counted."""

_SECRET: Final = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization", "webhook-signature"})


@dataclass(frozen=True, kw_only=True)
class Message:
    """What came, from where, and by which token (None: by a key).

    `came` is how many bytes came, where some were taken out of `body` before.
    """

    protocol: str
    token_id: UUID | None
    cameras: list[str]
    peer: str
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    came: int = 0


async def quarantine_message(conn: Conn, message: Message, refused: Refused, now: datetime) -> UUID:
    """Keep `message` with the reason; its id. Secrets of its headers are not kept."""
    kept = new_id()
    headers = {name: value[:1_000] for name, value in message.headers.items() if name.lower() not in _SECRET}
    await camera_quarantine.ADD.run(
        conn, kept, now, message.protocol, message.token_id, message.cameras, message.peer, message.content_type,
        headers, message.body[:MOST_BYTES], max(message.came, len(message.body)), refused.code, refused.says[:1_000],
    )  # fmt: skip
    log.warning(
        "a message could not be read",
        extra={
            "action": "camera_quarantined", "message_id": str(kept), "protocol": message.protocol,
            "code": refused.code,
        },
    )  # fmt: skip
    return kept
