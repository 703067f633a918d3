"""One picture, one process: decode a file that nobody trusts, draw it anew, and end.

Run as `python -m gridsvc.picture_process`, the file on standard input; the answer goes to standard
output (see gridsvc/picture_desk.py, which starts it and reads the answer). Decoders of pictures are where the
holes are: whatever a file does to this process, it holds no secret, opens no file or socket, starts
nothing, and dies by its limits.
"""

from __future__ import annotations

import io
import json
import os
import resource
import struct
import sys
import warnings
import zlib
from typing import Final

from PIL import (
    Image,
    MpoImagePlugin,  # noqa: F401 - opened by the JPEG plugin when a phone writes two pictures into one file
    WebPImagePlugin,  # noqa: F401 - not among those that preinit() loads
)
from PIL.ExifTags import IFD, Base

from gridsvc.domain.likeness import HIGH, WIDE, look_of
from gridsvc.domain.picture import LONGEST_SIDE, QUALITY, THUMB_SIDE, Claims, claims_of

CPU_SECONDS: Final = 10  # a phone's 12-megapixel photograph takes 0.4 s
MEMORY_BYTES: Final = 1024 * 1024 * 1024  # 50 megapixels decode to 200 MB, and turning them needs as much again
NOBODY: Final = 65534
HEADER: Final = struct.Struct(">III")
"""Answer: lengths of the JSON, of the picture, of the thumbnail; then the three."""

READY: Final = b"ready\n"
"""Written before the file is read: what goes wrong after it is the file's fault, before it ours."""

_FAULTS: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, MemoryError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow's decoders have been seen to raise; anything else ends the process, which says enough."""

_TURNS: Final = {  # Exif 2.32, tag Orientation: what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


class NotAPicture(Exception):
    """The file cannot be drawn; the text says why."""


def main(most_pixels: int) -> None:
    """Read standard input, write the answer to standard output."""
    limit_this_process()
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    try:
        facts, shown, thumb = redraw(io.BytesIO(sys.stdin.buffer.read()), most_pixels)
    except NotAPicture as no:
        facts, shown, thumb = {"refused": str(no)}, b"", b""
    text = json.dumps(facts).encode()
    out.write(HEADER.pack(len(text), len(shown), len(thumb)) + text + shown + thumb)
    out.flush()


def limit_this_process() -> None:
    """Give up everything that drawing does not need. There is no way back."""
    Image.preinit()  # from here on no module can be read
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform != "darwin":  # there the kernel refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # no child, no thread
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # the three that are open: no file, no socket beyond them


def redraw(file: io.BytesIO, most_pixels: int) -> tuple[dict[str, object], bytes, bytes]:
    """The facts of a picture, the picture drawn anew as JPEG, and its thumbnail.

    Nothing of the file's own bytes is in what comes out: no EXIF, no colour profile, no comment, nothing that
    stood behind the picture. Raises NotAPicture.
    """
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = most_pixels  # open() looks at the header's size before anything is decoded
    try:
        with Image.open(file, formats=("JPEG", "PNG", "WEBP")) as image:
            exif = _exif(image)
            drawn = _upright(_small(image), exif)
    except _FAULTS as fault:
        raise NotAPicture(f"the file begins like a picture and cannot be decoded: {fault}"[:200]) from fault
    claims = _claims(exif)
    shown = _jpeg(drawn)
    facts: dict[str, object] = {
        "width": drawn.width, "height": drawn.height,
        "taken_at": claims.taken_at, "lon": claims.lon, "lat": claims.lat,
        "look": look_of(drawn.convert("L").resize((WIDE, HIGH), Image.Resampling.BOX).tobytes()),
    }  # fmt: skip
    drawn.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    return facts, shown, _jpeg(drawn)


def _exif(image: Image.Image) -> Image.Exif | None:
    """Damaged metadata is none: it does not make the picture worse."""
    try:
        exif = image.getexif()
        exif.get(0)  # reads the whole first part
    except _FAULTS:
        return None
    return exif


def _claims(exif: Image.Exif | None) -> Claims:
    try:
        return Claims() if exif is None else claims_of(exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo))
    except _FAULTS:
        return Claims()


def _small(image: Image.Image) -> Image.Image:
    """At most LONGEST_SIDE wide and high, on white where it was transparent."""
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG decodes straight to a half or a quarter
    image.load()
    plain = image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA" if image.has_transparency_data else "RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)  # first: the rest then costs little memory
    if plain.mode == "RGB":
        return plain
    return Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain).convert("RGB")


def _upright(image: Image.Image, exif: Image.Exif | None) -> Image.Image:
    turn = _TURNS.get(exif.get(Base.Orientation, 1)) if exif is not None else None
    return image if turn is None else image.transpose(turn)


def _jpeg(image: Image.Image) -> bytes:
    bare = Image.frombytes("RGB", image.size, image.tobytes())  # without `info`, which save() would write out again
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    main(int(sys.argv[1]))
