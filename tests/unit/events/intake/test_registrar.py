"""Who registers proves a password against a challenge of ours, and each answer is good once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from events.intake import digest, sip
from events.intake.nonce import make_nonce
from events.intake.registrar import LEAST_S, MOST_S, NONCE, USUAL_S, Challenge, Denied, Proven, Use, judge

KEY, REALM, CODE, PASSWORD = b"k" * 32, "6201000000", "62010200001180000001", "not a secret"
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
URI = "sip:62010000002000000001@6201000000"
FRESH = make_nonce(KEY, NOW, b"12345678")


def register(told: str = "", contact: str = "<sip:a@192.0.2.7>", expires: str = "") -> sip.Message:
    headers = [
        ("via", "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1"), ("from", f"<sip:{CODE}@{REALM}>;tag=1"),
        ("to", f"<sip:{CODE}@{REALM}>"), ("call-id", "1"), ("cseq", "1 REGISTER"), ("contact", contact),
        ("expires", expires), ("authorization", told),
    ]  # fmt: skip
    return sip.Message(tuple(headers), method="REGISTER", uri=URI)


def proof(
    *, nonce: str = FRESH, password: str = PASSWORD, user: str = CODE, realm: str = REALM, uri: str = URI, nc: str = ""
) -> str:
    middle = f"{nc}:c:auth:" if nc else ""
    response = md5(f"{digest.secret_of(user, realm, password)}:{nonce}:{middle}{md5(f'REGISTER:{uri}')}")
    told = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"'
    return told + (f', qop=auth, nc={nc}, cnonce="c"' if nc else "")


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def judged(request: sip.Message, last: Use | None = None, now: datetime = NOW) -> Challenge | Denied | Proven:
    return judge(request, PASSWORD, REALM, KEY, last, now)


def test_who_proves_nothing_is_challenged() -> None:
    assert judged(register()) == Challenge()
    assert judged(register("Basic YTpi")) == Challenge()
    assert judged(register(proof(realm="another"))) == Challenge()
    assert judged(register(proof(uri="sip:elsewhere@6201000000"))) == Challenge()


def test_a_challenge_is_ours_and_fresh_or_another_is_given() -> None:
    assert judged(register(proof(nonce="00" * 30))) == Challenge(stale=True)
    assert judged(register(proof(nonce=make_nonce(b"x" * 32, NOW, b"12345678")))) == Challenge(stale=True)
    assert isinstance(judged(register(proof()), now=NOW + NONCE), Proven)
    assert judged(register(proof()), now=NOW + NONCE + timedelta(seconds=1)) == Challenge(stale=True)


def test_a_wrong_password_or_anothers_name_is_refused() -> None:
    assert judged(register(proof(password="guessed"))) == Denied(403, "Forbidden")
    assert judged(register(proof(user="62010200001180000002"))) == Denied(403, "Forbidden")


def test_an_answer_is_good_once_and_a_counted_nonce_as_often_as_it_is_counted_up() -> None:
    first = judged(register(proof()))
    assert isinstance(first, Proven)
    assert judged(register(proof()), first.use) == Challenge(stale=True)
    counted = judged(register(proof(nc="00000001")), Use("an older one", 9))
    assert counted == Proven(USUAL_S, Use(FRESH, 1))
    assert judged(register(proof(nc="00000001")), Use(FRESH, 1)) == Challenge(stale=True)
    assert judged(register(proof(nc="00000002")), Use(FRESH, 1)) == Proven(USUAL_S, Use(FRESH, 2))
    assert judged(register(proof(nc="zzzz")), Use(FRESH, 0)) == Challenge(stale=True)


@pytest.mark.parametrize(
    ("contact", "expires", "seconds"),
    [
        ("<sip:a@192.0.2.7>", "", USUAL_S),
        ("<sip:a@192.0.2.7>", "90", 90),
        ("<sip:a@192.0.2.7>;expires=120", "90", 120),
        ("*", "0", 0),
        ("<sip:a@192.0.2.7>", "9999999", MOST_S),
    ],
)
def test_it_registers_for_as_long_as_it_says_within_bounds(contact: str, expires: str, seconds: int) -> None:
    assert judged(register(proof(), contact, expires)) == Proven(seconds, Use(FRESH, 0))


def test_too_short_a_time_and_none_at_all_are_refused() -> None:
    short = judged(register(proof(), expires=str(LEAST_S - 1)))
    assert short == Denied(423, "Interval Too Brief", (("Min-Expires", str(LEAST_S)),))
    assert judged(register(proof(), expires="soon")) == Denied(400, "Bad Request")
    assert judged(replace(register(), uri="x")) == Challenge()
