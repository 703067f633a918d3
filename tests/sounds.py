"""Voice notes as recorders write them, and files that only begin so; made here: nobody's voice lies in this tree."""

from __future__ import annotations

import struct


def ogg_page(kind: int, number: int, packets: list[bytes], serial: int = 7) -> bytes:
    """One page of Ogg; its checksum is left at nought, nobody here decodes it."""
    segments = b"".join(bytes([255] * (len(each) // 255) + [len(each) % 255]) for each in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, number * 960, serial, number, 0, len(segments))
    return head + segments + b"".join(packets)


def ogg() -> bytes:
    """Ogg with Opus, as Firefox records."""
    opus = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I4sI", 4, b"here", 0)
    return ogg_page(2, 0, [opus]) + ogg_page(0, 1, [tags]) + ogg_page(4, 2, [b"\xfc" * 300, b"\xfc" * 90])


def element(ident: int, content: bytes, *, unknown: bool = False) -> bytes:
    """One element of EBML, with a size of eight bytes or, as browsers stream, with none."""
    name = ident.to_bytes((ident.bit_length() + 7) // 8, "big")
    size = b"\x01" + b"\xff" * 7 if unknown else b"\x01" + len(content).to_bytes(7, "big")
    return name + size + content


def webm(*, codec: bytes = b"A_OPUS", kind: bytes = b"\x02", doctype: bytes = b"webm", more: bytes = b"") -> bytes:
    """WebM with Opus, as Chrome records: segment and cluster without a size."""
    track = element(0xAE, element(0xD7, b"\x01") + element(0x83, kind) + element(0x86, codec))
    block = element(0xA3, b"\x81\x00\x00\x80" + b"\xfc" * 50)
    cluster = element(0x1F43B675, element(0xE7, b"\x00") + block * 3, unknown=True)
    body = element(0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40")) + element(0x1654AE6B, track) + cluster
    return element(0x1A45DFA3, element(0x4282, doctype)) + element(0x18538067, body, unknown=True) + more


def box(kind: bytes, content: bytes) -> bytes:
    """One box of MP4."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def mp4(*, handler: bytes = b"soun", codec: bytes = b"mp4a", tracks: int = 1) -> bytes:
    """MP4 with AAC, as an iPhone records."""
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + box(codec, bytes(28)))
    media = box(b"hdlr", bytes(8) + handler + bytes(13)) + box(b"minf", box(b"stbl", stsd))
    moov = box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"mdia", media)) * tracks)
    return box(b"ftyp", b"M4A \x00\x00\x00\x00M4A isom") + moov + box(b"mdat", bytes(200))


def wav(*, codec: int = 1) -> bytes:
    """A tenth of a second of silence."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, codec, 1, 8_000, 16_000, 2, 16)
    data = b"data" + struct.pack("<I", 1600) + bytes(1600)
    return b"RIFF" + struct.pack("<I", 4 + len(form) + len(data)) + b"WAVE" + form + data


def whole() -> dict[str, tuple[bytes, str]]:
    """What is kept, and as which type."""
    return {
        "Ogg with Opus": (ogg(), "audio/ogg"),
        "WebM with Opus": (webm(), "audio/webm"),
        "MP4 with AAC": (mp4(), "audio/mp4"),
        "WAV": (wav(), "audio/wav"),
    }


def broken() -> dict[str, bytes]:
    """Files that begin like a voice note and must not be kept."""
    page = b"<html><script>alert(1)</script>"
    return {
        "an Ogg with Vorbis": ogg_page(2, 0, [b"\x01vorbis" + bytes(23)]) + ogg()[47:],
        "an Ogg of two streams": ogg() + ogg_page(2, 0, [b"OpusHead" + bytes(11)], serial=8),
        "an Ogg behind an Ogg": ogg() + ogg(),
        "an Ogg of another stream's pages": ogg() + ogg_page(0, 3, [b"x"], serial=8),
        "an Ogg with no sound": ogg()[:80],
        "a Matroska": webm(doctype=b"matroska"),
        "a WebM with a picture": webm(codec=b"V_VP8", kind=b"\x01"),
        "a WebM of sound and picture": webm().replace(b"A_OPUS", b"A_OPUS", 1)[:-180] + webm(),
        "a WebM by another codec": webm(codec=b"A_VORBIS"),
        "a WebM with a page in it": webm(more=element(0x1941A469, page)),
        "an MP4 with a picture": mp4(handler=b"vide", codec=b"avc1"),
        "an MP4 of two tracks": mp4(tracks=2),
        "an MP4 by another codec": mp4(codec=b"alac"),
        "an MP4 with a strange box": mp4() + box(b"html", page),
        "an MP4 of too many pieces": mp4() + box(b"free", b"") * 100_000,
        "an MP4 whose box is smaller than its head": mp4() + struct.pack(">I4s", 4, b"free"),
        "a WAV by an unknown codec": wav(codec=0x1234),
        "a WAV of another length": wav()[:4] + b"\x00\x00\x00\x01" + wav()[8:],
        **{f"{name} and a page behind it": content + page for name, (content, _) in whole().items()},
        **{f"{name} cut off": content[:-30] for name, (content, _) in whole().items()},
    }
