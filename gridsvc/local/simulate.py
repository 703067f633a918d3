"""The simulator: people of the demo city report, walk, work and check, as clients of the service like any other."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

from gridsvc.errors import Unavailable
from gridsvc.local.city_ground import COLUMNS, ROWS
from gridsvc.local.city_people import CAMERAS, CITY, camera_code, desk_name
from gridsvc.local.city_plan import dice
from gridsvc.local.service_client import Answer, Login, ServiceClient, Who
from gridsvc.local.simulate_book import hand_over_of, shift_number
from gridsvc.local.simulate_crowd import Crowd, Demo, Walker, a_main, another_case, first_id, next_crossing
from gridsvc.local.simulate_desk import (
    REPLACE_EVERY,
    TEND_EVERY,
    calls,
    meaning,
    number_of,
    replaced,
    tended,
    verdicts,
    wrong_page,
)
from gridsvc.local.simulate_intake import SimulatedIntake
from gridsvc.local.simulate_map import LOOK_EVERY, tiles_wanted
from gridsvc.local.simulate_notices import read, rest
from gridsvc.local.simulate_outages import moved, next_outage_step
from gridsvc.local.simulate_picture import picture
from gridsvc.local.simulate_rota import Choices, handed, is_all_simulated, is_away, loses_phone
from gridsvc.local.simulate_rules import (
    IN_PARTS,
    MARK,
    SPOKEN,
    By,
    Coming,
    Kind,
    SeenCase,
    Source,
    Step,
    next_step,
    picture_number,
    report_number,
    reports_owed,
    reports_per_hour,
    told_later,
)
from gridsvc.local.simulate_sound import voice_note
from gridsvc.local.simulate_tally import Tally
from gridsvc.local.simulate_visits import PLANNED_AT_ONCE, plans_of_today, result_of, to_make
from gridsvc.local.starter_categories import PLANNED

log = logging.getLogger(__name__)

ZONE: Final = ZoneInfo("Asia/Shanghai")

_WITH_PICTURE: Final = 0.25  # of officers' reports; the service draws each picture anew, 0.2 s of a core
_ASKED_WHY: Final = 200  # cases whose routing is asked at the end of a run
_OPEN: Final = tuple(
    ("state", state) for state in ("reported", "filed", "assigned", "accepted", "in_progress", "handled")
)
_BEHIND: Final = timedelta(seconds=40)  # the clocks of phones that had no network
_MARKED: Final = (("q", MARK),)
_RACES: Final = frozenset({"version_conflict", "wrong_moment", "call_over"})
"""Refusals that only say that the city moved on while somebody was deciding: a person meets them too."""

_OF_THE_OTHER_CASE: Final = frozenset({"goes_on", "no_chain"})
"""Conditions of the case that another is merged into or linked to: it may have moved on just as well."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast the city lives. Requests per second are bounded by what is done per look and the time between looks."""

    speed: float  # so many times faster than life people decide and work
    day_speed: float  # so many times faster the day itself goes round: shifts, and the hours of reports
    busiest_hour: float  # reports in the busiest hour of the day
    quietest: float = 0.0  # no hour has fewer than this share of the busiest
    most_open: int  # no new report while so many simulated cases are open
    look_s: float
    steps_per_look: int
    walks_per_look: int
    most_on_duty: int = 1_000
    camera_chance: float = 0.5  # that some camera sees something begin, in one look
    storm_looks: int = 40  # after so many looks a camera storms
    rota: bool = False  # whether officers hand over, are away and lose phones: many changes at once


GENTLE: Final = Pace(
    # Two steps, two walks and seldom a report every three seconds: at most two changes a second.
    # A case lives about 20 minutes.
    speed=4, day_speed=1, busiest_hour=160, quietest=0.5, most_open=100, look_s=3, steps_per_look=2, walks_per_look=2,
    camera_chance=0.02, storm_looks=1_200,
)  # fmt: skip


def fast(speed: float, busiest_hour: float, most_on_duty: int) -> Pace:
    """The whole day at `speed` times its time."""
    return Pace(
        speed=speed, day_speed=speed, busiest_hour=busiest_hour, most_open=2_000,
        look_s=min(2.0, max(0.2, 60 / speed)), steps_per_look=64, walks_per_look=4,
        most_on_duty=most_on_duty, rota=True,
    )  # fmt: skip


class Simulation:
    """One run. Everything that it must remember is how long it has seen each case stand as it is."""

    def __init__(self, client: ServiceClient, crowd: Crowd, pace: Pace, seed: int, began: datetime) -> None:
        self.tally = Tally()
        self._client = client
        self._crowd = crowd
        self._pace = pace
        self._seed = seed
        self._rng = dice(f"{seed}/run {began.isoformat()}")
        self._began = began
        self._zero = asyncio.get_running_loop().time()
        self._kinds: list[Kind] = []
        codes = [camera_code(number) for number in range(1, CAMERAS + 1)]
        run = began.isoformat(timespec="seconds")
        self._intake = SimulatedIntake(
            client, crowd, self.tally, seed, run, codes, pace.camera_chance, pace.storm_looks
        )
        self._reported = 0
        self._owed = 0.0
        self._paid_until = 0.0
        self._open: list[SeenCase] = []
        self._closed: list[SeenCase] = []
        self._looks = 0
        self._since: dict[str, tuple[object, float]] = {}
        self._present: set[str] = set()
        self._shift: int | None = None  # of the dispatchers, whose book is kept
        self._ahead = timedelta()  # of the city's clock before ours
        self._troubled: set[tuple[str, datetime]] = set()  # who was away or lost a phone, in which hour

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the run began."""
        return asyncio.get_running_loop().time() - self._zero

    @property
    def local(self) -> datetime:
        """What the simulated day's clock shows, in the city's zone."""
        return self._began + timedelta(seconds=self.elapsed_s * self._pace.day_speed)

    async def play(self, hours: float | None = None) -> AsyncIterator[Tally]:
        """Live `hours` of the day's clock, or for ever; yields after each look. Raises Unavailable with the service."""
        while hours is None or self.elapsed_s * self._pace.day_speed < hours * 3600:
            await self.look_once()
            yield self.tally
            await asyncio.sleep(self._pace.look_s)

    async def look_once(self) -> None:
        """Change duty, report, see how all open cases stand, do what is due, call back, err, fail, walk."""
        if not self._kinds:
            told = await self._get("/api/v1/categories")
            planned = {each.code for each in PLANNED}  # what plans bring nobody reports
            self._kinds = [Kind.of(item) for item in told["items"] if item["code"] not in planned]
            if self._pace.rota:
                await self._plan_visits()
        await self._change_duty()
        if self._pace.rota:
            await self._trouble()
        await self._report()
        await self._watch()
        await self._see()
        await self._side_by_side([self._make(case, step) for case, step in self._due()])
        await self._call_back()
        await self._read_notices()
        await self._see_alarms()
        await self._mark_a_wrong_page()
        await self._tend_cameras()
        await self._judge_reviews()
        await self._cannot_work()
        await self._replace_somebody()
        await self._keep_the_book()
        await self._visit()
        await self._look_at_the_map()
        await self._walk()

    async def stood_still(self) -> str:
        """What outages moved, in words."""
        return moved((await self._get("/api/v1/outages?limit=100"))["items"])

    async def judged(self) -> dict[str, str]:
        """How the service judges the city's work of today: indicator -> value, and of how many; no simulated clock."""
        today = datetime.now(ZONE).date()
        asked = {"group_by": "city", "from": str(today), "to": str(today + timedelta(days=1))}
        told = await self._get(f"/api/v1/evaluation?{urlencode(asked)}")
        return {
            value["indicator"]: f"{value['value']:.2f} ({value['numerator']}/{value['denominator']})"
            for item in told["items"]
            for value in item["values"]
            if value["value"] is not None
        }

    async def routed(self) -> dict[str, int]:
        """By which rules the latest simulated cases found an owner or went to the pool, and how often."""
        answers: Counter[str] = Counter()
        latest = [case async for case in self._listed(*_MARKED, *_OPEN, ("state", "closed"), most=_ASKED_WHY)]
        for first in range(0, len(latest), self._pace.steps_per_look):
            page = latest[first : first + self._pace.steps_per_look]
            told = await asyncio.gather(*(self._get(f"/api/v1/cases/{case.id}/routing") for case in page))
            answers.update(each["rule"] for one in told for each in (*one["items"], *one["pooled"]) if each["rule"])
        return dict(answers.most_common())

    async def looked_at(self, most: int = 300) -> Choices:
        """Why each of the latest simulated cases went to whom, as the service keeps it."""
        seen = Choices()
        async for case in self._listed(*_MARKED, *_OPEN, ("state", "closed"), most=most):
            seen.add((await self._get(f"/api/v1/cases/{case.id}/routing"))["items"])
        return seen

    # -- duty ----------------------------------------------------------------------------------

    async def _change_duty(self) -> None:
        """Who has a shift comes, who has none goes; at most as many at once as steps are made."""
        here = self._crowd.on_shift(self.local)
        stride = -(-len(here) // self._pace.most_on_duty)  # spread over the city, not the first by name
        wanted = {walker.username for walker in here[:: max(stride, 1)]}
        changes = [(name, True) for name in sorted(wanted - self._present)]
        changes += [(name, False) for name in sorted(self._present - wanted)]
        await self._side_by_side([self._set_duty(*change) for change in changes[: self._pace.steps_per_look]])

    async def _set_duty(self, username: str, on_duty: bool) -> None:
        login = await self._crowd.known(username)
        if not on_duty and self._pace.rota:
            await self._hand_over(login)
        answer = await self._client.call(
            "POST", "/api/v1/officers/me/duty", who=login, body={"on_duty": on_duty}, key=str(uuid4())
        )
        if on_duty and answer.code == "guard_failed":  # still absent, by the city's clock; he tries again
            self.tally.duty["still absent"] += 1
            return
        (self._present.add if on_duty else self._present.discard)(username)
        self._count(self.tally.duty, "on" if on_duty else "off", answer)
        if answer.good and answer.body["duty_changed_at"] is not None:
            changed = datetime.fromisoformat(answer.body["duty_changed_at"])
            self._ahead = max(self._ahead, changed - datetime.now(ZONE))

    async def _hand_over(self, login: Login) -> None:
        """Who goes home gives a part of what he has not begun to a colleague himself; the service sees to the rest."""
        if not any(case.state == "accepted" and case.officer == login.user_id for case in self._open):
            return
        told = await self._client.call("GET", "/api/v1/officers/me/handover", who=login)
        if not told.good:
            self.tally.refused[f"handover: {told.code}"] += 1
            return
        for each in handed(told.body, (case.id for case in self._open), self._seed):
            answer = await self._client.call(
                "POST", f"/api/v1/cases/{each.case}/hand_over", who=login, body=each.said, key=str(uuid4()),
                if_match=f'"{each.version}"',
            )  # fmt: skip
            if answer.code == "guard_failed":  # the colleague went home meanwhile
                self.tally.races += 1
            else:
                self._count(self.tally.moves, "hand_over", answer)

    async def _trouble(self) -> None:
        """In each hour some officers are away and some lose their phone; a desk enters it, and takes their work."""
        hour = self.local.replace(minute=0, second=0, microsecond=0)
        away = {name for name in self._present if is_away(name, hour, self._seed)}
        lost = {name for name in self._present if loses_phone(name, hour, self._seed)} - away
        now = sorted(name for name in away | lost if (name, hour) not in self._troubled)
        self._troubled |= {(name, hour) for name in now}
        await self._side_by_side([self._take_from(name, away=name in away) for name in now])

    async def _take_from(self, username: str, *, away: bool) -> None:
        login = await self._crowd.known(username)
        told = await self._client.call("GET", "/api/v1/officers/me/handover", who=login)
        if not told.good or not is_all_simulated(told.body, (case.id for case in self._open)):
            return
        desk = self._crowd.login(desk_name(By.DISPATCHER, self._crowd.walkers[username].street))
        path, what = f"/api/v1/officers/{login.user_id}/hand-over", "phone lost"
        body: dict[str, object] = {"reason": "手机遗失"}
        if away:
            path, what = f"/api/v1/officers/{login.user_id}/absences", "away"
            until = datetime.now(ZONE) + timedelta(seconds=3600 / self._pace.day_speed + 1)
            body = {"until": (until + self._ahead).isoformat(), "reason": "leave"}
        answer = await self._client.call("POST", path, who=desk, body=body, key=str(uuid4()))
        self._count(self.tally.duty, what, answer)
        if answer.good:
            self._present.discard(username)

    # -- reports -------------------------------------------------------------------------------

    async def _report(self) -> None:
        rate = max(reports_per_hour(self.local, self._pace.busiest_hour), self._pace.busiest_hour * self._pace.quietest)
        now = self.elapsed_s
        passed = (now - self._paid_until) * self._pace.day_speed
        self._owed = reports_owed(self._owed, rate, passed, len(self._open), self._pace.most_open)
        self._paid_until = now
        due = min(int(self._owed), self._pace.steps_per_look)
        self._owed -= due
        coming = [report_number(self._reported + n, self._kinds, self._seed) for n in range(due)]
        self._reported += due
        await self._side_by_side([self._file(each) for each in coming])

    async def _file(self, coming: Coming) -> None:
        here = self._crowd.on_shift(self.local)
        source = coming.source if here or coming.source is not Source.OFFICER else Source.PROGRAM
        able = [each for each in here if each.duty_line == coming.kind.duty_line]
        if source is Source.OFFICER and coming.on_the_spot and able:
            await self._put_right(coming, self._rng.choice(able))
            return
        said: dict[str, Any] = {"category": coming.kind.ref, "description": coming.words}
        if coming.attributes:
            said["attributes"] = coming.attributes
        who: Who = self._crowd.program
        at = self._rng.randint(0, COLUMNS), self._rng.randint(0, ROWS)
        if source is Source.OFFICER:
            walker = self._rng.choice(here)
            who, at = self._crowd.login(walker.username), walker.at
            if self._rng.random() < _WITH_PICTURE:
                said["attachments"] = await self._evidence(who) + await self._spoken(who)
        elif source in (Source.TELEPHONE, Source.WORDS):
            who = self._crowd.login(desk_name(By.ACCEPTOR, CITY))
            said["source"] = "hotline"
            number = number_of(f"{self._seed}/{self._rng.random()}")
            if number is not None:
                said["reporter"] = {"name": "来电市民", "phone": number}
        if source is Source.WORDS:
            said["address"] = f"{coming.kind.name}，近路口{self._rng.randint(1, 48):02d}号"
        else:
            said["location"] = self._location(at)
        if source is Source.OFFICER and coming.kind.component:
            said = await self._about_a_component(who, said)
        answer = await self._client.call("POST", "/api/v1/reports", who=who, body=said, key=str(uuid4()))
        self._count(self.tally.reports, source, answer)

    async def _put_right(self, coming: Coming, walker: Walker) -> None:
        """An officer deals with it in the middle of his community, and shows how it was and how it is."""
        who, patch = self._crowd.login(walker.username), walker.patch
        before, after = await self._evidence(who), await self._evidence(who)
        if not (before and after):
            return
        at = (patch.west + patch.east) // 2, (patch.south + patch.north) // 2
        said = {
            "category": coming.kind.ref, "description": coming.words, "location": self._location(at),
            "before": before, "evidence": after,
        }  # fmt: skip
        answer = await self._client.call("POST", "/api/v1/self-handled", who=who, body=said, key=str(uuid4()))
        self._count(self.tally.reports, "on the spot", answer)

    def _location(self, at: tuple[int, int]) -> dict[str, object]:
        lon, lat = self._crowd.place(at, self._rng)
        return {"lon": lon, "lat": lat, "datum": "wgs84", "accuracy_m": 8.0}

    async def _about_a_component(self, who: Who, said: dict[str, Any]) -> dict[str, Any]:
        """The report with the nearest component of that class, which has its own place; as it is without one."""
        at = f"{said['location']['lon']},{said['location']['lat']}"
        # The last four digits of a starter code are the class of the standard.
        asked = {"near": at, "datum": "wgs84", "radius_m": 300, "class": said["category"][-4:], "limit": 1}
        answer = await self._client.call("GET", f"/api/v1/components?{urlencode(asked)}", who=who)
        found = answer.body["items"] if answer.good else []
        if not found:
            return said
        return {**{name: value for name, value in said.items() if name != "location"}, "component": found[0]["code"]}

    async def _evidence(self, who: Login) -> list[str]:
        """One uploaded picture; empty where the service would not take it."""
        content = picture(picture_number(self._rng))
        if self._rng.random() < IN_PARTS:
            told = {"filename": "photo.jpg", "taken_at": self.local.isoformat()}
            return self._uploaded(await self._client.upload_in_parts(who, content, told, str(uuid4())))
        return self._uploaded(await self._client.upload(who, content, "photo.jpg", str(uuid4())))

    async def _spoken(self, who: Login) -> list[str]:
        """Now and then a voice note beside the picture."""
        if self._rng.random() >= SPOKEN:
            return []
        content = voice_note(self._rng.randrange(24))
        return self._uploaded(await self._client.upload_in_parts(who, content, {"filename": "note.wav"}, str(uuid4())))

    def _uploaded(self, answer: Answer) -> list[str]:
        if answer.good:
            return [first_id(answer.body)]
        self.tally.refused[f"upload: {answer.code}"] += 1
        return []

    # -- cameras -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """What the cameras see; while the city is full nothing new begins."""
        await self._intake.post(full=len(self._open) >= self._pace.most_open)

    async def cases_of_cameras(self) -> int:
        """How many cases cameras have opened so far, in this run and before it."""
        return len([case async for case in self._listed(("source", "camera"))])

    # -- cases ---------------------------------------------------------------------------------

    async def _see(self) -> None:
        """All open simulated cases, now and then the latest closed ones; note since when each stands as it does."""
        self._open = [case async for case in self._listed(*_MARKED, *_OPEN)]
        self._open += [case async for case in self._listed(("source", "camera"), *_OPEN)]
        self._looks += 1
        done = await self._over() if self._looks % 5 == 1 else []
        now, before = self.elapsed_s, self._since
        kept = {} if done else {case_id: then for case_id, then in before.items() if _is_over(then[0])}
        self._since = kept
        for case in (*self._open, *done):
            standing = _standing(case)
            known = before.get(case.id)
            self._since[case.id] = known if known is not None and known[0] == standing else (standing, now)
        self._closed = done

    async def _over(self) -> list[SeenCase]:
        """The latest closed cases, and the latest of those that are looked at again."""
        latest = {case.id: case async for case in self._listed(*_MARKED, ("state", "closed"), most=50)}
        again = (*_MARKED, ("state", "closed"), ("sampled", "true"))
        sampled = {case.id: case async for case in self._listed(*again, most=50)}
        return [*(latest | sampled).values()]

    async def _listed(self, *asked: tuple[str, str], most: int = 5_000) -> AsyncIterator[SeenCase]:
        query = [("limit", str(min(most, 500))), *asked]
        cursor = ""
        while True:
            told = await self._get("/api/v1/cases?" + urlencode([*query, *([("cursor", cursor)] if cursor else [])]))
            for item in told["items"]:
                yield SeenCase.of(item)
            cursor = told["next"] or ""
            most -= len(told["items"])
            if not cursor or most <= 0:
                return

    def _due(self) -> list[tuple[SeenCase, Step]]:
        """What has waited long enough, the longest wait first."""
        found = []
        for case in (*self._open, *self._closed):
            step = next_step(case, self._seed)
            if step is not None:
                waited_s = (self.elapsed_s - self._since[case.id][1]) * self._pace.speed
                if waited_s >= step.after_minutes * 60:
                    found.append((waited_s, case, step))
        found.sort(key=lambda one: (-one[0], one[1].id))
        return [(case, step) for _, case, step in found[: self._pace.steps_per_look]]

    async def _make(self, case: SeenCase, step: Step) -> None:
        # Whatever comes of it, it is not tried again before as long a wait: a refusal must not become a storm.
        self._since[case.id] = (_standing(case), self.elapsed_s)
        match step.by:
            case By.OWNER:
                who = await self._crowd.owner(case)
            case By.CHECKER:
                who = await self._crowd.officer(case, case.checker)
            case By.CO_OWNER:
                who = self._crowd.handler(case, case.co_departments[0])
            case By.CALLED:
                who = await self._crowd.one_of(case.called)
            case By.RESPONDER:
                who = await self._crowd.one_of((case.responder or "",))
            case _:
                who = self._crowd.desk(step.by, case)
        if who is None:
            return
        said = await self._said(case, step, who)
        if said is None:
            return
        offline = await self._offline() if told_later(case, step, self._seed) else None
        answer = await self._client.call(
            "POST",
            f"/api/v1/cases/{case.id}/{step.move}",
            who=who,
            body=said,
            key=str(uuid4()),
            if_match=f'"{case.version}"' if offline is None else f'"a:{case.assignment}"',
            more=offline,
        )
        self._count(self.tally.moves, step.move, answer)

    async def _offline(self) -> dict[str, str]:
        """What a phone says that had no network for a minute, by a clock that is 40 seconds behind."""
        answer = await self._client.call("GET", "/api/v1/time")
        if not answer.good:
            return {}
        made = datetime.fromtimestamp(answer.body["ms"] / 1_000, UTC) - _BEHIND - timedelta(minutes=1)
        contact = made - timedelta(minutes=5)
        return {
            "Captured-At": made.isoformat(),
            "Clock-Skew-Ms": str(_BEHIND // timedelta(milliseconds=1)),
            "Last-Contact": contact.isoformat(),
        }

    async def _said(self, case: SeenCase, step: Step, who: Login) -> dict[str, object] | None:
        """The body of a move; None where what it needs is not to be had just now."""
        match step.needs:
            case "picture":
                evidence = await self._evidence(who)
                return {**step.said, "evidence": evidence} if evidence else None
            case "place":
                return {**step.said, "location": self._location(self._anywhere())}
            case "another case":
                into = another_case(case, self._open)
                return {**step.said, "into": into} if into else None
            case "a main":
                cause = a_main(case, self._open, self._seed)
                return {**step.said, "cause": cause} if cause else None
            case "another department":
                department = self._another_department(case)
                return {**step.said, "department": department} if department else None
            case "owner":
                return await self._new_owner(case)
            case "its place":
                assert case.place is not None  # noqa: S101 - the rule asks for it
                lon, lat = case.place
                return {**step.said, "location": {"lon": lon, "lat": lat, "datum": "wgs84", "accuracy_m": 8.0}}
            case "another officer":
                other = await self._crowd.somebody_on_shift(case, self.local)
                return {**step.said, "officer": other.user_id} if other and other.user_id != case.officer else None
            case "another owner":
                officer = await self._crowd.somebody_on_shift(case, self.local)
                said = {"note": "转派其他网格员"}
                known = officer is not None and case.returned_by != f"officer:{officer.user_id}"
                return {**said, "officer": officer.user_id} if officer is not None and known else None
        return dict(step.said)

    def _another_department(self, case: SeenCase) -> str | None:
        """A department that has a handler in the case's district and not the lead; None where there is none."""
        known = sorted({kind.department for kind in self._kinds if kind.department is not None} - {case.department})
        fitting = [each for each in known if self._crowd.handler(case, each) is not None]
        return fitting[case.version % len(fitting)] if fitting else None

    async def _new_owner(self, case: SeenCase) -> dict[str, object] | None:
        department = next((kind.department for kind in self._kinds if kind.ref == case.category.split(":")[-1]), None)
        if department is not None:
            return {"department": department, "note": "按职责分工派遣"}
        officer = await self._crowd.somebody_on_shift(case, self.local)
        return {"officer": officer.user_id, "note": "就近派遣"} if officer else None

    def _anywhere(self) -> tuple[int, int]:
        return self._rng.randint(0, COLUMNS), self._rng.randint(0, ROWS)

    # -- desks ---------------------------------------------------------------------------------

    async def _call_back(self) -> None:
        """Every other look each desk that takes calls makes some of its call-backs."""
        if self._looks % 2:
            return
        districts = sorted({case.divisions[1] for case in (*self._open, *self._closed) if len(case.divisions) > 1})
        most = max(1, self._pace.steps_per_look // (len(districts) + 1))
        await self._side_by_side([self._call_back_from(division, most) for division in (*districts, CITY)])

    async def _call_back_from(self, division: str, most: int) -> None:
        who = self._crowd.login(desk_name(By.ACCEPTOR, division))
        level = "city" if division == CITY else "district"
        told = await self._client.call("GET", f"/api/v1/call-backs?level={level}&limit=20", who=who)
        if not told.good:
            self.tally.refused[f"call-backs: {told.code}"] += 1
            return
        for call in calls(told.body["items"], self._seed, most):
            answer = await self._client.call(
                "POST", f"/api/v1/cases/{call.case}/call_back", who=who, body=call.said, key=str(uuid4()),
                if_match=f'"{call.version}"',
            )  # fmt: skip
            self._count(self.tally.moves, "call_back", answer)

    async def _read_notices(self) -> None:
        """Now and then each supervisor reads what he was told; the first district's acceptor rests a while."""
        districts = sorted({case.divisions[1] for case in (*self._open, *self._closed) if len(case.divisions) > 1})
        if districts and not self.tally.notices["quiet hours set"]:
            await self._rest(self._crowd.login(desk_name(By.ACCEPTOR, districts[0])))
        if self._looks % 10 == 0:
            names = [desk_name(By.SUPERVISOR, division) for division in (*districts, CITY)]
            await self._side_by_side([self._read_notices_of(self._crowd.login(name)) for name in names])

    async def _read_notices_of(self, who: Login) -> None:
        told = await self._client.call("GET", "/api/v1/me/notices?limit=200", who=who)
        if not told.good:
            self.tally.refused[f"notices: {told.code}"] += 1
            return
        reading = read(told.body["items"])
        for digest in reading.open:
            items = await self._client.call("GET", f"/api/v1/notices/{digest}/items?limit=50", who=who)
            self._count(self.tally.notices, "opened", items)
        if reading.acknowledge:
            body = {"seqs": list(reading.acknowledge)}
            done = await self._client.call("POST", "/api/v1/me/notices/ack", who=who, body=body, key=str(uuid4()))
            if done.good:
                self.tally.notices += reading.seen
            else:
                self.tally.refused[f"acknowledge: {done.code}"] += 1

    async def _rest(self, who: Login) -> None:
        body = rest(datetime.now(ZONE))
        answer = await self._client.call("PUT", "/api/v1/me/quiet-hours", who=who, body=body, key=str(uuid4()))
        self._count(self.tally.notices, "quiet hours set", answer)

    async def _see_alarms(self) -> None:
        """Every tenth look the city's supervisor says of what rings that he has seen it."""
        if self._looks % 10:
            return
        who = self._crowd.login(desk_name(By.SUPERVISOR, CITY))
        told = await self._client.call("GET", "/api/v1/alarms?acknowledged=false&limit=50", who=who)
        for alarm in told.body["items"] if told.good else []:
            path = f"/api/v1/alarms/{alarm['id']}/acknowledge"
            answer = await self._client.call("POST", path, who=who, body={}, key=str(uuid4()))
            self._count(self.tally.notices, "alarm seen", answer)

    async def _mark_a_wrong_page(self) -> None:
        page = wrong_page(self._open, self._looks)
        if not page:
            return
        who = self._crowd.desk(By.DISPATCHER, page[0])
        said: dict[str, object] = {"items": [{"case": case.id, "version": case.version} for case in page]}
        made = await self._client.call("POST", "/api/v1/bulk/remind", who=who, body=said, key=str(uuid4()))
        self._count(self.tally.moves, "bulk remind", made)
        if made.good:
            undone = await self._client.call("POST", f"/api/v1/bulk/{made.body['id']}/undo", who=who, key=str(uuid4()))
            self._count(self.tally.moves, "bulk undo", undone)

    async def _tend_cameras(self) -> None:
        """The administrator takes a camera down or puts it up again, and says what one waiting word means."""
        if self._looks % TEND_EVERY:
            return
        who = self._crowd.login(desk_name("admin", CITY))
        listed = await self._client.call("GET", "/api/v1/cameras?limit=500", who=who)
        tending = tended(listed.body["items"], self._looks) if listed.good else None
        if tending is not None:
            answer = await self._client.call(
                "PATCH", f"/api/v1/cameras/{tending.camera}", who=who, body={"state": tending.state},
                key=str(uuid4()), if_match=f'"{tending.version}"',
            )  # fmt: skip
            self._count(self.tally.moves, f"camera {tending.state}", answer)
        waiting = await self._client.call("GET", "/api/v1/unmapped-labels?limit=1", who=who)
        for word in waiting.body["items"] if waiting.good else []:
            answer = await self._client.call(
                "POST", "/api/v1/camera-labels", who=who, body=meaning(word), key=str(uuid4())
            )
            self._count(self.tally.moves, "camera label", answer)

    async def _replace_somebody(self) -> None:
        """An officer has lost his phone: all he has goes to a colleague, as the preview says; he comes back later."""
        if self._looks % REPLACE_EVERY or not self._pace.rota:
            return
        who = self._crowd.login(desk_name("admin", CITY))
        listed = await self._client.call("GET", "/api/v1/users?role=officer&limit=500", who=who)
        replacing = replaced(listed.body["items"], self._looks) if listed.good else None
        if replacing is None:
            return
        wanted = f"{replacing.path}/replacement?successor={replacing.said['successor']}"
        self._count(self.tally.moves, "replacement foreseen", await self._client.call("GET", wanted, who=who))
        answer = await self._client.call(
            "POST", f"{replacing.path}/replace", who=who, body=dict(replacing.said), key=str(uuid4())
        )
        self._count(self.tally.moves, "officer replaced", answer)
        self._present.discard(replacing.username)

    async def _keep_the_book(self) -> None:
        """When a shift has ended the city's dispatcher hands over in the book, and the supervisor signs for it."""
        shift = shift_number(self.local)
        before, self._shift = self._shift, shift
        if before in {None, shift} or not self._pace.rota:
            return
        goes, comes = (self._crowd.login(desk_name(by, CITY)) for by in (By.DISPATCHER, By.SUPERVISOR))
        said = hand_over_of(self._open, self.local)
        written = await self._client.call("POST", "/api/v1/shift-log", who=goes, body=said, key=str(uuid4()))
        self._count(self.tally.moves, "shift handed over", written)
        if written.good:
            path = f"/api/v1/shift-log/{written.body['id']}/take"
            answer = await self._client.call("POST", path, who=comes, body={}, key=str(uuid4()))
            self._count(self.tally.moves, "shift taken over", answer)

    async def _judge_reviews(self) -> None:
        """Every other look the city's acceptor sits down at the review bench."""
        if self._looks % 2:
            return
        who = self._crowd.login(desk_name(By.ACCEPTOR, CITY))
        told = await self._client.call("GET", "/api/v1/camera-reviews?limit=50", who=who)
        for judging in verdicts(told.body["items"], self._seed) if told.good else []:
            path = f"/api/v1/camera-reviews/{judging.review}/verdict"
            answer = await self._client.call("POST", path, who=who, body=judging.said, key=str(uuid4()))
            self._count(self.tally.moves, f"review {judging.said['verdict']}", answer)

    async def _cannot_work(self) -> None:
        """Every other look somebody sees to the afternoon's outage of a department."""
        if self._looks % 2:
            return
        listed = (await self._get("/api/v1/outages?limit=20"))["items"]
        step = next_outage_step(listed, self._open, self.local, datetime.now(UTC))
        if step is None:
            return
        answer = await self._client.call(
            "POST", step.path, who=self._crowd.login(step.who), body=dict(step.said), key=str(uuid4()),
            if_match=f'"{step.version}"' if step.version is not None else None,
        )  # fmt: skip
        self._count(self.tally.moves, f"outage {step.what}", answer)

    async def _look_at_the_map(self) -> None:
        """Now and then a supervisor opens the map somewhere: of the city, or of the district of some case."""
        if self._looks % LOOK_EVERY:
            return
        districts = sorted({case.divisions[1] for case in self._open if len(case.divisions) > 1})
        who = self._crowd.login(desk_name(By.SUPERVISOR, self._rng.choice([CITY, *districts])))
        told = await self._client.call("GET", "/api/v1/map", who=who)
        if not told.good:
            self.tally.refused[f"map: {told.code}"] += 1
            return
        for path in tiles_wanted(told.body, self._rng):
            answer = await self._client.call("GET", path, who=who)
            if answer.good:
                self.tally.tiles["empty" if answer.status == 204 else "drawn"] += 1
            else:
                self.tally.refused[f"tile: {answer.code}"] += 1

    # -- visits -------------------------------------------------------------------------------

    async def _plan_visits(self) -> None:
        """The administrator plans some visits for today, in the patches of as many officers."""
        names = self._rng.sample(sorted(self._crowd.walkers), PLANNED_AT_ONCE)
        places = [self._crowd.place(self._crowd.walkers[name].at, self._rng) for name in names]
        said = {"csv": plans_of_today(places, self.local.date()), "datum": "wgs84"}
        admin = self._crowd.login("admin")
        answer = await self._client.call("POST", "/api/v1/visit-plans", who=admin, body=said, key=str(uuid4()))
        self._count(self.tally.moves, "visits planned", answer)

    async def _visit(self) -> None:
        """Every other look whoever has a visit that waits makes it."""
        if self._looks % 2:
            return
        listed = (await self._get("/api/v1/visits?open=true&limit=50"))["items"]
        for each in to_make(listed, datetime.now(UTC))[:2]:
            who = await self._crowd.one_of((each["officer_id"],))
            if who is None:
                continue
            told = await self._client.call("GET", "/api/v1/me/visits", who=who)
            his = next((one for one in told.body["items"] if one["id"] == each["id"]), None) if told.good else None
            if his is not None:
                path, said = f"/api/v1/visits/{his['id']}/result", result_of(his, self._seed)
                answer = await self._client.call("POST", path, who=who, body=said, key=str(uuid4()))
                self._count(self.tally.moves, f"visit {said['result']}", answer)

    # -- walking -------------------------------------------------------------------------------

    async def _walk(self) -> None:
        here = [self._crowd.walkers[name] for name in sorted(self._present)]
        some = self._rng.sample(here, min(len(here), self._pace.walks_per_look))
        await self._side_by_side([self._step(walker) for walker in some])

    async def _step(self, walker: Walker) -> None:
        walker.at = next_crossing(walker.at, walker.patch, self._rng)
        lon, lat = self._crowd.place(walker.at, self._rng)
        told = urlencode({"id": self._crowd.device_id(walker), "lat": lat, "lon": lon, "accuracy": 8})
        answer = await self._client.call("GET", f"/positions/osmand?{told}")
        if answer.good:
            self.tally.walked += 1
        else:
            self.tally.refused[f"position: {answer.code}"] += 1

    # -- calling -------------------------------------------------------------------------------

    async def _get(self, path: str) -> Any:
        answer = await self._client.call("GET", path, who=self._crowd.login(desk_name(By.SUPERVISOR, CITY)))
        if not answer.good:
            raise Unavailable(f"the service answers GET {path} with {answer.code}")
        return answer.body

    async def _side_by_side(self, works: Sequence[Coroutine[Any, Any, None]]) -> None:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)

    def _count(self, tally: Counter[str], what: str, answer: Answer) -> None:
        if answer.good:
            tally[what] += 1
        elif is_race(answer):
            self.tally.races += 1
        else:
            self.tally.refused[f"{what}: {answer.code}"] += 1


def is_race(answer: Answer) -> bool:
    """Whether the service refused only because the city had moved on: the case itself, or the other it speaks of."""
    return answer.code in _RACES or (
        answer.code == "guard_failed" and answer.body.get("guard") in _OF_THE_OTHER_CASE
    )


def _is_over(standing: object) -> bool:
    return isinstance(standing, tuple) and standing[0] == "closed"


def _standing(case: SeenCase) -> object:
    """What must change for a wait to begin anew. Reminders and notes make versions and change nothing of it."""
    if case.state == "closed":
        return "closed", case.checker
    return case.state, case.pool, case.assignment, case.cycle


@asynccontextmanager
async def open_simulation(
    home: Path, *, url: str | None, pace: Pace, seed: int, hour: int | None = None, patience_s: float = 60.0
) -> AsyncIterator[Simulation]:
    """A simulation of the demo city of `home`; `url` overrides the address in its demo.json.

    The simulated day begins now, or at `hour` of today.
    """
    demo = Demo.read(home)
    async with ServiceClient(url or demo.url, patience_s=patience_s, connections=16) as client:
        crowd = Crowd(client, demo, seed)
        # People and their phones have clocks of their own; the service decides by the database's.
        now = datetime.now(ZONE)
        began = now if hour is None else now.replace(hour=hour, minute=0, second=0, microsecond=0)
        yield Simulation(client, crowd, pace, seed, began)


async def keep_alive(url: str, home: Path, seed: int = 1) -> None:
    """Keep a demo city gently alive until cancelled: at most two changes a second, a hundred open cases.

    A service that is away is waited for. Raises SetupError where there is no demo city to keep.
    """
    async with open_simulation(home, url=url, pace=GENTLE, seed=seed, patience_s=20.0) as simulation:
        while True:
            try:
                async for _ in simulation.play():
                    pass
            except* Unavailable as away:
                log.warning(
                    "the service is away; the simulation waits",
                    extra={"action": "round_failed", "round": "simulation", "errors": len(away.exceptions)},
                )
                await asyncio.sleep(GENTLE.look_s)
