"""Voice notes: what is one by its content from the first byte to the last, and what only begins like one."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.sound import seems_sound, sound_kind
from gridsvc.errors import UnacceptedMedia
from tests import sounds


@pytest.mark.parametrize("what", sounds.whole())
def test_a_voice_note_is_known_by_its_content(what: str) -> None:
    content, media_type = sounds.whole()[what]
    assert seems_sound(content[:4096])
    assert sound_kind(content) == media_type


@pytest.mark.parametrize("what", sounds.broken())
def test_what_only_begins_like_a_voice_note_is_refused_and_told_why(what: str) -> None:
    content = sounds.broken()[what]
    assert seems_sound(content[:4096])
    with pytest.raises(UnacceptedMedia, match="the voice note cannot be kept: "):
        sound_kind(content)


@given(st.sampled_from(sorted(sounds.whole())), st.data())
def test_a_spoilt_voice_note_is_refused_or_kept_and_never_breaks_its_reader(what: str, data: st.DataObject) -> None:
    content = bytearray(sounds.whole()[what][0])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnacceptedMedia):
        assert sound_kind(bytes(content)).startswith("audio/")


@pytest.mark.parametrize("head", [b"", b"RIFF\x00\x00\x00\x00WEBP", b"\xff\xd8\xff", b"ID3\x04", b"....ftypheic"])
def test_other_files_do_not_seem_to_be_voice_notes(head: bytes) -> None:
    assert not seems_sound(head)
