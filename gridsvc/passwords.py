"""Passwords as argon2id hashes (RFC 9106): made, compared, and told when they are out of date.

Parameters t=2, m=19 MiB, p=1 are the least that OWASP ASVS 5 allows for argon2id. One call takes about
30 ms of one core and its memory: call both from a bounded thread pool, never on the event loop.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

SHORTEST: Final = 8
LONGEST: Final = 256  # bytes: a longer one costs the hash nothing, but a request body of it does


def hash_password(password: str) -> str:
    """The argon2id hash of `password` in PHC form, salted: twice gives two different texts."""
    return _HASHER.hash(password)


def check_password(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made from.

    With `kept` None (no such user, or one that has no password) the same work is done and the
    answer is False, so that the time taken does not tell which names exist.
    """
    try:
        return _HASHER.verify(_OF_NOBODY if kept is None else kept, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether `kept` was made with other parameters than today's: hash anew after the next sign-in."""
    return _HASHER.check_needs_rehash(kept)


_OF_NOBODY: Final = (  # made with today's parameters from 32 random bytes that nobody kept
    "$argon2id$v=19$m=19456,t=2,p=1$72SSylfqA22JnZIIGqH4rA$4mU3dLJgowzrdJyGow66XqA6vHUn3+RSrhKjrLy1Yo8"
)
