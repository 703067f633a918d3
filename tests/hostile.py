"""Files as phones and enemies send them, made here: no picture of anybody lies in this tree."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from functools import cache

from PIL import Image, ImageDraw
from PIL.ExifTags import IFD, Base

Exif = Mapping[int, object]


def photograph(
    width: int = 640,
    height: int = 480,
    *,
    kind: str = "JPEG",
    orientation: int | None = None,
    taken_at: str | None = None,
    place: tuple[float, float] | None = None,
    comment: bytes = b"",
) -> bytes:
    """A drawn picture: a red corner at the top left, so that turning it can be seen."""
    image = Image.new("RGB", (width, height), (40, 90, 160))
    ImageDraw.Draw(image).rectangle((0, 0, width // 3, height // 3), fill=(220, 20, 20))
    exif = Image.Exif()
    if orientation is not None:
        exif[Base.Orientation] = orientation
    if taken_at is not None:
        exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken_at
    if place is not None:
        gps = exif.get_ifd(IFD.GPSInfo)
        gps[1], gps[2] = "N", _sexagesimal(place[1])
        gps[3], gps[4] = "E", _sexagesimal(place[0])
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **({"comment": comment} if comment else {}))
    return out.getvalue()


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = degrees % 1 * 60
    return float(int(degrees)), float(int(minutes)), round(minutes % 1 * 60, 4)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A grey PNG that claims a size, whatever data follows."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + png_chunk(b"IEND", b"")


def with_exif(jpeg: bytes, tiff: bytes) -> bytes:
    """`jpeg` with an EXIF segment of these raw bytes put in front."""
    segment = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def exif_that_turns_in_a_circle() -> bytes:
    """A directory whose sub-directory, and whose next directory, is itself."""
    entry = struct.pack("<HHII", IFD.Exif, 4, 1, 8)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 8)


def animation(kind: str, frames: int, width: int = 64, height: int = 48) -> bytes:
    """Many frames in one file: what is drawn of it is one."""
    pictures = [Image.new("RGB", (width, height), (number % 256, 90, 160)) for number in range(frames)]
    out = io.BytesIO()
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:])
    return out.getvalue()


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    whole = bytearray(photograph(64, 48))
    at = whole.index(b"\xff\xc0")  # start of frame: length, precision, height, width
    whole[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def webp_of(width: int, height: int) -> bytes:
    """An extended WebP whose canvas claims a size, with no picture in it."""
    head = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", len(head)) + head
    return b"RIFF" + struct.pack("<I", len(body)) + body


def polyglots() -> dict[str, tuple[bytes, bytes]]:
    """Photographs that are something else too, and the words by which that is known."""
    page, script = b"<html><script>alert(1)</script></html>", b"/*evil*/=1;"
    archive = b"PK\x03\x04" + bytes(26) + b"evil"
    png = png_of(8, 8, png_chunk(b"tEXt", b"Comment\x00" + page), png_chunk(b"IDAT", zlib.compress(bytes(72))))
    return {
        "a JPEG with a page behind it": (photograph() + page, page),
        "a JPEG with an archive behind it": (photograph() + archive, archive),
        "a JPEG whose comment is a script": (photograph(comment=script), script),
        "a PNG with a page in its text": (png, page),
        "a PNG with an archive behind it": (photograph(kind="PNG") + archive, archive),
        "a WebP with a page behind it": (photograph(kind="WEBP") + page, page),
        "a JPEG whose EXIF is a page": (with_exif(photograph(), b"II*\x00" + page), page),
    }


def strangers() -> dict[str, bytes]:
    """Files that are no accepted kind, by what they are."""
    return {
        "empty": b"",
        "a GIF": animation("GIF", 50),
        "an SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "a web page or XML": b"<!doctype html><script>alert(1)</script>",
        "a ZIP archive or office document": b"PK\x03\x04" + bytes(64),
        "a PDF": b"%PDF-1.7\n",
        "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        "a video": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2",
        "a TIFF": b"II*\x00" + bytes(64),
        "none that is known here": b"just words",
    }


@cache
def broken() -> dict[str, bytes]:
    """Files that begin like a picture and must not be drawn."""
    whole = photograph()
    return {
        "cut off": whole[: len(whole) // 2],
        "only a beginning": b"\xff\xd8\xff\xe0" + b"rubbish" * 100,
        "a PNG of 60 000 x 60 000": png_of(60_000, 60_000, png_chunk(b"IDAT", zlib.compress(bytes(1000)))),
        "a PNG of no width": png_of(0, 10, png_chunk(b"IDAT", zlib.compress(bytes(10)))),
        "a PNG whose text unfolds to 20 MB": png_of(
            8, 8, png_chunk(b"zTXt", b"bomb\x00\x00" + zlib.compress(bytes(20_000_000))),
            png_chunk(b"IDAT", zlib.compress(bytes(72))),
        ),
        "a PNG with too little in it": png_of(100, 100, png_chunk(b"IDAT", zlib.compress(bytes(100)))),
        "a JPEG of 65 000 x 65 000": jpeg_of(65_000, 65_000),
        "a WebP of 16 000 x 16 000": webp_of(16_000, 16_000),
        "a WebP canvas with no picture": webp_of(64, 48),
        "a PNG cut off": photograph(kind="PNG")[:-40],
        "a WebP cut off": photograph(kind="WEBP")[:-40],
        "a page that begins like a JPEG": b"\xff\xd8\xff<html><script>alert(1)</script>",
        "a WebP that is none": b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(32),
    }  # fmt: skip
