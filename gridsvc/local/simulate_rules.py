"""What simulated people decide: the next move of a case and how long they take, when reports come, what they say.

Pure and without memory: a decision depends on the seed, on the case as the service shows it, and on nothing
the simulator remembers. So it may be stopped and started at any moment and goes on as if nothing had been.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gridsvc.local.city_plan import dice

MARK: Final = "【模拟】"
"""How the description of every simulated report begins. The simulator touches no case without it."""


# Shares of cases: higher than in life, so that a day of a hundred sees each of them several times.
REJECTED: Final = 0.30  # of those that a desk looks at first
CANCELLED: Final = 0.07
MERGED: Final = 0.07
RETURNED: Final = 0.07  # of assignments, so one case may be given back more than once and yet finds an owner
LET_LAPSE: Final = 0.05
REWORKED: Final = 0.08
REOPENED: Final = 0.03
SLOW: Final = 0.12
ARRIVES: Final = 0.25  # says so before work begins; this and those below by version, so more than once now and then
EXTENDED: Final = 0.30  # of the slow ones
ASKED: Final = 0.25  # of the slow ones the desk is asked for more time first; by version
CHECKED: Final = 0.12  # somebody is sent to look before it is closed
SHARED: Final = 0.12  # a further department is asked for a part; by version, so by several now and then
PART_FIRST: Final = 0.50  # of those the part is done before the lead's own work
DECLINED: Final = 0.20  # of parts
MAIN: Final = 0.15  # cases that others may be effects of
LINKED: Final = 0.10  # of assignments, to a main
FREED: Final = 0.15  # of effects, before and after their cause is closed: by version
MISTAKEN: Final = 0.20  # of what is looked at before the filing
UNTRUE: Final = 0.30  # of what an officer says he put right himself, where another looks again
ON_THE_SPOT: Final = 0.50  # of what officers find that is theirs to handle, and no danger
DECLINES: Final = 0.25  # of those who are called to an emergency, by version
IN_PARTS: Final = 0.40  # of pictures: sent so that they may be cut and taken up again
SPOKEN: Final = 0.20  # of reports with a picture: a voice note beside it
AGAIN: Final = 0.04  # of pictures: one that stood for something else before
UNHEARD: Final = 0.15  # of calls: nobody looks at his phone for minutes, so it goes further


@dataclass(frozen=True, kw_only=True)
class SeenCase:
    """A case as a list of the service shows it; only what decisions need."""

    id: str
    version: int
    cycle: int
    state: str
    pool: str | None
    category: str
    duty_line: str
    divisions: tuple[str, ...]
    assignment: str | None
    officer: str | None
    department: str | None
    overdue: bool
    returned_by: str | None = None
    order: str | None = None
    checker: str | None = None
    extensions: int = 0
    place: tuple[float, float] | None = None
    co_departments: tuple[str, ...] = ()
    cause: str | None = None
    sampled: bool = False
    called: tuple[str, ...] = ()
    responder: str | None = None

    @classmethod
    def of(cls, told: dict[str, Any]) -> SeenCase:
        """From the JSON of `GET /api/v1/cases`."""
        return cls(
            id=told["id"], version=told["version"], cycle=told["cycle"], state=told["state"], pool=told["pool"],
            category=told["category"], duty_line=told["duty_line"], divisions=tuple(told["divisions"]),
            assignment=told["assignment"], officer=told["officer"], department=told["department"],
            overdue=told["overdue"], returned_by=told["returned_by"], order=told["order"],
            checker=told["checker"], extensions=told["extensions"],
            place=None if told["lon"] is None else (told["lon"], told["lat"]),
            co_departments=tuple(told["co_departments"]), cause=told["cause"], sampled=told["sampled"],
            called=tuple(told["called"]), responder=told["responder"],
        )  # fmt: skip


class By(StrEnum):
    """Who makes a step."""

    OWNER = "owner"
    ACCEPTOR = "acceptor"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    CHECKER = "checker"
    CO_OWNER = "co_owner"
    CALLED = "called"
    RESPONDER = "responder"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A move that somebody will make once the case has stood as it is for `after_minutes` of the city's time.

    `needs` names what the simulator must find for it: a place, an owner, a picture, another case.
    """

    move: str
    by: By
    after_minutes: float
    said: dict[str, str] = field(default_factory=dict)
    needs: str | None = None


def picture_number(rng: random.Random) -> int:
    """Which picture somebody sends: his own, or, where he does not walk the way, one of a few that served before."""
    return rng.randrange(5) if rng.random() < AGAIN else rng.randrange(5, 10_000)


def next_step(case: SeenCase, seed: int) -> Step | None:
    """What happens to `case` next, or None: it is done, or the service's own workers have it."""
    match case.state:
        case "reported":
            return _at_the_desk(case, seed)
        case "filed" if case.called:
            return _when_called(case, seed, "answer")
        case "filed":
            return _in_the_pool(case, seed)
        case "assigned" | "accepted" | "in_progress" if case.called:
            return _when_called(case, seed, "respond")
        case "assigned":
            return _when_assigned(case, seed)
        case "accepted":
            return _on_the_way(case, seed)
        case "in_progress":
            return _at_work(case, seed)
        case "handled":
            return _at_the_check(case, seed)
        case "closed":
            return _afterwards(case, seed)
    return None


def _at_the_desk(case: SeenCase, seed: int) -> Step:
    wait = _between(case, seed, "file", 2, 10)
    if case.checker is not None:  # the service has sent him, and the desk waits for what he finds
        found = "not_found" if _chance(case, seed, "mistaken") < MISTAKEN else "confirmed"
        return Step(move="check", by=By.CHECKER, after_minutes=wait, said={"result": found}, needs="picture")
    if _chance(case, seed, "reject") < REJECTED:
        said = {"reason": "核实后情况不属实，不予立案"}
        return Step(move="reject", by=By.ACCEPTOR, after_minutes=wait, said=said)
    if case.pool == "locate":
        return Step(move="locate", by=By.ACCEPTOR, after_minutes=wait, needs="place")
    return Step(move="file", by=By.ACCEPTOR, after_minutes=wait)


def _when_called(case: SeenCase, seed: int, accept: str) -> Step:
    """Somebody comes within a minute or two, or says that he cannot; now and then nobody hears it for long."""
    wait = 8.0 if _chance(case, seed, "heard") < UNHEARD else _between(case, seed, "come", 0.3, 2)
    if _chance(case, seed, f"decline {case.version}") < DECLINES:
        return Step(move="decline", by=By.CALLED, after_minutes=wait, said={"reason_code": "on_another"})
    return Step(move=accept, by=By.CALLED, after_minutes=wait, said={"note": "马上到"})


def _in_the_pool(case: SeenCase, seed: int) -> Step | None:
    if case.pool == "cause" and _chance(case, seed, f"free {case.version}") < FREED:
        return Step(move="unlink", by=By.ACCEPTOR, after_minutes=_between(case, seed, "free", 10, 40))
    if case.pool != "dispatch":
        return None
    wait = _between(case, seed, "assign", 3, 12)
    if case.returned_by is None:
        return Step(move="assign", by=By.DISPATCHER, after_minutes=wait, needs="owner")
    # Given back: the one that the category names has just said no, so the facts are corrected, or another is found.
    if case.returned_by.startswith("department:"):
        said = {"description": f"{MARK}经核实，确属原责任单位职责"}
        return Step(move="correct", by=By.DISPATCHER, after_minutes=wait, said=said)
    return Step(move="forward", by=By.DISPATCHER, after_minutes=wait, needs="another owner")


def _when_assigned(case: SeenCase, seed: int) -> Step:
    # Who was called to be first on the scene is there before the department has looked at its list.
    if case.responder is not None and _chance(case, seed, f"there {case.version}") < ARRIVES:
        return Step(move="arrive", by=By.RESPONDER, after_minutes=1, needs="its place")
    fate = _chance(case, seed, "fate")
    wait = _between(case, seed, f"accept {case.assignment}", 1, 8)
    if is_main(case, seed):
        fate = 1.0  # goes on to the end: others wait for it
    if fate < CANCELLED:
        return Step(move="cancel", by=By.DISPATCHER, after_minutes=wait, said={"reason": "重复上报，撤销案卷"})
    if fate < CANCELLED + MERGED:
        return Step(move="merge", by=By.ACCEPTOR, after_minutes=wait, needs="another case")
    if not is_main(case, seed) and _chance(case, seed, f"link {case.assignment}") < LINKED:
        return Step(move="link", by=By.DISPATCHER, after_minutes=wait, needs="a main")
    of_assignment = _chance(case, seed, f"assignment {case.assignment}")
    if of_assignment < RETURNED:
        return Step(move="return", by=By.OWNER, after_minutes=wait, said={"reason": "不属于本单位职责"})
    if of_assignment < RETURNED + LET_LAPSE:
        wait = 45.0  # three times what they have: the service moves the case on
    return Step(move="accept", by=By.OWNER, after_minutes=wait)


def is_main(case: SeenCase, seed: int) -> bool:
    """Whether others may be linked to the case: it is neither linked, merged nor called off itself."""
    return _chance(case, seed, "main") < MAIN


def _part(case: SeenCase, seed: int) -> Step:
    wait = _between(case, seed, f"part {case.version}", 10, 40)
    if _chance(case, seed, f"decline {case.version}") < DECLINED:
        return Step(move="co_decline", by=By.CO_OWNER, after_minutes=wait, said={"reason_code": "not_needed"})
    said = {"reply": "协办事项已完成"}
    return Step(move="co_hand_in", by=By.CO_OWNER, after_minutes=wait, said=said, needs="picture")


def _on_the_way(case: SeenCase, seed: int) -> Step:
    if not case.co_departments and _chance(case, seed, f"share {case.version}") < SHARED:
        said = {"wanted": "请配合现场处置"}
        wait = _between(case, seed, "share", 2, 8)
        return Step(move="co_assign", by=By.DISPATCHER, after_minutes=wait, said=said, needs="another department")
    if case.place is not None and _chance(case, seed, f"arrive {case.version}") < ARRIVES:
        return Step(move="arrive", by=By.OWNER, after_minutes=_between(case, seed, "way", 2, 10), needs="its place")
    return Step(move="start", by=By.OWNER, after_minutes=_between(case, seed, "start", 4, 20))


def _at_work(case: SeenCase, seed: int) -> Step:
    slow = _chance(case, seed, "slow") < SLOW
    if case.order is not None:
        return Step(move="reply", by=By.OWNER, after_minutes=3, said={"reply": "已安排人员，今日完成"})
    if case.co_departments and _chance(case, seed, "part first") < PART_FIRST:
        return _part(case, seed)
    # Each of them makes a new version, so a late case is reminded once, or supervised and replied to once, and then
    # left to its owner.
    if slow and case.overdue and case.version % 3 == 1:
        return Step(move="remind", by=By.DISPATCHER, after_minutes=5, said={"note": "已超时，请尽快处置"})
    if slow and case.overdue and case.version % 3 == 0:
        return Step(move="supervise", by=By.SUPERVISOR, after_minutes=5, said={"reason": "超时督办"})
    if slow and not case.overdue and case.extensions == 0 and _chance(case, seed, f"ask {case.version}") < ASKED:
        return Step(move="ask_desk", by=By.OWNER, after_minutes=8, said={"reason_code": "more_time"})
    if slow and not case.overdue and case.extensions < 2 and _chance(case, seed, f"extend {case.version}") < EXTENDED:
        return Step(move="extend", by=By.DISPATCHER, after_minutes=10, said={"reason_code": "parts"})
    minutes = _between(case, seed, "work", 200, 600) if slow else _between(case, seed, "work", 12, 50)
    return Step(move="hand_in", by=By.OWNER, after_minutes=minutes, needs="picture")


def _at_the_check(case: SeenCase, seed: int) -> Step:
    if case.co_departments:
        return _part(case, seed)
    wait = _between(case, seed, f"check {case.version}", 4, 20)
    if case.checker is not None:
        return Step(move="check", by=By.CHECKER, after_minutes=wait, said={"result": "confirmed"}, needs="picture")
    if _chance(case, seed, f"send {case.version}") < CHECKED:
        return Step(move="send_check", by=By.ACCEPTOR, after_minutes=wait, needs="another officer")
    if case.cause is not None and _chance(case, seed, f"free {case.version}") < FREED:
        return Step(move="unlink", by=By.ACCEPTOR, after_minutes=wait, said={"note": "现场仍未恢复"})
    if case.cause is None and _chance(case, seed, f"rework {case.version}") < REWORKED:
        return Step(move="rework", by=By.ACCEPTOR, after_minutes=wait, said={"reason": "现场仍有残留，请返工"})
    return Step(move="close", by=By.ACCEPTOR, after_minutes=wait)


def _afterwards(case: SeenCase, seed: int) -> Step | None:
    untrue = case.sampled and _chance(case, seed, "untrue") < UNTRUE
    if case.checker is not None:
        wait = _between(case, seed, f"look again {case.version}", 5, 20)
        said = {"result": "not_confirmed" if untrue else "confirmed"}
        return Step(move="check", by=By.CHECKER, after_minutes=wait, said=said, needs="picture")
    if untrue and case.cycle == 1 and case.version >= 3:  # born, sent, looked at: it does not hold
        return Step(move="reopen", by=By.ACCEPTOR, after_minutes=5, said={"reason_code": "closed_wrongly"})
    if case.cycle == 1 and _chance(case, seed, "reopen") < REOPENED:
        said = {"reason": "群众反映问题再次出现"}
        return Step(move="reopen", by=By.ACCEPTOR, after_minutes=_between(case, seed, "reopen", 10, 60), said=said)
    return None


def _chance(case: SeenCase, seed: int, what: str) -> float:
    return dice(f"{seed}/{case.id}/{what}").random()


def _between(case: SeenCase, seed: int, what: str, least: float, most: float) -> float:
    return least + (most - least) * _chance(case, seed, f"minutes {what}")


# -- reports ----------------------------------------------------------------------------------

# Share of the busiest hour, by hour of the day: shops and traffic by day, bins and quarrels in the evening.
_BY_HOUR: Final = (
    0.12, 0.08, 0.06, 0.06, 0.10, 0.20, 0.45, 0.80, 1.00, 1.00, 0.95, 0.80,
    0.60, 0.70, 0.90, 0.95, 0.90, 0.85, 0.75, 0.60, 0.50, 0.40, 0.25, 0.18,
)  # fmt: skip


def reports_per_hour(local: datetime, busiest: float) -> float:
    """How many reports come in an hour at a local time, where `busiest` come in the busiest hour."""
    return busiest * _BY_HOUR[local.hour]


def reports_owed(owed: float, rate: float, seconds: float, open_cases: int, most_open: int) -> float:
    """How many reports are due after `seconds` more at `rate` an hour; none at all while `most_open` cases are open.

    What was owed is then forgotten: a city that was full for an hour is not flooded afterwards.
    """
    return 0.0 if open_cases >= most_open else owed + rate * seconds / 3600


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A category that may be reported; `department` None where an officer handles it."""

    ref: str
    name: str
    duty_line: str
    department: str | None
    component: bool = False
    asks: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # of each attribute name, kind and choices
    severity: str = "normal"

    @property
    def small(self) -> bool:
        """Whether an officer may put it right on the spot: his to handle, and no danger."""
        return self.department is None and self.severity in {"low", "normal"}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Kind:
        """From the JSON of `GET /api/v1/categories`."""
        department = told["department"] if told["handled_by"] == "department" else None
        return cls(
            ref=told["ref"], name=told["name"], duty_line=told["duty_line"], department=department,
            component=told["kind"] == "component",
            asks=tuple((each["name"], each["kind"], tuple(each["choices"])) for each in told["attributes"]),
            severity=told["severity"],
        )  # fmt: skip


class Source(StrEnum):
    """Where a report comes from."""

    OFFICER = "officer"
    TELEPHONE = "telephone"  # an acceptor writes for a caller who can show the place
    WORDS = "words"  # … who cannot: an address, no coordinates
    PROGRAM = "program"


_SOURCES: Final = ((0.62, Source.OFFICER), (0.80, Source.PROGRAM), (0.94, Source.TELEPHONE), (1.01, Source.WORDS))
_TELLING: Final = (
    "请尽快处理", "已存在多日", "影响通行", "群众反映强烈", "存在安全隐患", "需要现场核实",
    "旁边闻到燃气味", "位于公园绿地内",
)  # fmt: skip
"""The last two are words by which the demo city's own rules route (gridsvc/local/city_rules.py)."""


@dataclass(frozen=True, kw_only=True)
class Coming:
    """One report about to be made."""

    kind: Kind
    source: Source
    words: str
    attributes: dict[str, str] = field(default_factory=dict)
    on_the_spot: bool = False  # if an officer of its duty line finds it


_OFFICERS_EVERY: Final = 3  # reports: officers handle few categories, and yet shall have something to do


def report_number(number: int, kinds: Sequence[Kind], seed: int) -> Coming:
    """The `number`-th report of a run: every third is for an officer to handle, the others for departments.

    Of either the categories come once in each round of as many, in a new order.
    """
    for_officers = [kind for kind in kinds if kind.department is None]
    for_departments = [kind for kind in kinds if kind.department is not None]
    if for_officers and for_departments:
        round_of_three, place = divmod(number, _OFFICERS_EVERY)
        if place == 0:
            kind = _dealt(round_of_three, for_officers, f"{seed}/officers")
        else:
            kind = _dealt(number - round_of_three - 1, for_departments, f"{seed}/departments")
    else:
        kind = _dealt(number, kinds, str(seed))
    rng = dice(f"{seed}/report {number}")
    roll = rng.random()
    source = next(source for share, source in _SOURCES if roll < share)
    words = f"{MARK}{kind.name}，{rng.choice(_TELLING)}"
    # Whoever calls, and a program, may not know; an officer stands before it.
    knows = source is Source.OFFICER or rng.random() < 0.5
    said = {name: _value(rng, of, choices) for name, of, choices in kind.asks} if knows else {}
    on_the_spot = kind.small and rng.random() < ON_THE_SPOT
    return Coming(kind=kind, source=source, words=words, attributes=said, on_the_spot=on_the_spot)


def _value(rng: random.Random, kind: str, choices: Sequence[str]) -> str:
    match kind:
        case "choice":
            return rng.choice(choices)
        case "number":
            return str(rng.randint(1, 30))
        case "time":
            return f"2026-01-01T{rng.randint(0, 23):02d}:00:00+08:00"
    return "现场确认"


def _dealt(number: int, kinds: Sequence[Kind], seed: str) -> Kind:
    turn, place = divmod(number, len(kinds))
    return kinds[dice(f"{seed}/round {turn}").sample(range(len(kinds)), len(kinds))[place]]
