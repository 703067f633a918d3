"""Why a move is made, as codes that can be counted: a stable list per move, in Chinese and English.

A code never changes its meaning and never goes; new ones are added, also by a city (docs/rules/reasons.md).
Free words may stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Reason:
    """One reason. `wants_words`: the code alone says too little, so the words of `reason` are needed too.

    Not `active`: it stands in old histories, and nobody gives it any more.
    """

    code: str
    name: str
    name_en: str
    wants_words: bool = False
    active: bool = True


OTHER: Final = Reason("other", "其他（须说明）", "Something else, in words", wants_words=True)

_NOT_RIGHT: Final = (
    Reason("not_done", "问题未解决", "The problem is still there"),
    Reason("half_done", "处置不彻底", "Only half done"),
    Reason("bad_evidence", "照片不清或不符", "The photographs do not show it"),
    OTHER,
)

REASONS: Final[Mapping[str, tuple[Reason, ...]]] = {
    "reject": (
        Reason("not_found", "核实未发现问题", "Nothing was found on the spot"),
        Reason("not_ours", "不属于受理范围", "Not a matter of the city's"),
        Reason("below_standard", "未达到立案标准", "Below the filing condition"),
        Reason("duplicate", "重复上报", "Reported before"),
        Reason("no_information", "信息不足且无法联系", "Too little is known and nobody can be asked"),
        OTHER,
    ),
    "decline": (
        Reason("too_far", "距离太远", "Too far away"),
        Reason("on_another", "正在处置其他紧急事件", "At another emergency"),
        Reason("unable", "身体或装备原因", "Not fit, or without what it needs"),
        Reason("off_duty", "已下班", "Off duty"),
        OTHER,
    ),
    "return": (
        Reason("not_ours", "非本单位职责", "Not our duty"),
        Reason("not_our_area", "不在本单位辖区", "Not in our area"),
        Reason("wrong_category", "案卷类别有误", "The category is wrong"),
        Reason("wrong_place", "案卷位置有误", "The place is wrong"),
        Reason("not_found", "现场未发现问题", "Nothing was found on the spot"),
        Reason("no_means", "缺少处置条件", "We lack the means"),
        OTHER,
    ),
    "refer_up": (
        Reason("beyond_powers", "超出本级权限", "Beyond this level's powers"),
        Reason("beyond_means", "超出本级能力", "Beyond this level's means"),
        Reason("several_areas", "涉及多个辖区", "Touches several areas"),
        Reason("several_departments", "涉及多个部门", "Touches several departments"),
        OTHER,
    ),
    "rework": _NOT_RIGHT,
    "send_back": _NOT_RIGHT,
    "co_decline": (
        Reason("not_ours", "非本单位职责", "Not our duty"),
        Reason("not_our_area", "不在本单位辖区", "Not in our area"),
        Reason("not_needed", "现场无需本单位处置", "Nothing there for us to do"),
        Reason("no_means", "缺少处置条件", "We lack the means"),
        OTHER,
    ),
    "reopen": (
        Reason("came_back", "问题再次出现", "The problem came back"),
        Reason("closed_wrongly", "结案有误", "It was closed by mistake"),
        Reason("reporter_objects", "反映人不认可", "The reporter says it is not solved"),
        OTHER,
    ),
    "appeal": (
        Reason("weather", "天气原因", "Weather"),
        Reason("access", "现场无法进入", "The place could not be entered"),
        Reason("wrong_category", "案卷类别有误", "The category, and so the limit, was wrong"),
        Reason("coordination", "需多部门协调", "Several departments were needed"),
        Reason("system", "系统故障", "The system was out of order"),
        OTHER,
    ),
    "suspend": (
        Reason("weather", "天气或季节原因", "Weather or season"),
        Reason("parts", "等待材料配件", "Waiting for parts"),
        Reason("permit", "等待审批", "Waiting for a permit"),
        Reason("dispute", "权属纠纷待裁定", "Ownership is in dispute"),
        Reason("works_planned", "纳入工程计划", "Part of planned works"),
        OTHER,
    ),
    "extend": (
        Reason("hard", "处置难度大", "Harder than the limit allows for"),
        Reason("parts", "等待材料配件", "Waiting for parts"),
        Reason("weather", "天气原因", "Weather"),
        Reason("coordination", "需多部门协调", "Several departments are needed"),
        OTHER,
    ),
    "ask_desk": (
        Reason("more_time", "申请延期", "More time"),
        Reason("more_hands", "请求增援", "More hands"),
        Reason("another_department", "需其他部门配合", "Another department is needed"),
        Reason("means", "缺少装备或材料", "Gear or material"),
        Reason("advice", "请求指导", "What shall be done"),
        OTHER,
    ),
    "cancel": (
        Reason("mistake", "误报误立", "Reported or filed by mistake"),
        Reason("duplicate", "重复案卷", "The same as another case"),
        Reason("gone", "问题自行消失", "The problem has gone by itself"),
        OTHER,
    ),
}
"""By move. `GET /api/v1/moves` serves them; docs/states.md lists them (a test insists)."""

Reasons = Mapping[str, tuple[Reason, ...]]


def with_own(own: Reasons) -> Reasons:
    """The lists above with a city's own reasons behind them, before the one that wants words; by move.

    A city's row for a code of these lists says only whether it is in use here. A move without a list has none.
    """
    return {move: _together(reasons, own.get(move, ())) for move, reasons in REASONS.items()}


def _together(ours: tuple[Reason, ...], own: tuple[Reason, ...]) -> tuple[Reason, ...]:
    said = {each.code: each.active for each in own}
    codes = {each.code for each in ours}
    kept = [replace(each, active=said.get(each.code, True)) for each in ours if each != OTHER]
    return (*kept, *(each for each in own if each.code not in codes), OTHER)


RESULTS: Final[Mapping[str, tuple[Reason, ...]]] = {
    "pre_filing_check": (
        Reason("confirmed", "属实", "It is as reported"),
        Reason("elsewhere", "属实但位置不符", "It is so, at another place"),
        Reason("not_found", "未发现问题", "Nothing was found"),
    ),
    "closing_check": (
        Reason("confirmed", "已处置到位", "It is put right"),
        Reason("not_done", "未处置到位", "It is not, or not wholly"),
        Reason("cannot_tell", "无法核查", "It cannot be seen from outside"),
    ),
    "re_check": (
        Reason("confirmed", "已处置到位", "It is put right"),
        Reason("not_confirmed", "与上报不符", "It is not as the officer said"),
        Reason("cannot_tell", "无法核查", "It cannot be seen any more"),
    ),
    "appeal": (
        Reason("granted", "申诉成立", "Granted: left out of the statistics"),
        Reason("refused", "申诉不成立", "Refused"),
    ),
    "call_back": (
        Reason("solved", "已解决", "It is solved"),
        Reason("not_solved", "未解决", "It is not solved: the case is reopened"),
        Reason("unreachable", "无法联系", "Nobody answered"),
        Reason("no_wish", "不愿接受回访", "The reporter does not want to be asked"),
    ),
    "visit": (
        Reason("made", "已走访，情况正常", "The visit was made, and all is well"),
        Reason("trouble", "已走访，发现问题", "The visit was made, and something must be done"),
        Reason("not_met", "未见到", "Nobody and nothing was met: it is tried again soon"),
        Reason("refused", "拒绝走访", "The visit was refused"),
        Reason("gone", "已搬离或已撤销", "Who or what was visited is no longer there: the plan ends"),
    ),
}
"""What a check may find, how an appeal may be settled, and what a call-back or a visit may end with."""
