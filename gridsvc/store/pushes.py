"""The phones that take Web Push: one row per session, sealed, and gone with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from gridsvc.db import Nothing, Statement

# Another session of the same browser takes the address over: whoever signs in last hears there.
TAKE_OVER = Statement(
    Nothing, "DELETE FROM push_subscriptions WHERE endpoint_hash = $1::bytea AND session_id <> $2::uuid"
)

PUT = Statement(
    Nothing,
    """
    INSERT INTO push_subscriptions (session_id, user_id, endpoint_hash, sealed, made_at)
    VALUES ($1::uuid, $2::uuid, $3::bytea, $4::bytea, $5::timestamptz)
        ON CONFLICT (session_id) DO UPDATE
       SET endpoint_hash = excluded.endpoint_hash, sealed = excluded.sealed, made_at = excluded.made_at
    """,
)

REMOVE = Statement(Nothing, "DELETE FROM push_subscriptions WHERE session_id = $1::uuid")


@dataclass(frozen=True)
class _Hash:
    endpoint_hash: bytes


OF_SESSION = Statement(_Hash, "SELECT endpoint_hash FROM push_subscriptions WHERE session_id = $1::uuid")


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A phone that takes Web Push; what is sealed is a Browser's."""

    session_id: UUID
    user_id: UUID
    endpoint_hash: bytes
    sealed: bytes


# Who was signed out there hears nothing there.
OF_PEOPLE = Statement(
    Phone,
    """
    SELECT p.session_id, p.user_id, p.endpoint_hash, p.sealed
      FROM push_subscriptions p
      JOIN sessions s ON s.id = p.session_id AND s.ended_at IS NULL AND s.expires_at > $2::timestamptz
     WHERE p.user_id = ANY ($1::uuid[])
     ORDER BY p.made_at, p.session_id
    """,
)

# Only the address that was asked: a new one of the same session may have come meanwhile.
FORGET = Statement(Nothing, "DELETE FROM push_subscriptions WHERE session_id = $1::uuid AND endpoint_hash = $2::bytea")


@dataclass(frozen=True)
class KeyRow:
    """The pair of keys of the instance: its private half, sealed."""

    secret_sealed: bytes


KEY = Statement(KeyRow, "SELECT secret_sealed FROM channels WHERE code = 'push'")

# A pair that is there stays: every phone has subscribed with it.
TURN_ON = Statement(
    Nothing,
    """
    INSERT INTO channels (code, place, url, template, secret_sealed)
    VALUES ('push', $1::integer, '', '{}', $2::bytea)
        ON CONFLICT (code) DO UPDATE SET place = excluded.place
    """,
)


PURPOSE_OF_KEY: Final = "channel secret push"
"""What the instance's private key is sealed for."""


def purpose_of_phone(session_id: UUID) -> str:
    """What a phone's address and keys are sealed for."""
    return f"push subscription {session_id}"
