"""What only one browser opens, and who says that it is ours: the examples of RFC 8291, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gridsvc.webpush import (
    MOST_BYTES,
    Browser,
    fault_of_keys,
    fresh_key,
    private_key,
    public_bytes,
    read,
    sealed_for,
    sealed_with,
    signed,
    written,
)

# RFC 8291, section 5 and appendix A.
SAID = b"When I grow up, I want to be a watermelon"
THEIRS = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def bytes_of(text: str) -> bytes:
    found = read(text)
    assert found is not None
    return found


def test_a_message_is_sealed_as_the_standard_has_it() -> None:
    browser = Browser(
        "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", bytes_of(THEIRS), bytes_of(AUTH)
    )
    assert written(sealed_with(browser, SAID, private_key(bytes_of(OWN)), bytes_of(SALT))) == BODY
    assert len({sealed_for(browser, SAID) for _ in range(3)}) == 3, "no key and no salt serves twice"
    assert len(sealed_for(browser, b"x" * MOST_BYTES)) == 86 + 4096
    with pytest.raises(ValueError, match="want at most"):
        sealed_for(browser, b"x" * (MOST_BYTES + 1))


def test_it_is_signed_for_the_one_push_service_and_not_for_long() -> None:
    kept = fresh_key()
    key = private_key(kept)
    scheme, _, rest = signed(key, "https://push.example.net:8443/a?b", "mailto:desk@city.example", NOW).partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, len(kept), read(given["k"])) == ("vapid", 32, public_bytes(key))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes_of(given["k"]))
    claims = jwt.decode(
        given["t"], public, ["ES256"], audience="https://push.example.net:8443", options={"verify_exp": False}
    )
    assert claims["sub"] == "mailto:desk@city.example"
    assert 0 < claims["exp"] - NOW.timestamp() <= 24 * 3600
    bare = signed(key, "https://push.example.net/a", "", NOW).split("=", 1)[1].split(",")[0]
    assert "sub" not in jwt.decode(bare, options={"verify_signature": False})


def test_keys_that_are_none_are_refused() -> None:
    point, auth = bytes_of(THEIRS), bytes_of(AUTH)
    assert fault_of_keys(point, auth) is None
    assert "want 16" in str(fault_of_keys(point, auth[:15]))
    assert "no point" in str(fault_of_keys(point[:-1] + b"\x00", auth)), "it lies beside the curve"
    assert "compressed" in str(fault_of_keys(b"\x02" + point[1:33], auth))
    assert [read(text) for text in ("", "a", "a b=", "äääå", "AA==")] == [None, None, None, None, b"\x00"]
