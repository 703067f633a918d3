"""Secrets of devices and senders that must be computed with (HMAC, digest) are kept sealed, not hashed.

AES-256-GCM, the key derived by HKDF from the instance's secret: a copy of the database alone opens none of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridsvc.errors import CannotUnseal

_NONCE_BYTES: Final = 12  # drawn anew for each; 2^32 of them are safe with one key (NIST SP 800-38D, 8.3)


@dataclass(frozen=True, repr=False)
class Sealer:
    """Seals with the first of its keys and opens with any; make it with `of_secrets`. No repr: it holds keys."""

    _keys: Sequence[AESGCM]

    @classmethod
    def of_secrets(cls, secrets: Sequence[str]) -> Sealer:
        """The sealer of the instance (settings: `identity.sealing`). Raises ValueError without any secret."""
        if not secrets:
            raise ValueError("no secret to seal with")
        return cls([AESGCM(_derived(secret)) for secret in secrets])

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """`secret` sealed for `purpose`, which names the row it is for: it opens for no other. Twice gives two."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._keys[0].encrypt(nonce, secret, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed for `purpose`. Raises CannotUnseal when no key in force opens it."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for key in self._keys:
            try:
                return key.decrypt(nonce, rest, purpose.encode())
            except (InvalidTag, ValueError):  # another key's, or not whole
                continue
        raise CannotUnseal(f"what is sealed for {purpose} opens with no secret in force; give it anew", purpose=purpose)


def _derived(secret: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"gridsvc sealed secrets").derive(secret.encode())
