"""Tiles that were made once are kept by bytes; what several ask for is made once; what nobody waits for is not made."""

from __future__ import annotations

import asyncio
import os

import pytest

from gridsvc.api.tile_cache import ClientGone, TileCache, TileKey, pack


def key(x: int, layer: str = "cells", scope: str = "", version: str = "1") -> TileKey:
    return TileKey(layer, 14, x, 0, scope, version)


def here() -> bool:
    return False


async def body_of(size: int) -> bytes:
    return os.urandom(size)  # does not pack


async def test_what_was_made_is_known_and_a_tile_of_nothing_too() -> None:
    cache = TileCache(10_000)
    made, first = await cache.made(key(1), lambda: body_of(100), here)
    assert (first, cache.known(key(1)), len(made.plain())) == (True, made, 100)
    empty, _ = await cache.made(key(2), lambda: body_of(0), here)
    assert (empty.packed, empty.plain(), cache.known(key(2))) == (b"", b"", empty)


@pytest.mark.parametrize("other", [key(2), key(1, layer="beats"), key(1, scope="620102"), key(1, version="2")])
async def test_a_tile_is_no_other(other: TileKey) -> None:
    cache = TileCache(10_000)
    await cache.made(key(1), lambda: body_of(100), here)
    assert cache.known(other) is None


async def test_the_least_used_go_when_the_bytes_are_full() -> None:
    cache = TileCache(5_000)
    for x in range(3):
        await cache.made(key(x), lambda: body_of(1_000), here)
    assert cache.known(key(0)) is not None  # used: now the second is the oldest
    await cache.made(key(3), lambda: body_of(1_000), here)
    assert [x for x in range(4) if cache.known(key(x))] == [0, 2, 3]
    assert cache.held <= 5_000
    await cache.made(key(4), lambda: body_of(6_000), here)  # larger than all there is room for: made, not kept
    assert (cache.known(key(4)), len(cache)) == (None, 3)


async def test_a_layer_is_forgotten_and_the_bytes_with_it() -> None:
    cache = TileCache(10_000)
    await cache.made(key(1), lambda: body_of(100), here)
    await cache.made(key(1, layer="beats"), lambda: body_of(100), here)
    held = cache.held
    cache.forget("cells")
    assert (cache.known(key(1)), len(cache), cache.held) == (None, 1, held // 2)


async def test_a_tile_that_cannot_be_made_is_told_to_all_who_wait_and_tried_anew() -> None:
    cache, go, tries = TileCache(10_000), asyncio.Event(), 0

    async def fails() -> bytes:
        nonlocal tries
        tries += 1
        await go.wait()
        raise OSError("the database is away")

    asking = [asyncio.create_task(cache.made(key(1), fails, here)) for _ in range(3)]
    go.set()
    assert [type(each) for each in await asyncio.gather(*asking, return_exceptions=True)] == [OSError] * 3
    assert tries == 1
    assert len((await cache.made(key(1), lambda: body_of(100), here))[0].plain()) == 100


async def test_the_last_to_go_ends_the_making() -> None:
    cache, gone, begun, ended = TileCache(10_000), {1: False, 2: False}, asyncio.Event(), asyncio.Event()

    async def make() -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return b""

    first, second = (asyncio.create_task(cache.made(key(1), make, lambda n=n: gone[n])) for n in gone)  # type: ignore[misc]
    await begun.wait()
    gone[1] = True
    with pytest.raises(ClientGone):
        await first
    assert (ended.is_set(), cache.waiting()) == (False, {key(1): 1})
    gone[2] = True
    with pytest.raises(ClientGone):
        await second
    await ended.wait()
    assert cache.waiting() == {}


def test_the_same_bytes_have_the_same_digest_and_others_another() -> None:
    assert pack(b"tile") == pack(b"tile")
    assert pack(b"tile").digest != pack(b"tiles").digest
