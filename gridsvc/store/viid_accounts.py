"""The tables `viid_…`: what devices and platforms of GA/T 1400 sign in with, how they stand, what they report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.device_standing import Registration, Standing, standing_of
from gridsvc.store.camera_tokens import Named

PROTOCOL: Final = "gat1400"
"""By code of `camera_protocols`: how long a device may be silent is said there."""


@dataclass(frozen=True)
class Account:
    """An account that may be used now, with the secrets that are good (sealed), and how its device stands."""

    id: UUID
    device: str
    username: str
    secret: bytes
    old_secret: bytes | None
    cameras: list[str]
    registered_at: datetime | None
    registered_from: str | None
    heard_at: datetime | None
    silent_after_s: int | None
    peer: str  # who asks, spelled as registered_from is

    def standing(self, now: datetime) -> Standing:
        """How the device stands for a message from who asks."""
        registration = Registration(at=self.registered_at, peer=self.registered_from, heard_at=self.heard_at)
        return standing_of(registration, span(self.silent_after_s), now, self.peer)


def span(silent_after_s: int | None) -> timedelta | None:
    """How long a device may be silent, by `camera_protocols`; None: for ever."""
    return None if silent_after_s is None else timedelta(seconds=silent_after_s)


# $2 is the peer's address; an account without networks may be used from anywhere.
BY_DEVICE = Statement(
    Account,
    """
    SELECT v.id, v.device, v.username, v.secret,
           CASE WHEN v.old_until > city_now() THEN v.old_secret END AS old_secret,
           ARRAY(SELECT c.camera::text FROM viid_account_cameras c WHERE c.account_id = v.id ORDER BY c.camera)
             AS cameras,
           v.registered_at, host(v.registered_from) AS registered_from, v.heard_at, p.silent_after_s,
           host($2::text::inet) AS peer
      FROM viid_accounts v
           JOIN camera_protocols p ON p.code = 'gat1400'
     WHERE v.device = $1::text
       AND v.revoked_at IS NULL
       AND (v.expires_at IS NULL OR v.expires_at > city_now())
       AND (v.networks = '{}' OR $2::text::inet <<= ANY (v.networks))
    """,
)


# -- how it stands ---------------------------------------------------------------------------------

REGISTER = Statement(
    Nothing,
    """
    UPDATE viid_accounts
       SET registered_at = $2::timestamptz, registered_from = $3::text::inet, heard_at = $2::timestamptz
     WHERE id = $1::uuid
    """,
)

UNREGISTER = Statement(
    Nothing,
    "UPDATE viid_accounts SET registered_at = NULL, registered_from = NULL WHERE id = $1::uuid",
)

HEARD = Statement(
    Nothing,
    "UPDATE viid_accounts SET heard_at = $2::timestamptz WHERE id = $1::uuid AND heard_at < $2::timestamptz",
)


@dataclass(frozen=True)
class Camera:
    """A camera by its code."""

    camera: str


# Those that its platform does not report to be offline.
THERE = Statement(
    Camera, "SELECT camera FROM viid_account_cameras WHERE account_id = $1::uuid AND NOT away ORDER BY camera"
)


# Of a site with thousands of cameras only what a message names is read.
NAMES = Statement(
    Named,
    """
    SELECT n.camera, n.scheme, n.value
      FROM viid_account_cameras a
           JOIN camera_names n ON n.camera = a.camera
     WHERE a.account_id = $1::uuid
       AND n.value = ANY ($2::text[])
     ORDER BY n.camera, n.scheme, n.value
    """,
)


@dataclass(frozen=True)
class _Nonce:
    nonce: str


_USE_NONCE = Statement(
    _Nonce,
    """
    INSERT INTO viid_nonces AS n (nonce, last_count, expires_at)
    VALUES ($1::text, $2::bigint, $3::timestamptz)
        ON CONFLICT (nonce) DO UPDATE SET last_count = excluded.last_count
     WHERE n.last_count < excluded.last_count
    RETURNING nonce
    """,
)


async def use_nonce(conn: Conn, nonce: str, count: int, until: datetime) -> bool:
    """Use up a nonce to `count`; False where that count, or a later one, was used. Two at once: one of them."""
    return await _USE_NONCE.one(conn, nonce, count, until) is not None


FORGET_NONCES = Statement(
    Nothing,
    """
    DELETE FROM viid_nonces
     WHERE nonce IN (SELECT nonce FROM viid_nonces WHERE expires_at < $1::timestamptz LIMIT 100 FOR UPDATE SKIP LOCKED)
    """,
)


@dataclass(frozen=True)
class _Count:
    messages: int


# At most $3 are counted: more is never asked for.
_WAITING = Statement(
    _Count,
    """
    SELECT count(*)::integer AS messages
      FROM (SELECT FROM camera_quarantine
             WHERE token_id = $1::uuid AND code = $2::text AND replayed_at IS NULL
             LIMIT $3::integer) AS waiting
    """,
)


async def waiting(conn: Conn, account_id: UUID, code: str, most: int) -> int:
    """How many messages of an account wait in quarantine for this reason, up to `most`."""
    row = await _WAITING.one(conn, account_id, code, most)
    assert row is not None  # noqa: S101 - one row by construction
    return row.messages


# -- giving them out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Id:
    id: UUID


_ADD = Statement(
    _Id,
    """
    INSERT INTO viid_accounts (id, device, username, secret, label, networks, created_at, created_by, expires_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::bytea, $5::text, $6::text[]::cidr[], $7::timestamptz, $8::text,
            $9::timestamptz)
        ON CONFLICT (device) WHERE revoked_at IS NULL DO NOTHING
    RETURNING id
    """,
)

_SPEAKS_FOR = Statement(
    Nothing,
    """
    INSERT INTO viid_account_cameras (account_id, camera)
    SELECT $1::uuid, camera
      FROM unnest($2::text[]) AS camera
        ON CONFLICT DO NOTHING
    """,
)

_SPEAKS_NO_MORE_FOR = Statement(
    Nothing, "DELETE FROM viid_account_cameras WHERE account_id = $1::uuid AND camera <> ALL ($2::text[])"
)


@dataclass(frozen=True, kw_only=True)
class New:
    """An account as it is given out; `secret` is sealed."""

    id: UUID
    device: str
    username: str
    secret: bytes
    cameras: Sequence[str]
    label: str = ""
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


async def add(conn: Conn, new: New, actor: str, now: datetime) -> bool:
    """Keep an account; False where its device has one. Its cameras are in the registry."""
    added = await _ADD.one(
        conn, new.id, new.device, new.username, new.secret, new.label, list(new.networks), now, actor, new.expires_at
    )
    if added is not None:
        await _SPEAKS_FOR.run(conn, new.id, list(new.cameras))
    return added is not None


async def speak_for(conn: Conn, account_id: UUID, cameras: Sequence[str]) -> None:
    """From now on the account speaks for these cameras and no others."""
    await _SPEAKS_NO_MORE_FOR.run(conn, account_id, list(cameras))
    await _SPEAKS_FOR.run(conn, account_id, list(cameras))


# Without a grace whoever has registered with the old secret is known no more.
ROTATE = Statement(
    Nothing,
    """
    UPDATE viid_accounts
       SET old_secret = secret, secret = $2::bytea, old_until = $3::timestamptz,
           registered_at = CASE WHEN $3::timestamptz > city_now() THEN registered_at END,
           registered_from = CASE WHEN $3::timestamptz > city_now() THEN registered_from END
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)

REVOKE = Statement(
    Nothing,
    """
    UPDATE viid_accounts
       SET revoked_at = $2::timestamptz, registered_at = NULL, registered_from = NULL
     WHERE id = $1::uuid AND revoked_at IS NULL
    """,
)


@dataclass(frozen=True)
class Listed:
    """An account as lists show it: never its secret."""

    id: UUID
    device: str
    username: str
    label: str
    networks: list[str]
    cameras: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    old_until: datetime | None
    registered_at: datetime | None
    registered_from: str | None
    heard_at: datetime | None
    silent_after_s: int | None

    def standing(self, now: datetime) -> Standing:
        """How the device stands, from wherever it registered; by an account that is over nobody is known."""
        if self.expires_at is not None and self.expires_at <= now:
            return Standing.NEVER
        registration = Registration(at=self.registered_at, peer=self.registered_from, heard_at=self.heard_at)
        return standing_of(registration, span(self.silent_after_s), now)


LISTED = Statement(
    Listed,
    """
    SELECT v.id, v.device, v.username, v.label, v.networks::text[] AS networks,
           ARRAY(SELECT c.camera::text FROM viid_account_cameras c WHERE c.account_id = v.id ORDER BY c.camera)
             AS cameras,
           v.created_at, v.created_by, v.expires_at, v.revoked_at, v.old_until, v.registered_at,
           host(v.registered_from) AS registered_from, v.heard_at, p.silent_after_s
      FROM viid_accounts v
           JOIN camera_protocols p ON p.code = 'gat1400'
     WHERE ($1::uuid IS NULL OR v.id = $1::uuid)
     ORDER BY v.created_at, v.id
    """,
)

LOCKED = Statement(_Id, "SELECT id FROM viid_accounts WHERE id = $1::uuid AND revoked_at IS NULL FOR UPDATE")


# -- what platforms report -------------------------------------------------------------------------

_REPORT = Statement(
    Nothing,
    """
    INSERT INTO viid_apes AS a (account_id, code, facts, first_at, last_at)
    SELECT $1::uuid, u.code, u.facts::jsonb, $4::timestamptz, $4::timestamptz
      FROM unnest($2::text[], $3::text[]) AS u (code, facts)
     ORDER BY u.code
        ON CONFLICT (account_id, code) DO UPDATE SET facts = a.facts || excluded.facts, last_at = excluded.last_at
    """,
)

_AWAY = Statement(
    Nothing,
    """
    UPDATE viid_account_cameras AS c
       SET away = u.away
      FROM unnest($2::text[], $3::boolean[]) AS u (camera, away)
     WHERE c.account_id = $1::uuid
       AND c.camera = u.camera
       AND c.away <> u.away
    """,
)


async def report(conn: Conn, account_id: UUID, facts: Mapping[str, str], now: datetime) -> None:
    """Keep what a platform says of cameras: JSON by code; what it said before and leaves out now stays."""
    await _REPORT.run(conn, account_id, list(facts), list(facts.values()), now)


async def note_away(conn: Conn, account_id: UUID, away: Mapping[str, bool]) -> None:
    """Whether its platform says that a camera is offline; those that the account does not speak for are passed over."""
    await _AWAY.run(conn, account_id, list(away), list(away.values()))


@dataclass(frozen=True)
class Reported:
    """A camera as a platform reports it. `known`: the registry has one of this code."""

    account_id: UUID
    device: str
    code: str
    facts: dict[str, Any]
    first_at: datetime
    last_at: datetime
    known: bool


REPORTED = Statement(
    Reported,
    """
    SELECT a.account_id, v.device, a.code, a.facts, a.first_at, a.last_at,
           EXISTS (SELECT FROM cameras c WHERE c.code = a.code) AS known
      FROM viid_apes a
           JOIN viid_accounts v ON v.id = a.account_id
     WHERE ($1::uuid IS NULL OR a.account_id = $1::uuid)
       AND (a.code, a.account_id::text) > ($2::text, $3::text)
     ORDER BY a.code, a.account_id::text
     LIMIT $4::integer
    """,
)
