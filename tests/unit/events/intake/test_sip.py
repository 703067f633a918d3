"""SIP over UDP and the digest of its registrar: what a device sends is read, and answered as it wants."""

from __future__ import annotations

import hashlib

import pytest

from events.intake import digest, gb28181, sip
from events.intake.unreadable import Unreadable
from tests.fuzz.corpus import gb_alarm
from tests.unit.events.intake.read import event

BODY = b'<?xml version="1.0" encoding="GB2312"?>' + gb_alarm().encode("gb2312")
HEAD = (
    "MESSAGE sip:62010200002000000001@10.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.9:5060;rport;branch=z9hG4bK77, SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK1\r\n"
    "f: <sip:62010200001320000001@6201020000>;tag=99\r\n"
    "To: <sip:62010200002000000001@6201020000>\r\n"
    "i: 41@192.168.1.9\r\n"
    "CSeq: 20\r\n MESSAGE\r\n"
    "Content-Type: Application/MANSCDP+xml\r\n"
)
ASKED = HEAD.encode() + f"l: {len(BODY)}\r\n\r\n".encode() + BODY


def test_a_message_carries_an_alarm() -> None:
    told = sip.read(ASKED)
    assert (told.method, told.sender) == ("MESSAGE", "62010200001320000001")
    assert told.first("cseq") == "20 MESSAGE"
    assert event(gb28181.parse(told.body, told.first("content-type"))).kind == "intrusion"


def test_the_answer_repeats_what_belongs_to_the_request_and_says_whence_it_came() -> None:
    told = sip.read(sip.answer(sip.read(ASKED), 200, "OK", "ours", ("203.0.113.5", 6000), [("Expires", "3600")]))
    assert (told.status, told.body) == (200, b"")
    via = told.first("via")
    assert via.startswith("SIP/2.0/UDP 192.168.1.9:5060;rport=6000;branch=z9hG4bK77;received=203.0.113.5,")
    assert told.first("to").endswith(";tag=ours")
    assert told.first("from").endswith(";tag=99")
    assert (told.first("call-id"), told.first("expires")) == ("41@192.168.1.9", "3600")


def test_no_header_that_is_echoed_begins_a_line_of_its_own() -> None:
    asked = sip.read(ASKED.replace(b"tag=99", b"tag=9\nX: y\rZ: w"))
    told = sip.answer(asked, 200, "OK", "ours", ("203.0.113.5", 6000))
    assert b"\nX" not in told
    assert b"\rZ" not in told


def test_a_message_of_ours_is_one_that_can_be_read() -> None:
    ours, theirs = "62010200002000000001", "62010200001320000001"
    leg = sip.Leg(ours, theirs, ("10.0.0.1", 5060), ("10.0.0.9", 5061), "b1", "t1", "c1")
    told = sip.read(sip.message(leg, gb28181.MEDIA_TYPE, gb28181.answer("7", leg.theirs)))
    assert (told.method, told.uri) == ("MESSAGE", "sip:62010200001320000001@10.0.0.9:5061")
    assert b"<SN>7</SN>" in told.body


def test_what_follows_the_stated_length_is_no_part_of_the_body() -> None:
    assert sip.read(ASKED + b"rest").body == BODY


def test_a_message_that_lies_about_its_length_can_still_be_answered() -> None:
    told = sip.read_head(ASKED[:-10])
    assert (told.method, told.sender) == ("MESSAGE", "62010200001320000001")
    assert sip.answer(told, 400, "Bad Request", "t", ("192.0.2.1", 5060)).startswith(b"SIP/2.0 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("datagram", "code"),
    [
        (b"", "not_sip"),
        (b"\r\n\r\n", "not_sip"),
        (b"GET / HTTP/1.1\r\n\r\n", "not_sip"),
        (ASKED.replace(b"CSeq", b"X"), "not_sip"),
        (ASKED.replace(b"To: ", b"To "), "not_sip"),
        (b"MESSAGE sip:a SIP/2.0\r\n" + b"a: b\r\n" * 100 + b"\r\n", "not_sip"),
        (ASKED[:-10], "wrong_length"),
        (ASKED.replace(b"l: ", b"l: -"), "wrong_length"),
        (bytes(sip.MOST_BYTES + 1), "too_large"),
    ],
)
def test_anything_else_is_refused_by_a_code(datagram: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        sip.read(datagram)
    assert refused.value.code == code


# The example of RFC 2617, section 3.5.
MUFASA = (
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
SECRET = digest.secret_of("Mufasa", "testrealm@host.com", "Circle Of Life")


def test_the_example_of_the_standard_proves_its_password() -> None:
    told = digest.read_answer(MUFASA)
    assert told is not None
    assert digest.proves(told, "GET", SECRET)
    assert not digest.proves(told, "POST", SECRET)
    assert not digest.proves(told, "GET", digest.secret_of("Mufasa", "testrealm@host.com", "Circle of Life"))


def test_devices_without_qop_are_heard_too() -> None:
    bare = 'Digest username="d", realm="r", nonce="n", uri="sip:r", response="{}", algorithm=MD5'
    secret = digest.secret_of("d", "r", "12345678")
    of_request = hashlib.md5(b"REGISTER:sip:r", usedforsecurity=False).hexdigest()
    response = hashlib.md5(f"{secret}:n:{of_request}".encode(), usedforsecurity=False).hexdigest()
    told = digest.read_answer(bare.format(response))  # RFC 2069: no count, no nonce of the device's own
    assert told is not None
    assert digest.proves(told, "REGISTER", secret)


@pytest.mark.parametrize(
    "header",
    [
        "", "Basic YWRtaW46MTIzNDU=", "Digest", MUFASA.replace("nonce=", "x="), MUFASA + ", algorithm=SHA-256",
        MUFASA.replace("qop=auth", "qop=auth-int"), MUFASA.replace("nc=", "x="), "Digest " + "a=b," * 1_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_proves_nothing(header: str) -> None:
    assert digest.read_answer(header) is None


def test_a_response_that_is_no_text_of_ours_proves_nothing() -> None:
    told = digest.read_answer(MUFASA.replace("6629fae4", "中文ü"))
    assert told is not None
    assert not digest.proves(told, "GET", SECRET)


def test_a_challenge_names_realm_and_nonce() -> None:
    assert digest.challenge("6201020000", "abc") == 'Digest realm="6201020000", nonce="abc", qop="auth", algorithm=MD5'
