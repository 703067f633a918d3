"""The day's history is signed with a key that is not in the database.

Ed25519 (RFC 8032), the private key derived by HKDF from the instance's secret: whoever can write the
database but does not hold the secret cannot sign, and anybody with the public key can check.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@dataclass(frozen=True)
class Signer:
    """Signs and checks; make it with `of_secret`."""

    _key: Ed25519PrivateKey

    @classmethod
    def of_secret(cls, secret: str) -> Signer:
        """The signer of the instance that holds `secret` (GRIDSVC_SECRET)."""
        seed = HKDF(SHA256(), length=32, salt=None, info=b"gridsvc history heads").derive(secret.encode())
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def public_key(self) -> bytes:
        """32 bytes, to be kept outside and checked against."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; the same message always gives the same one."""
        return self._key.sign(message)

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is ours over `message`."""
        try:
            self._key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True
