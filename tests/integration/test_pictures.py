"""Pictures are drawn anew in a process of their own: what comes out, what is refused, what the process may do."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tempfile
import textwrap
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
from PIL import Image

from gridsvc.domain.likeness import twin_of
from gridsvc.domain.picture import accepted_kind
from gridsvc.errors import UnacceptedMedia
from gridsvc.picture_desk import Drawn, PictureDesk
from tests import hostile
from tests.unit.domain.test_likeness import scene

PIXELS = 50_000_000


@contextmanager
def lying(content: bytes) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        yield file


async def drawn(content: bytes) -> Drawn:
    with lying(content) as file:
        return await PictureDesk(PIXELS).draw(file)


def opened(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        image.load()
        return image


def red(image: Image.Image, x: float, y: float) -> bool:
    pixel = image.getpixel((int(image.width * x), int(image.height * y)))
    assert isinstance(pixel, tuple)
    return pixel[0] > 150 and pixel[2] < 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_the_three_accepted_kinds_become_a_jpeg_and_a_thumbnail(kind: str) -> None:
    content = hostile.photograph(2700, 2025, kind=kind)
    assert accepted_kind(content[:4096]) == kind.lower()
    result = await drawn(content)
    assert (result.width, result.height) == (2560, 1920)
    assert opened(result.shown).size == (2560, 1920)
    assert opened(result.thumb).size == (320, 240)


async def test_a_picture_that_lies_on_its_side_is_turned_upright() -> None:
    result = await drawn(hostile.photograph(400, 300, orientation=6))
    image = opened(result.shown)
    assert image.size == (300, 400)
    assert red(image, 0.9, 0.1)
    assert not red(image, 0.1, 0.1)


async def test_time_and_place_are_claims_and_are_not_in_what_is_shown() -> None:
    content = hostile.photograph(taken_at="2026:11:23 10:00:00", place=(103.834, 36.061), comment=b"<script>")
    result = await drawn(content)
    assert result.claims.taken_at == "2026:11:23 10:00:00"
    assert result.claims.lon == pytest.approx(103.834, abs=1e-6)
    assert result.claims.lat == pytest.approx(36.061, abs=1e-6)
    for shown in (result.shown, result.thumb):
        assert not opened(shown).getexif()
        assert b"<script>" not in shown
        assert b"2026:11:23" not in shown


@pytest.mark.parametrize("what", hostile.polyglots())
async def test_what_a_picture_is_beside_a_picture_is_gone(what: str) -> None:
    content, mark = hostile.polyglots()[what]
    assert mark in content
    result = await drawn(content)
    for shown in (result.shown, result.thumb):
        assert mark not in shown
        assert opened(shown).format == "JPEG"


async def test_of_an_animation_one_frame_is_drawn() -> None:
    result = await drawn(hostile.animation("WEBP", 200))
    assert opened(result.shown).size == (64, 48)


async def test_the_look_of_a_photograph_is_told_and_survives_another_quality() -> None:
    looks = []
    for quality in (95, 50):
        out = io.BytesIO()
        scene(3).save(out, "JPEG", quality=quality)
        looks.append((await drawn(out.getvalue())).look)
    assert twin_of(looks[0], looks[1]) is not None
    assert (await drawn(hostile.png_of(64, 48, hostile.png_chunk(b"IDAT", zlib.compress(bytes(65 * 48)))))).look is None


async def test_what_is_transparent_lies_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    assert opened((await drawn(out.getvalue())).shown).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16"])
async def test_grey_and_palette_pictures_are_drawn_too(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (50, 40)).save(out, "PNG")
    assert (await drawn(out.getvalue())).width == 50


async def test_metadata_that_turns_in_a_circle_ends_and_counts_as_none() -> None:
    result = await drawn(hostile.with_exif(hostile.photograph(), hostile.exif_that_turns_in_a_circle()))
    assert result.claims.taken_at is None
    assert result.width == 640


@pytest.mark.parametrize("what", hostile.strangers())
def test_a_stranger_is_refused_by_its_content(what: str) -> None:
    with pytest.raises(UnacceptedMedia) as refused:
        accepted_kind(hostile.strangers()[what])
    assert refused.value.facts["given"] == what


@pytest.mark.parametrize("what", hostile.broken())
async def test_what_cannot_be_decoded_is_refused(what: str) -> None:
    content = hostile.broken()[what]
    accepted_kind(content[:4096])
    with pytest.raises(UnacceptedMedia):
        await drawn(content)


async def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with lying(hostile.photograph(1100, 1000)) as file, pytest.raises(UnacceptedMedia, match="1100000 pixels"):
        await PictureDesk(1_000_000).draw(file)


async def test_a_picture_that_takes_too_long_is_refused_and_its_process_ended() -> None:
    with lying(hostile.photograph()) as file, pytest.raises(UnacceptedMedia, match="too long"):
        await PictureDesk(PIXELS, within_s=0.001).draw(file)


@pytest.mark.parametrize(
    ("what", "deed"),
    [
        ("opens no file", "open('/etc/hostname')"),
        ("opens no socket", "import_socket.socket()"),
        ("starts no process", "os.fork()"),
        ("writes no file", "os.write(scratch, b'x')"),
        ("takes no more than its memory", "bytearray(2 ** 30)"),
        ("takes no priority back", "os.nice(-5)"),
        ("raises no limit again", "resource.setrlimit(resource.RLIMIT_CPU, (100, 100))"),
    ],
)
def test_the_process(what: str, deed: str) -> None:
    script = f"""
        import os, resource, socket as import_socket, tempfile
        from gridsvc import picture_process
        kept = tempfile.TemporaryFile()
        scratch = kept.fileno()
        picture_process.limit_this_process()
        try:
            {deed}
        except (OSError, MemoryError, ValueError) as refused:
            os.write(1, b"refused")
        else:
            os.write(1, b"done")
        os._exit(0)
    """
    answer = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, check=False, timeout=20
    )
    assert answer.stdout == b"refused", what


def test_the_process_takes_no_more_time_of_the_processor_than_it_may() -> None:
    script = """
        from gridsvc import picture_process
        picture_process.CPU_SECONDS = 1
        picture_process.limit_this_process()
        while True:
            pass
    """
    ended = subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(script)], check=False, timeout=120)
    assert ended.returncode in {-signal.SIGXCPU, -signal.SIGKILL}
