"""How long a look at a credential counts, and that many who ask at once cause one look."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from gridsvc.api.identity import Identity, Known
from gridsvc.api.tokens import ApiKey, Cookie, RefreshToken, Signer
from gridsvc.domain.access import Caller

SIGNER = Signer.from_secret("not a secret: only for tests, 40 characters")
CALLER = Caller(id="user:x", grants=())


class Looked(Identity):
    """Counts its looks instead of asking a database, and tells the time itself."""

    def __init__(self) -> None:
        super().__init__(None, SIGNER, kept_s=10.0, ticks=lambda: self.time)  # type: ignore[arg-type]
        self.time = 0.0
        self.looks = 0
        self.valid = True

    async def _look_up(self, kind: str, text: str) -> Known | None:
        self.looks += 1
        await asyncio.sleep(0)
        return Known(caller=CALLER, until=self.time + 10.0, session_id=UUID(int=1)) if self.valid else None


async def test_a_look_counts_for_ten_seconds_and_no_longer() -> None:
    identity = Looked()
    assert await identity.recognise("bearer", "t") is not None
    identity.valid = False
    identity.time = 9.9
    assert await identity.recognise("bearer", "t") is not None
    identity.time = 10.0
    assert await identity.recognise("bearer", "t") is None
    assert identity.looks == 2


async def test_many_who_ask_at_once_cause_one_look() -> None:
    identity = Looked()
    found = await asyncio.gather(*(identity.recognise("bearer", "t") for _ in range(50)))
    assert all(known is not None for known in found)
    assert identity.looks == 1


async def test_what_is_not_valid_is_not_remembered() -> None:
    identity = Looked()
    identity.valid = False
    assert await identity.recognise("key", "k") is None
    identity.valid = True
    assert await identity.recognise("key", "k") is not None


async def test_the_same_text_as_another_kind_of_credential_is_another_credential() -> None:
    identity = Looked()
    await identity.recognise("bearer", "t")
    identity.valid = False
    assert await identity.recognise("cookie", "t") is None


async def test_a_session_that_ended_here_is_forgotten_here_at_once() -> None:
    identity = Looked()
    await identity.recognise("bearer", "t")
    identity.valid = False
    identity.forget(UUID(int=1))
    assert await identity.recognise("bearer", "t") is None


def test_each_kind_of_token_is_good_for_its_own_purpose_only() -> None:
    session = UUID(int=7)
    assert SIGNER.read_cookie(SIGNER.cookie(session)) == Cookie(session, 0)
    assert SIGNER.read_cookie(SIGNER.cookie(session, 12)) == Cookie(session, 12)
    assert SIGNER.read_cookie(f"{SIGNER.cookie(session).split('.')[0]}.{SIGNER.forgery_token(session)}") is None
    assert SIGNER.read_cookie(RefreshToken.first(session).text) is None
    other = Signer.from_secret("another secret of more than 32 characters")
    assert other.read_cookie(SIGNER.cookie(session)) is None


def test_a_refresh_token_has_one_successor_that_only_the_service_can_draw() -> None:
    first = RefreshToken.first(UUID(int=7))
    assert SIGNER.successor(first) == SIGNER.successor(first) != first
    assert RefreshToken.read(first.text) == first
    other = Signer.from_secret("another secret of more than 32 characters")
    assert other.successor(first) != SIGNER.successor(first)


def test_a_secret_never_shows_in_a_repr() -> None:
    first, key = RefreshToken.first(UUID(int=7)), ApiKey.new(UUID(int=8))
    for thing, secret in ((first, first.secret.hex()), (key, key.secret), (SIGNER, SIGNER.access_key.hex())):
        assert secret not in repr(thing)
        assert "secret=" not in repr(thing)
        assert "_key=" not in repr(thing)


@pytest.mark.parametrize("turn", ["0", "01", "-1", "+2", "٣", "1234567890", "x", ""])
def test_a_turn_that_we_do_not_write_is_no_cookie(turn: str) -> None:
    name, _, proof = SIGNER.cookie(UUID(int=7), 3).split(".")
    assert SIGNER.read_cookie(f"{name}.{turn}.{proof}") is None


def test_the_turn_of_a_cookie_cannot_be_changed() -> None:
    name, turn, proof = SIGNER.cookie(UUID(int=7), 3).split(".")
    assert SIGNER.read_cookie(f"{name}.{turn}.{proof}") == Cookie(UUID(int=7), 3)
    assert SIGNER.read_cookie(f"{name}.4.{proof}") is None
    assert SIGNER.read_cookie(f"{name}.{proof}") is None
