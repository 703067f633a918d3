"""XML, JSON and parts from strangers: read within limits, refused by a code."""

from __future__ import annotations

import pytest

from events.intake.json_value import as_tree, read_json
from events.intake.parts import read_parts
from events.intake.unreadable import Unreadable
from events.intake.xml_tree import read_xml
from tests.fuzz.corpus import JPEG

BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BOMB, "dtd_refused"),
        (OUTSIDE, "dtd_refused"),
        (b"<a>&nbsp;</a>", "not_xml"),
        (b"<a>" * 40, "too_deep"),
        (b"<a>" + b"<b/>" * 4_000 + b"</a>", "too_many_nodes"),
        (b"<a><b></a>", "not_xml"),
        (b"", "not_xml"),
        (b'<?xml version="1.0" encoding="ebcdic-cp-us"?><a/>', "wrong_encoding"),
        (b'<?xml version="1.0" encoding="GB2312"?><a>\xff\xff</a>', "wrong_encoding"),
    ],
)
def test_xml_that_is_none_or_means_harm_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_xml(body)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        '<?xml version="1.0" encoding="GB2312"?><a>越界</a>'.encode("gb2312"),
        '<?xml version="1.0" encoding="GBK"?><a>越界</a>'.encode("gbk"),
        '<?xml version="1.0" encoding="GB2312"?><a>越界</a>'.encode(),  # says GB, writes UTF-8
        '<?xml version="1.0" encoding="UTF-8"?><a>越界</a>'.encode("gbk"),  # and the other way round
        "\ufeff<a>越界</a>".encode(),
        '<?xml version="1.0" encoding="UTF-16"?><a>越界</a>'.encode("utf-16"),
        "  \r\n<a>越界</a>".encode(),
    ],
)
def test_a_document_is_read_by_what_its_bytes_are(body: bytes) -> None:
    assert read_xml(body).text == "越界"


def test_a_word_that_is_utf8_by_accident_stays_chinese() -> None:
    assert "漏".encode("gb2312").decode("utf-8") == "©"
    assert read_xml('<?xml version="1.0" encoding="GB2312"?><a>漏</a>'.encode("gb2312")).text == "漏"


def test_names_are_read_without_prefix_and_case() -> None:
    root = read_xml(b'<s:Envelope xmlns:s="x"><S:BODY xmlns:S="y" A:Name="1">t</S:BODY></s:Envelope>')
    assert root.name == "envelope"
    assert root.children[0].attributes["name"] == "1"
    assert root.value("body") == "t"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"NaN", "not_json"),
        (b"1e999", "not_json"),
        (b'{"a": "\\ud800"}', "not_json"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b"[" + b"0," * 200_000 + b"0]", "too_many_nodes"),
        (b'"\xff\xff"', "wrong_encoding"),
    ],
)
def test_json_that_is_none_or_too_much_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_json(body)
    assert refused.value.code == code


def test_json_in_gb18030_is_read() -> None:
    assert read_json('{"a": "越界"}'.encode("gb18030")) == {"a": "越界"}


def test_json_as_a_tree_reads_like_xml() -> None:
    root = as_tree({"A": {"B": [1, True, {"C": "x"}]}})
    assert [node.text for node in root.everywhere("b")] == ["1", "true", ""]
    assert next(root.everywhere("c")).text == "x"


def test_a_body_that_breaks_off_keeps_the_parts_that_came() -> None:
    body = b"--g\r\nContent-Type: text/XML; charset=x\r\n\r\n<a/>\r\n--g\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG
    first, second = read_parts(body, "multipart/mixed; boundary=g")
    assert (first.media_type, first.data) == ("text/xml", b"<a/>")
    assert second.data == JPEG


def test_the_first_line_is_believed_where_the_type_names_another_boundary() -> None:
    assert read_parts(b"\r\n--g\r\n\r\nx\r\n--g--", "multipart/mixed; boundary=other")[0].data == b"x"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"x", "multipart/mixed", "not_multipart"),
        (b"x", "multipart/mixed; boundary=g", "not_multipart"),
        (b"--g\r\n" + b"a: b\r\n" * 20, "multipart/mixed; boundary=g", "not_multipart"),
        (b"--g\r\nContent-Ty", "multipart/mixed; boundary=g", "not_multipart"),
        (b"--g\r\n\r\n\r\n" * 100, "multipart/mixed; boundary=g", "too_many_parts"),
    ],
)
def test_parts_that_are_none_or_too_many_are_refused(body: bytes, content_type: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_parts(body, content_type)
    assert refused.value.code == code
