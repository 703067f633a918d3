"""Places by words: what somebody says on the telephone, and the places that it may mean, the likeliest first.

Everything is compared twice: by characters, and by pinyin without tones, so that what is typed in letters
or with the wrong character of the same sound is found too. The rules and their numbers: docs/rules/places.md.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin

from geo.place import Place


class PlaceKind(StrEnum):
    """What a named place is."""

    CROSSING = "crossing"
    ADDRESS = "address"
    LANDMARK = "landmark"
    DIVISION = "division"
    ROAD = "road"
    COMPONENT = "component"


class Match(StrEnum):
    """How the words fit the place."""

    EXACT = "exact"
    PARTIAL = "partial"
    SOUNDS_LIKE = "sounds_like"
    NEAREST_NUMBER = "nearest_number"


@dataclass(frozen=True, kw_only=True)
class Named:
    """A place that has a name. `divisions` are names from the city down to the one it lies in.

    `roads` are the two of a crossing, or the one of an address, whose number is `house`.
    """

    kind: PlaceKind
    name: str
    lon: float
    lat: float
    code: str | None = None
    divisions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    roads: tuple[str, ...] = ()
    house: int | None = None


@dataclass(frozen=True, kw_only=True)
class Meant:
    """A place that the words may mean; `score` is 1 where nothing is left open."""

    place: Named
    score: float
    match: Match
    why: str


LEAST: Final = 0.4
"""A place whose score is lower is none that anybody meant."""

_STEM: Final = 0.92  # 张掖 for 张掖路
_SOUND: Final = 0.95  # the same in pinyin
_APART: Final = 0.7  # a road, where two are named that do not meet
_HINT: Final = 0.06  # lies in a division that is named beside it
_FAR: Final = 0.05  # taken off in full at this many metres from where the asker looks
_FAR_M: Final = 5_000.0
_ONE_PLACE_M: Final = 50.0  # of one name and this near each other: said once
_NUMBER_STEP: Final = 0.004  # per house number that is between; at most
_NUMBER_MOST: Final = 0.25
_CANDIDATES: Final = 60  # names compared letter by letter, of those that share most pieces with the words

_ROAD_ENDS: Final = ("大道", "大街", "路", "街", "巷", "道")
_DIVISION_ENDS: Final = ("街道", "社区", "区", "县", "市", "镇", "乡", "村")
# What is said around a place and names none; longer words first.
_NOISE: Final = (
    "十字路口", "交叉路口", "丁字路口", "交叉口", "交汇处", "交汇口", "交界处", "相交处", "十字", "路口", "交叉",
    "附近", "旁边", "对面", "门口", "门前", "靠近", "这边", "那边", "那里", "这里", "跟前",
    "往东", "往西", "往南", "往北", "东侧", "西侧", "南侧", "北侧",
    "口", "和", "与", "跟", "在", "的", "旁", "处", "号", "东", "西", "南", "北",
    "jiaochakou", "lukou", "shizi", "fujin", "pangbian", "duimian", "menkou", "hao", "he", "yu",
)  # fmt: skip
_DIGITS: Final = {digit: n for n, digit in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}


def normal(words: str) -> str:
    """Words as they are compared: one width, small letters, no blanks or signs, 十二号 as 12号, 012 as 12."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", words).lower() if c.isalnum())
    plain = re.sub(r"[〇零一二两三四五六七八九十百]+(?=号)", lambda found: str(_number(found[0])), plain)
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)


def _number(text: str) -> int:
    """A Chinese number below a thousand."""
    if not any(sign in text for sign in "十百"):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    total = 100 * _DIGITS.get(hundreds, 0)
    total += 10 * (_DIGITS.get(tens.lstrip("零〇"), 1) if ten else 0)
    return total + _DIGITS.get(ones.lstrip("零〇"), 0)


@dataclass(frozen=True)
class _Spelled:
    """Words with their sound; `at[i]` is where the sound of character i begins, `at[-1]` where the last one ends."""

    text: str
    sound: str
    at: tuple[int, ...]


def _spell(text: str) -> _Spelled:
    """Letters and digits sound as they are written; pypinyin reads a run of characters as a phrase (重庆, 长安)."""
    parts: list[str] = []
    for run in re.findall(r"[a-z0-9]+|[^a-z0-9]+", text):
        sounds = list(run) if run[0].isascii() else lazy_pinyin(run)
        # Characters that pypinyin does not know come back together: then each is asked alone.
        parts += sounds if len(sounds) == len(run) else ["".join(lazy_pinyin(sign)) for sign in run]
    at = [0]
    for part in parts:
        at.append(at[-1] + len(part))
    return _Spelled(text, "".join(parts), tuple(at))


@lru_cache(maxsize=4_096)
def syllables(text: str) -> str:
    """How some words sound, syllable by syllable, without tones; what is written in letters stays a word."""
    parts: list[str] = []
    for run in re.findall(r"[a-z0-9]+|[^\W_a-z0-9]+", text.lower()):
        parts += [run] if run[0].isascii() else lazy_pinyin(run)
    return " ".join(parts)


@dataclass(frozen=True)
class _Name:
    """One spelling of some places; `stem` is it without its last word (路, 社区)."""

    spelled: _Spelled
    stem: _Spelled | None
    places: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Hit:
    """A road, or a division, whose name stands in the words: where (in the sound), and how well it fits."""

    name: str
    start: int
    end: int
    quality: float
    by_sound: bool


class Gazetteer:
    """The named places of a city, ready to be asked. Making one takes some seconds for 50 000 names."""

    def __init__(self, places: Iterable[Named]) -> None:
        self._places = list(places)
        self._roads: dict[str, _Name] = {}
        self._areas: dict[str, _Name] = {}
        self._crossings: dict[frozenset[str], list[int]] = defaultdict(list)
        self._houses: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._stretches: dict[str, list[int]] = defaultdict(list)
        names: dict[str, _Name] = {}
        for number, place in enumerate(self._places):
            if place.kind is PlaceKind.CROSSING:
                self._crossings[frozenset(map(normal, place.roads))].append(number)
                continue
            if place.kind is PlaceKind.ADDRESS and place.house is not None:
                self._houses[normal(place.roads[0])][place.house].append(number)
                self._know(self._roads, place.roads[0], _ROAD_ENDS)
                continue
            ends = _DIVISION_ENDS if place.kind is PlaceKind.DIVISION else _ROAD_ENDS
            for spelling in (place.name, *place.aliases):
                self._know(names, spelling, ends).places.append(number)
            if place.kind is PlaceKind.ROAD:
                self._stretches[normal(place.name)].append(number)
                self._know(self._roads, place.name, _ROAD_ENDS)
            if place.kind is PlaceKind.DIVISION:
                self._know(self._areas, place.name, _DIVISION_ENDS)
        for roads in list(self._crossings):
            for road in roads:
                self._know(self._roads, road, _ROAD_ENDS)
        self._names = list(names.values())
        self._by_pieces: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for piece in {*_pairs(name.spelled.text), *_threes(name.spelled.sound)}:
                self._by_pieces[piece].append(number)

    def __len__(self) -> int:
        return len(self._places)

    @staticmethod
    def _know(names: dict[str, _Name], spelling: str, ends: Sequence[str]) -> _Name:
        text = normal(spelling)
        if text not in names:
            end = next((end for end in ends if text.endswith(end) and len(text) - len(end) >= 2), None)
            names[text] = _Name(_spell(text), _spell(text.removesuffix(end)) if end else None)
        return names[text]

    def find(self, words: str, near: Place | None = None, limit: int = 5) -> list[Meant]:
        """The places that `words` may mean, the likeliest first; none of a score below LEAST.

        `near` is where the asker looks (WGS-84): of two alike the nearer is meant. On a full tie the name decides.
        """
        said = _spell(normal(words))
        if not said.text:
            return []
        areas = list(self._areas_in(said))
        found: dict[int, Meant] = {}
        for number, meant in (*self._at_roads(said, areas), *self._by_name(said, areas)):
            if number not in found or found[number].score < meant.score:
                found[number] = meant
        ranked = sorted(
            (self._weighed(meant, areas, near) for meant in found.values()),
            key=lambda each: (-each[0], each[1].place.name, each[1].place.lon, each[1].place.lat),
        )
        told: list[Meant] = []
        for _, meant in ranked:
            if meant.score >= LEAST and len(told) < limit and not any(_same(meant.place, each.place) for each in told):
                told.append(meant)
        return told

    def _weighed(self, meant: Meant, areas: Sequence[_Hit], near: Place | None) -> tuple[float, Meant]:
        weight = meant.score
        inside = {normal(name) for name in meant.place.divisions}
        if any(area.name in inside for area in areas):
            weight += _HINT
        if near is not None:
            weight -= _FAR * min(1.0, _metres(near, meant.place) / _FAR_M)
        return round(weight, 6), meant

    # -- what stands in the words -------------------------------------------------------------

    def _areas_in(self, said: _Spelled) -> Iterator[_Hit]:
        """Divisions named in full, beside something else; 张掖路街道 must not hide 张掖路."""
        for text, name in self._areas.items():
            start = said.text.find(text)
            if start >= 0 and len(text) < len(said.text):
                yield _Hit(text, said.at[start], said.at[start + len(text)], 1.0, by_sound=False)
            elif start < 0 and len(name.spelled.sound) >= 6:
                start = said.sound.find(name.spelled.sound)
                if start >= 0 and len(name.spelled.sound) < len(said.sound):
                    yield _Hit(text, start, start + len(name.spelled.sound), _SOUND, by_sound=True)

    def _roads_in(self, said: _Spelled, areas: Sequence[_Hit]) -> list[_Hit]:
        """Roads whose names stand in the words, the longest first, none inside another or inside a division's name."""
        hits = [hit for text, name in self._roads.items() for hit in _hits(said, text, name)]
        hits.sort(key=lambda hit: (-(hit.end - hit.start) * hit.quality, hit.start, hit.name))
        taken: list[_Hit] = []
        for hit in hits:
            free = all(hit.end <= other.start or other.end <= hit.start for other in (*taken, *areas))
            # Two names of one sound (民主路, 民祝路) may both be meant; so they may stand in one place.
            same = any((hit.start, hit.end, hit.quality) == (o.start, o.end, o.quality) for o in taken)
            if free or same:
                taken.append(hit)
        return taken

    # -- crossings and house numbers ----------------------------------------------------------

    def _at_roads(self, said: _Spelled, areas: Sequence[_Hit]) -> Iterator[tuple[int, Meant]]:
        roads = self._roads_in(said, areas)
        met = False
        for i, one in enumerate(roads):
            for other in roads[i + 1 :]:
                share = _covered(said, (one, other, *areas)) * min(one.quality, other.quality)
                for number in self._crossings.get(frozenset((one.name, other.name)), ()):
                    match = _match_of(share, by_sound=one.by_sound or other.by_sound)
                    names, met = " and ".join(self._places[number].roads), True
                    yield (
                        number,
                        Meant(place=self._places[number], score=share, match=match, why=f"the crossing of {names}"),
                    )
        for road in roads:
            yield from self._at_number(said, road, areas)
            if len(roads) > 1 and not met:
                for number in self._stretches.get(road.name, ()):
                    yield number, Meant(
                        place=self._places[number], score=_APART * road.quality, match=Match.PARTIAL,
                        why="one of the roads named, which do not meet",
                    )  # fmt: skip

    def _at_number(self, said: _Spelled, road: _Hit, areas: Sequence[_Hit]) -> Iterator[tuple[int, Meant]]:
        houses = self._houses.get(road.name)
        after = re.match(r"(?:lu|jie|xiang|路|街|巷)?([0-9]{1,5})", said.sound[road.end :])
        if not houses or after is None:
            return
        wanted = int(after[1])
        number = _Hit(after[1], road.end, road.end + after.end(), 1.0, by_sound=False)
        share = _covered(said, (road, number, *areas)) * road.quality
        # The same side of the street first: odd and even numbers face each other.
        nearest = min(houses, key=lambda house: (abs(house - wanted) + (house - wanted) % 2, house))
        for at in houses[nearest]:
            if nearest == wanted:
                match, why, off = _match_of(share, by_sound=road.by_sound), "the house number", 0.0
            else:
                off = min(_NUMBER_MOST, 0.05 + _NUMBER_STEP * abs(nearest - wanted))
                match, why = Match.NEAREST_NUMBER, f"the nearest number known to {wanted}"
            yield at, Meant(place=self._places[at], score=share - off, match=match, why=why)

    # -- names ---------------------------------------------------------------------------------

    def _by_name(self, said: _Spelled, areas: Sequence[_Hit]) -> Iterator[tuple[int, Meant]]:
        core = _spell(_core(said, areas))
        for phrase in {said.text: said, core.text: core}.values():
            pieces = sorted({*_pairs(phrase.text), *_threes(phrase.sound)})  # in one order, for ties at the cut
            shared = Counter(number for piece in pieces for number in self._by_pieces.get(piece, ()))
            for number, _ in shared.most_common(_CANDIDATES):
                name = self._names[number]
                score, match, why = _alike(phrase, name)
                for at in name.places:
                    yield at, Meant(place=self._places[at], score=score, match=match, why=why)


def _hits(said: _Spelled, text: str, name: _Name) -> Iterator[_Hit]:
    """Where a road's name stands in the words: in full or without 路, by character or by sound.

    Everywhere: 永安路 stands in 新永安路 too, and may be said behind it.
    """
    for spelled, quality in ((name.spelled, 1.0), (name.stem, _STEM)):
        if spelled is None:
            continue
        written = [
            _Hit(text, said.at[start], said.at[start + len(spelled.text)], quality, by_sound=False)
            for start in _starts(said.text, spelled.text)
        ]
        yield from written
        if not written and len(spelled.sound) >= 5:
            for start in _starts(said.sound, spelled.sound):
                yield _Hit(text, start, start + len(spelled.sound), quality * _SOUND, by_sound=True)


def _starts(text: str, part: str) -> Iterator[int]:
    start = text.find(part)
    while start >= 0:
        yield start
        start = text.find(part, start + 1)


def _covered(said: _Spelled, hits: Sequence[_Hit]) -> float:
    """How much of the words is explained, noise included: 1 is all of it, and a half of it counts a half."""
    explained = bytearray(len(said.sound))
    for hit in hits:
        explained[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
    for start, end in _noise(said):
        explained[start:end] = b"\1" * (end - start)
    return sum(explained) / len(explained)


def _noise(said: _Spelled) -> Iterator[tuple[int, int]]:
    for word in _NOISE:
        for start in _starts(said.text, word):
            yield said.at[start], said.at[start + len(word)]


def _core(said: _Spelled, areas: Sequence[_Hit]) -> str:
    """The words without divisions that stand beside, without 在 before them and 附近 and the like behind."""
    text = said.text.removeprefix("在")
    for area in sorted(areas, key=lambda area: -len(area.name)):
        if not area.by_sound and len(text) - len(area.name) >= 2:
            text = text.replace(area.name, "")
    ends = [word for word in _NOISE if len(word) >= 2 and not word.isascii()]
    shorter = next((text.removesuffix(word) for word in ends if text.endswith(word)), text)
    return shorter if len(shorter) >= 2 else text


def _alike(said: _Spelled, name: _Name) -> tuple[float, Match, str]:
    """How well words fit a name, by character or by sound, whichever is better."""
    text, sound = name.spelled.text, name.spelled.sound
    if said.text == text:
        return 1.0, Match.EXACT, "the name"
    if name.stem is not None and said.text == name.stem.text:
        return 0.97, Match.PARTIAL, "the name without its last word"
    if said.sound == sound or (name.stem is not None and said.sound == name.stem.sound):
        return _SOUND, Match.SOUNDS_LIKE, "sounds like the name"
    by_text = _fit(_common(said.text, text), len(said.text), len(text))
    heard, written = Counter(_threes(said.sound)), Counter(_threes(sound))
    by_sound = _SOUND * _fit((heard & written).total(), heard.total(), written.total()) if heard and written else 0.0
    if by_text >= by_sound:
        return by_text, Match.PARTIAL, "a part of the name"
    return by_sound, Match.SOUNDS_LIKE, "sounds like a part of the name"


def _fit(common: int, said: int, written: int) -> float:
    """What was said counts a little more than what was left out: people shorten names and do not lengthen them."""
    return 0.55 * common / said + 0.45 * 2 * common / (said + written)


def _common(one: str, other: str) -> int:
    """How many characters they share in the same order."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for i, b in enumerate(other, start=1):
            before, row[i] = row[i], before + 1 if a == b else max(row[i], row[i - 1])
    return row[-1]


def _match_of(share: float, *, by_sound: bool) -> Match:
    if by_sound:
        return Match.SOUNDS_LIKE
    return Match.EXACT if share >= 1.0 else Match.PARTIAL


def _pairs(text: str) -> list[str]:
    """Neighbouring characters; those of letters alone are left to the sound."""
    return [text[i : i + 2] for i in range(len(text) - 1) if not text[i : i + 2].isascii()]


def _threes(sound: str) -> list[str]:
    return [sound[i : i + 3] for i in range(len(sound) - 2)]


def _same(one: Named, other: Named) -> bool:
    """Whether two are one place to whoever asks: two carriageways cross a road twice within some metres."""
    alike = (one.kind, normal(one.name), one.code) == (other.kind, normal(other.name), other.code)
    return alike and _metres(Place(one.lon, one.lat), other) <= _ONE_PLACE_M


def _metres(place: Place, other: Named) -> float:
    """Near enough for a preference: on a sphere, with the parallel of `place`."""
    up = (other.lat - place.lat) * 111_195.0
    across = (other.lon - place.lon) * 111_195.0 * math.cos(math.radians(place.lat))
    return math.hypot(up, across)
