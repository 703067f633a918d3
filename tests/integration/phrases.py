"""What callers say of places in the demo city, made from its own names with the noise that people make."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import shapely
from pypinyin import lazy_pinyin

from geo.place import Place
from gridsvc.domain.gazetteer import PlaceKind
from gridsvc.local.city_plan import City, Feature

SUFFIXES = ("街道", "社区", "路", "街", "巷")


@dataclass(frozen=True)
class Phrase:
    """What is said, where the desk's map stands (None: anywhere), and the place that is meant (WGS-84)."""

    said: str
    near: Place | None
    kind: str
    lon: float
    lat: float
    code: str | None = None


def phrases(city: City, many: int, seed: int = 1) -> list[Phrase]:
    """So many phrases, of each kind in turn; the same seed says the same."""
    rng = random.Random(seed)
    makers = (_crossing, _crossing, _house, _landmark, _landmark, _division, _component, _crossing)
    teller = _Teller(city, rng)
    return [teller.misspelled(makers[n % len(makers)](teller)) for n in range(many)]


class _Teller:
    def __init__(self, city: City, rng: random.Random) -> None:
        self.rng = rng
        self.city = city
        self.roads = [f for f in city.land.features if f.layer == "roads"]
        self.divisions = [d for d in city.land.divisions if d.level in {"street", "community"}]
        self.landmarks = [p for p in city.points if p.kind is PlaceKind.LANDMARK]
        self.houses = [p for p in city.points if p.kind is PlaceKind.ADDRESS]
        # Characters that a keyboard offers for the same letters, each with the others.
        sounds: dict[str, list[str]] = {}
        for sign in (
            "金银永安和兴福祥华春新文长瑞康宁明德泰顺河山桥园苑湾滩门泉林光阳城里坪台柳槐枣杏桃梨榆松柏竹兰菊荷桂梅枫"
            "今音勇按合星富响花纯心问常睿抗凝名得太舜何衫乔圆院弯贪们全临广杨成理平抬流怀早幸逃离鱼送百主蓝局河贵没风"
            "庆情阳羊津斤武五都嘟张章掖夜白百银音定订建见宁酒九泉静敬皋高兰天田水渭位源原嘉家峪玉雁燕"
        ):
            sounds.setdefault(lazy_pinyin(sign)[0], []).append(sign)
        self.alike = {sign: [o for o in signs if o != sign] for signs in sounds.values() for sign in signs}
        self.twice = {
            name
            for names in (
                [f.name for f in self.roads],
                [d.name for d in self.divisions],
                [p.name for p in city.points],
            )
            for name, count in Counter(names).items()
            if count > 1
        }

    def near(self, lon: float, lat: float, *names: str) -> Place | None:
        """A desk looks at the part of the city that it talks about; where a name stands twice it must."""
        if self.twice.isdisjoint(names) and self.rng.random() < 0.7:
            return None
        return Place(lon + self.rng.uniform(-0.004, 0.004), lat + self.rng.uniform(-0.003, 0.003))

    def district(self, lon: float, lat: float) -> str:
        """Now and then the district is said before the place."""
        if self.rng.random() < 0.8:
            return ""
        here = shapely.Point(lon, lat)
        return next((d.name for d in self.city.land.divisions if d.level == "district" and d.outline.covers(here)), "")

    def misspelled(self, phrase: Phrase) -> Phrase:
        """One phrase in eight has a character of the same sound instead of the right one (张叶路)."""
        if self.rng.random() < 0.875:
            return phrase
        places = [i for i, sign in enumerate(phrase.said) if self.alike.get(sign)]
        if not places:
            return phrase
        at = self.rng.choice(places)
        wrong = self.rng.choice(self.alike[phrase.said[at]])
        return replace(phrase, said=phrase.said[:at] + wrong + phrase.said[at + 1 :])

    def in_letters(self, words: str) -> str:
        """As somebody types who has no Chinese keyboard."""
        style = self.rng.choice(("", " ", "cap"))
        parts = [p if p.strip() else "" for p in lazy_pinyin(words)]
        return "".join(p.capitalize() for p in parts) if style == "cap" else style.join(parts)

    def noisy(self, words: str) -> str:
        """附近, 门口 and the like behind it, or 在 before it."""
        words += self.rng.choice(("", "", "", "附近", "门口", "旁边", "对面"))
        return ("在" if self.rng.random() < 0.1 else "") + words


def _short(rng: random.Random, name: str) -> str:
    """A third of the time without its last word, if something is left."""
    end = next((s for s in SUFFIXES if name.endswith(s) and len(name) - len(s) >= 2), "")
    return name.removesuffix(end) if end and rng.random() < 0.35 else name


def _crossing(t: _Teller) -> Phrase:
    one, other, point = _meeting(t)
    names = [_short(t.rng, one.name), _short(t.rng, other.name)]
    t.rng.shuffle(names)
    say: Callable[[str, str], str] = t.rng.choice(
        (
            lambda a, b: f"{a}和{b}交叉口",
            lambda a, b: f"{a}与{b}路口",
            lambda a, b: f"{a}{b}口",
            lambda a, b: f"{a}、{b}十字",
            lambda a, b: f"{a} {b}",
            lambda a, b: f"{a}/{b}",
            lambda a, b: f"{a}与{b}交汇处",
            lambda a, b: f"{a}跟{b}十字路口",
        )
    )
    said = t.district(point.x, point.y) + t.noisy(say(*names))
    if t.rng.random() < 0.2:
        said = t.in_letters(f"{one.name}{other.name}路口")
    return Phrase(said, t.near(point.x, point.y, one.name, other.name), "crossing", point.x, point.y)


def _meeting(t: _Teller) -> tuple[Feature, Feature, shapely.Point]:
    while True:
        one = t.rng.choice(t.roads)
        others = [f for f in t.roads if f.name != one.name and shapely.intersects(f.outline, one.outline)]
        if others:
            other = t.rng.choice(others)
            met = shapely.intersection(one.outline, other.outline)
            if isinstance(met, shapely.Point):
                return one, other, met


def _house(t: _Teller) -> Phrase:
    point = t.rng.choice(t.houses)
    road = point.road if t.rng.random() < 0.8 else _short(t.rng, point.road)
    number = t.rng.choice(
        (f"{point.house}号", f"{point.house}", f"{point.house} 号", f"{_chinese(point.house or 0)}号")
    )
    said = t.district(point.place.lon, point.place.lat) + t.noisy(road + number)
    if t.rng.random() < 0.2:
        said = t.in_letters(point.road) + f" {point.house} hao"
    near = t.near(point.place.lon, point.place.lat, point.name, point.road)
    return Phrase(said, near, "house", point.place.lon, point.place.lat)


def _chinese(number: int) -> str:
    digits = "零一二三四五六七八九"
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    said = f"{digits[hundreds]}百" if hundreds else ""
    if tens or (hundreds and ones):
        said += ("" if tens == 1 and not hundreds else digits[tens]) + ("十" if tens else "")
    return said + (digits[ones] if ones or not number else "")


def _landmark(t: _Teller) -> Phrase:
    point = t.rng.choice(t.landmarks)
    name = t.rng.choice((point.name, *point.aliases))
    if t.rng.random() < 0.3 and len(name) >= 5:
        left_out = t.rng.randrange(2, len(name) - 1)
        name = name[:left_out] + name[left_out + 1 :]
    said = t.district(point.place.lon, point.place.lat) + t.noisy(name)
    if t.rng.random() < 0.25:
        said = t.in_letters(point.name)
    near = t.near(point.place.lon, point.place.lat, point.name)
    return Phrase(said, near, "landmark", point.place.lon, point.place.lat)


def _division(t: _Teller) -> Phrase:
    division = t.rng.choice(t.divisions)
    middle = division.outline.representative_point()
    said = t.noisy(_short(t.rng, division.name))
    if t.rng.random() < 0.25:
        said = t.in_letters(division.name)
    near = t.near(middle.x, middle.y, division.name, _short(t.rng, division.name))
    return Phrase(said, near, "division", middle.x, middle.y, division.code)


def _component(t: _Teller) -> Phrase:
    component = t.rng.choice(t.city.components)
    number = component.name[-4:-1]
    said = t.rng.choice(
        (
            component.name,
            component.name.replace(number, str(int(number))),
            component.name.removesuffix("号"),
            component.code,
            t.in_letters(component.name),
        )
    )
    return Phrase(
        said,
        t.near(component.place.lon, component.place.lat, component.name),
        "component",
        component.place.lon,
        component.place.lat,
        component.code,
    )
