"""Standard Webhooks: signed with one of our secrets, within five minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.intake.signature import WINDOW_S, Verdict, secret_bytes, sign, verdict

# The vector that the libraries of Standard Webhooks are tested with.
SECRET = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") or b""
ID, SENT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(SENT, UTC)


def judged(
    signature: str = SIGNATURE, *, name: str = ID, sent: str = str(SENT), body: bytes = BODY, late_s: float = 0
) -> Verdict:
    return verdict([SECRET], name, sent, signature, body, NOW + timedelta(seconds=late_s))


def test_the_published_vector_is_good() -> None:
    assert sign(SECRET, ID, SENT, BODY) == SIGNATURE
    assert judged() is Verdict.GOOD


@pytest.mark.parametrize(
    ("verdict_of", "told"),
    [
        (judged(body=BODY + b" "), Verdict.WRONG),
        (judged(name="msg_other"), Verdict.WRONG),
        (judged(sent=str(SENT + 1)), Verdict.WRONG),
        (judged("v1,AAAA"), Verdict.WRONG),
        (judged("v1,ü"), Verdict.WRONG),
        (judged(""), Verdict.MISSING),
        (judged(name=""), Verdict.MISSING),
        (judged(sent="soon"), Verdict.MALFORMED),
        (judged(sent="9" * 400), Verdict.MALFORMED),
        (judged("v2,AAAA"), Verdict.MALFORMED),
        (judged(" ".join(["v1,AAAA"] * 11)), Verdict.MALFORMED),
    ],
)
def test_anything_else_is_not(verdict_of: Verdict, told: Verdict) -> None:
    assert verdict_of is told


def test_one_good_signature_among_several_is_enough() -> None:
    assert judged(f"v1a,AAAA v1,AAAA {SIGNATURE}") is Verdict.GOOD


def test_the_window_is_five_minutes_either_way() -> None:
    assert WINDOW_S == 300
    assert [judged(late_s=late) for late in (300, 301, -300, -301)] == [
        Verdict.GOOD, Verdict.TOO_OLD, Verdict.GOOD, Verdict.TOO_NEW,
    ]  # fmt: skip


def test_while_a_secret_is_replaced_both_hold() -> None:
    new = bytes(range(24))
    for secrets, told in (([new, SECRET], Verdict.GOOD), ([new], Verdict.WRONG), ([], Verdict.WRONG)):
        assert verdict(secrets, ID, str(SENT), SIGNATURE, BODY, NOW) is told


@pytest.mark.parametrize("written", ["whsec_AAAA", "whsec_!!", "", "whsec_" + "A" * 100, "ü"])
def test_a_secret_that_is_too_short_or_none_is_refused(written: str) -> None:
    assert secret_bytes(written) is None
