"""Conditions of moves. Each says why a move may not be made now, or None; the table in `case.py` names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from geo.place import Place
from geo.projection import metres_between
from gridsvc.domain.access import Role, roles_over
from gridsvc.domain.case_state import Actor, Case, Particulars, Pool, State, parts_of
from gridsvc.domain.undoing import in_time

CHECKS: Final = {State.REPORTED: "pre_filing_check", State.HANDLED: "closing_check", State.CLOSED: "re_check"}
"""Which check is made in which state. Cities call the first two 核实 and 核查, and not all the same one."""

ARRIVED_WITHIN_M: Final = 200.0
"""How far from the place somebody may stand who says that he has arrived."""

INEXACT_AT_MOST_M: Final = 100.0

TELLS_WITHIN_M: Final = 500.0
"""A fix from mobile masts is inexact by a kilometre and more: it would stand at every place of a street."""


def inexact_m(position: Place) -> float:
    """What the accuracy of a position adds to a distance that is allowed; nothing where it is not stated."""
    return min(position.accuracy_m or 0.0, INEXACT_AT_MOST_M)


def owner_name(officer: UUID | None, department: str | None) -> str | None:
    """An owner as `returned_by` keeps him: officer:<id> or department:<code>; None for nobody."""
    if officer is not None:
        return f"officer:{officer}"
    return f"department:{department}" if department is not None else None


Guard = Callable[[Case, Actor, Particulars, datetime], str | None]
"""Says why the move may not be made now, or None. Named after what it demands."""


def running(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A suspended case stands still: nothing is handled until it is resumed."""
    return "the case is suspended; resume it first" if case.suspended else None


def suspended(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a suspended case can be resumed."""
    return None if case.suspended else "the case is not suspended"


def names_an_owner(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """An assignment goes to an officer or a department, never to both."""
    if said.officer and said.department:
        return "an officer and a department are named; want one of them"
    return None if said.officer or said.department else "neither officer nor department is named"


def not_given_back(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who receives a return corrects it or sends it on; nobody acts on it as if it were new."""
    return "the case was given back; forward it to another owner, or correct it" if case.returned_by else None


def given_back(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what an owner gave back is forwarded."""
    return None if case.returned_by else "nobody gave the case back; assign it"


def to_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What was given back does not go to the very owner who gave it back."""
    if case.returned_by == owner_name(said.officer, said.department):
        return f"{case.returned_by} gave the case back; want another, or correct what was wrong"
    return None


def waits_for_a_person(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What stands in the dispatch pool or rings is corrected; what is on its way to routing is left alone."""
    if case.pool in {Pool.DISPATCH, Pool.CALL}:
        return None
    return f"the case stands in the pool {case.pool}; want one in dispatch or call"


def corrects_something(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A correction says what is right instead."""
    if said.category or said.location or said.description or said.address or said.attributes:
        return None
    return "nothing is corrected; want a category, a location, a description, an address or attributes"


def says_where(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who has arrived sends his position, or says why his phone has none; never both."""
    if (said.location is None) == (said.no_fix is None):
        return "want location, or no_fix with the reason why the phone has none"
    return None


def exact_enough(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A position that is inexact by more than 500 m says nothing of where somebody stands."""
    accuracy_m = said.location.accuracy_m if said.location else None
    if accuracy_m is None or accuracy_m <= TELLS_WITHIN_M:
        return None
    return f"the position is exact to {accuracy_m:.0f} m; want at most {TELLS_WITHIN_M:.0f} m, or say no_fix"


def at_the_place(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who has arrived stands within 200 m of the place, or further by what his position is inexact, at most 100 m."""
    if said.location is None:
        return None
    if case.place is None:
        return "the case has no place yet"
    away, allowed = metres_between(case.place, said.location), ARRIVED_WITHIN_M + inexact_m(said.location)
    return None if away <= allowed else f"the position is {away:.0f} m from the case; want at most {allowed:.0f} m"


def was_late(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who was not late has nothing to appeal against."""
    return None if case.late else "the case was not late"


def never_appealed(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A closing is appealed against once."""
    return None if case.appeal is None else f"an appeal was made already and is {case.appeal}"


def looked_at_by_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is sent to look is not the one who handled it."""
    if said.officer is not None and said.officer in {case.officer_id, case.handler_id}:
        return "who handled the case is not sent to check it"
    return None


def open_or_self_handled(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Of the closed cases those are looked at again that nobody but their officer has seen."""
    if case.state is State.CLOSED and not case.self_handled:
        return "the case was checked before it was closed; reopen it if the matter is back"
    return None


def no_order_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """One supervision order at a time: the next one when this one is replied to."""
    return "an order on this case still waits for its reply" if case.order_id else None


def an_order_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only an order is replied to."""
    return None if case.order_id else "no supervision order waits for a reply"


def called_to_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is called to answer for the case answers; who is called to be first on the scene responds."""
    return None if case.call_for == "owner" else "the call is for who comes first; respond to it"


def called_to_help(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who is called to be first on the scene responds; who is called to answer for the case answers."""
    return None if case.call_for == "first_on_scene" else "the call is for who answers for the case; answer it"


def rings(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a call that rings is widened."""
    return None if case.call_for else "no call rings for the case"


def nothing_rings(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case rings for one thing at a time."""
    return "a call rings for the case already" if case.call_for else None


def has_an_open_appeal(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only an appeal that waits is settled."""
    return None if case.appeal == "open" else "no appeal waits to be settled"


def an_officers_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What an officer answers for is handed over; a department finds somebody itself."""
    return None if case.officer_id is not None else "no officer answers for the case"


def to_a_colleague(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Nobody hands a case over to himself."""
    return "the officer named has the case already; want a colleague" if said.officer == case.officer_id else None


def lies_in_a_cell(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is filed is owned by a cell."""
    return None if case.cell_code else "the case has no place yet; give it one first"


def brings_evidence(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Work is handed in with at least one file; that a photograph is among them is looked up (docs/rules/files.md)."""
    return None if said.evidence else "evidence is empty; want at least one photograph"


def is_a_visit(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what came of a visit plan ends with the result of a visit."""
    return None if case.visit else "the case came of no visit plan; hand it in"


def not_a_visit(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What came of a visit plan ends with its result, not with evidence that a desk checks."""
    return "the case is a visit; say its result with POST /api/v1/visits/{id}/result" if case.visit else None


def before_and_after(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Self-handling (自行处置) is proved by both photographs."""
    if not (said.before and said.evidence):
        return "want a photograph from before and one from after"
    if set(said.before) & set(said.evidence):
        return "the same photograph is named as before and as after"
    return None


def not_grave(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What may hurt somebody is filed and checked by another, however quickly it was put right."""
    if case.severity in {"high", "emergency"}:
        return f"what is of severity {case.severity} is reported, not settled on the spot"
    return None


def checked_by_another(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who checks a closing is neither the handler nor of its department (监管分离)."""
    caller = actor.caller
    if caller is None:
        return None
    if caller.user_id is not None and caller.user_id in {case.officer_id, case.handler_id}:
        return "who handled the case does not close it"
    if case.department and any(g.department == case.department for g in caller.grants):
        return "the department that handled the case does not close it"
    if any(g.department in case.co_departments for g in caller.grants):
        return "a department that had a part of the case does not close it"
    return None


def not_late(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Once overdue a limit is neither extended nor suspended."""
    return "the case is overdue" if case.due_at is not None and now > case.due_at else None


def never_suspended(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is suspended once in its life, however often it is reopened."""
    return "the case was suspended before; it may be once" if case.suspensions else None


def to_a_level_above(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is referred to a division above the level that holds it."""
    held_by = case.held_by or case.divisions[-1]
    above = case.divisions[: case.divisions.index(held_by)]
    if said.division in above:
        return None
    return f"division {said.division} is not above {held_by}; want one of {', '.join(above) or 'none: it is the top'}"


def to_a_level_below(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is handed to a division below the level that holds it, on the way down to where it lies."""
    held_by = case.held_by or case.divisions[0]
    below = case.divisions[case.divisions.index(held_by) + 1 :]
    if said.division in below:
        return None
    return f"division {said.division} is not below {held_by}; want one of {', '.join(below) or 'none: it is lowest'}"


def at_most_two(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A limit is extended twice at most."""
    return "the limit was extended twice already" if case.extensions >= 2 else None


def ends_within_a_year(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A suspension has an end, at most a year away."""
    if said.until is None or not now < said.until <= now + timedelta(days=366):
        return "until must lie in the future, at most a year away"
    return None


def not_the_leads_own(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A part goes to a further department; the lead's own does the whole."""
    return f"department {said.department} has the lead" if said.department == case.department else None


def has_no_open_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A department has one part of a case at a time."""
    return f"department {said.department} has an open part already" if said.department in case.co_open else None


def has_an_open_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only a part that is open is called off."""
    if said.department in case.co_open:
        return None
    wanted = ", ".join(case.co_open) or "none: all are over"
    return f"department {said.department} has no open part; want one of {wanted}"


def means_one_part(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Who handles for several departments that have parts says which part he means."""
    mine = parts_of(case, actor.caller) if actor.caller else []
    if len(mine) == 1 and said.department is None:
        return None
    if said.department in mine:
        return None
    return f"department {said.department} is none of your open parts here; want one of {', '.join(mine)}"


def parts_are_over(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is closed as a whole: with all that further departments were asked to do."""
    if not case.co_open:
        return None
    return f"parts are open: {', '.join(case.co_open)}; wait for them, or call them off"


def stands_for_itself(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is handled with its cause is not dispatched or sent back by itself."""
    return f"the case is an effect of {case.cause_id}; unlink it first" if case.cause_id else None


def is_an_effect(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only what was linked to a cause is unlinked, or handled with it."""
    return None if case.cause_id else "the case is no effect of another"


def not_linked_to_it(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """What is an effect of a case already is not linked to it again."""
    return "the case is an effect of that very case already" if said.cause == case.cause_id else None


def has_no_effects(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """No chains: a case that has effects is not an effect itself."""
    return f"{case.effects} cases are effects of this one; link them to its cause instead" if case.effects else None


def not_its_own_cause(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """The cause is another case."""
    return "a case cannot be its own cause" if said.cause == case.id else None


def call_back_waits(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only who is to be asked is asked, and once."""
    return None if case.call_back else f"no call-back {said.call_back} of this case waits"


def calls_for_its_level(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """The district's call-back is made by a desk of the district or above, the city's by the city's."""
    if case.call_back is None or actor.caller is None:
        return None
    asked_at = replace(case.whereabouts(), held_by=case.call_back.division)
    if Role.ACCEPTOR in roles_over(actor.caller, asked_at):
        return None
    return f"this call-back is made by an acceptor of {case.call_back.division}, or of a division above"


def was_reached(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Only who answered is content, or is not."""
    if said.satisfaction is None or said.result in {"solved", "not_solved"}:
        return None
    return f"satisfaction {said.satisfaction} is said of somebody who did not answer"


def can_be_undone(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """Undone is what a bulk move made, and only what."""
    return None if case.undoing else "no bulk move is undone"


def in_time_to_undo(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A bulk move is undone within half an hour."""
    if case.undoing is None or in_time(case.undoing.made_at, now):
        return None
    return "the bulk move was made more than 30 minutes ago"


def not_late_without_it(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """An extension is not taken back where the case would be late at once."""
    if case.undoing is None or case.undoing.due_without is None or now <= case.undoing.due_without:
        return None
    return f"without the extension the case was due at {case.undoing.due_without.isoformat()}; late it would be at once"


def not_itself(case: Case, actor: Actor, said: Particulars, now: datetime) -> str | None:
    """A case is merged into another one."""
    return "a case cannot be merged into itself" if said.into == case.id else None
