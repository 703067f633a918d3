"""Give out what a device or platform of GA/T 1400 signs in with, change what it is good for, and take it back."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from events.intake import digest
from gridsvc.db import Conn
from gridsvc.errors import AccountTaken, BadRequest, Unknown
from gridsvc.ids import new_id
from gridsvc.sealing import Sealer
from gridsvc.store import cameras, viid_accounts

REALM: Final = "viid"
"""What every challenge names; a sealed secret is good for this realm alone."""

_LETTERS: Final = string.ascii_letters + string.digits  # devices refuse signs, and more than 16 of them
_LENGTH: Final = 16
_DEVICE: Final = re.compile(r"[0-9]{20}", re.ASCII)
_USERNAME: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An account to be made: the device's 20 digits, and the cameras that it speaks for. No name: the digits."""

    device: str
    cameras: Sequence[str]
    username: str = ""
    label: str = ""
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


def purpose_of(account_id: UUID) -> str:
    """What the secrets of an account are sealed for."""
    return f"viid account {account_id}"


async def give_account(conn: Conn, wanted: Wanted, sealer: Sealer, actor: str, now: datetime) -> tuple[UUID, str]:
    """A new account: its id, and the secret, which is told this once.

    16 letters and digits, 95 bits of chance. Kept is what digest is computed with (HA1), sealed. Raises BadRequest
    for what is no device or name, Unknown for a camera that is not in the registry, AccountTaken where the device
    has an account.
    """
    if not _DEVICE.fullmatch(wanted.device):
        raise BadRequest(
            f"device: given {wanted.device[:40]!r}; want the 20 digits that it registers as", field="device",
            given=wanted.device[:40], wanted="20 digits",
        )  # fmt: skip
    username = wanted.username or wanted.device
    if not _USERNAME.fullmatch(username):
        raise BadRequest(
            f"username: given {username[:80]!r}; want 1 to 64 of A-Z a-z 0-9 . _ @ -", field="username",
            given=username[:80], wanted="1 to 64 of A-Z a-z 0-9 . _ @ -",
        )  # fmt: skip
    await must_be_there(conn, wanted.cameras)
    account_id, secret = new_id(), _chance()
    new = viid_accounts.New(
        id=account_id, device=wanted.device, username=username, cameras=sorted(set(wanted.cameras)),
        secret=_sealed(sealer, account_id, username, secret), label=wanted.label, networks=wanted.networks,
        expires_at=wanted.expires_at,
    )  # fmt: skip
    if not await viid_accounts.add(conn, new, actor, now):
        raise AccountTaken(f"the device {wanted.device} has an account; rotate or revoke that", given=wanted.device)
    return account_id, secret


async def rotate_account(conn: Conn, account_id: UUID, sealer: Sealer, old_until: datetime) -> str:
    """A new secret instead of the old one, which stays good until `old_until`.

    Where that is not ahead the device must register anew. Raises Unknown for none in force.
    """
    account = await _in_force(conn, account_id)
    secret = _chance()
    await viid_accounts.ROTATE.run(conn, account_id, _sealed(sealer, account_id, account.username, secret), old_until)
    return secret


async def revoke_account(conn: Conn, account_id: UUID, now: datetime) -> None:
    """End an account at once; its device is registered no more. Raises Unknown for none in force."""
    await _in_force(conn, account_id)
    await viid_accounts.REVOKE.run(conn, account_id, now)


async def change_cameras(conn: Conn, account_id: UUID, codes: Sequence[str]) -> None:
    """From now on the account speaks for these cameras. Raises Unknown for none in force, and for a camera."""
    await _in_force(conn, account_id)
    await must_be_there(conn, codes)
    await viid_accounts.speak_for(conn, account_id, sorted(set(codes)))


async def must_be_there(conn: Conn, codes: Sequence[str]) -> None:
    """Raise Unknown where one of the cameras is not in the registry, BadRequest where there are none."""
    if not codes:
        raise BadRequest(
            "cameras: given none; want one or more codes of the registry", field="cameras", given="none", wanted="codes"
        )
    missing = sorted(set(codes) - set(await cameras.current(conn, codes)))
    if missing:
        raise Unknown(f"no camera {missing[0]} in the registry", given=missing[0])


async def _in_force(conn: Conn, account_id: UUID) -> viid_accounts.Listed:
    held = await viid_accounts.LOCKED.one(conn, account_id)
    account = await viid_accounts.LISTED.one(conn, account_id) if held is not None else None
    if account is None:
        raise Unknown(f"no account {account_id} in force", given=str(account_id))
    return account


def _chance() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _sealed(sealer: Sealer, account_id: UUID, username: str, secret: str) -> bytes:
    return sealer.seal(digest.secret_of(username, REALM, secret).encode(), purpose_of(account_id))
