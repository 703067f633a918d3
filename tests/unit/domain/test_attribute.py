"""What a category asks to be said: how a list writes it, and what a value may be."""

from __future__ import annotations

import pytest

from gridsvc.domain.attribute import Attribute, checked, kept, missing, read_attribute, refuse_missing
from gridsvc.errors import BadAttribute

MATERIAL = Attribute(name="材质", kind="choice", choices=("铸铁", "复合"))
WIDTH = Attribute(name="宽度", kind="number")
SEEN = Attribute(name="发现时间", kind="time", required=False)
OWNER = Attribute(name="车主", required=False)
ALL = (MATERIAL, WIDTH, SEEN, OWNER)


@pytest.mark.parametrize(
    ("spec", "attribute"),
    [
        ("材质=铸铁/复合", MATERIAL),
        ("宽度:number", WIDTH),
        ("宽度：数字", WIDTH),
        ("发现时间:time?", SEEN),
        ("车主？", OWNER),
        (" 编号 ", Attribute(name="编号")),
        ("井盖-权属", Attribute(name="井盖-权属")),
    ],
)
def test_a_list_says_what_is_asked_and_of_which_kind(spec: str, attribute: Attribute) -> None:
    assert read_attribute(spec) == attribute
    assert read_attribute(attribute.spec) == attribute


@pytest.mark.parametrize("spec", ["", "?", "宽度:metres", "材质=", "材质=/", ":number", "a=b=c", "a:text:number"])
def test_what_is_written_otherwise_is_no_attribute(spec: str) -> None:
    assert read_attribute(spec) is None


def test_each_value_is_kept_in_one_form() -> None:
    said = checked(ALL, {"材质": " 铸铁 ", "宽度": 2.5, "发现时间": "2026-11-26T00:30:00Z", "车主": "  "})
    assert said == {"材质": "铸铁", "宽度": "2.5", "发现时间": "2026-11-26T00:30:00+00:00"}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("颜色", "红", "unknown"),
        ("材质", "木", "not_a_choice"),
        ("宽度", "两米", "not_a_number"),
        ("宽度", "1e9", "not_a_number"),
        ("宽度", "２", "not_a_number"),
        ("发现时间", "昨天", "not_a_time"),
        ("发现时间", "2026-11-26T08:30:00", "not_a_time"),
        ("车主", "长" * 401, "too_long"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name_with_what_is_wanted(name: str, value: str, reason: str) -> None:
    with pytest.raises(BadAttribute) as refused:
        checked(ALL, {name: value})
    assert (refused.value.facts["name"], refused.value.facts["reason"]) == (name, reason)
    assert refused.value.facts["wanted"]


def test_what_is_required_and_not_said_is_missing_in_the_order_of_the_category() -> None:
    assert missing(ALL, {}) == ["材质", "宽度"]
    assert missing(ALL, {"材质": "铸铁"}) == ["宽度"]
    refuse_missing(ALL, {"材质": "铸铁", "宽度": "2"})
    with pytest.raises(BadAttribute) as refused:
        refuse_missing(ALL, {"宽度": "2"})
    assert refused.value.facts["reason"] == "missing"
    assert refused.value.facts["wanted"] == ["材质=铸铁/复合", "宽度:number"]


def test_under_another_category_only_what_still_holds_is_kept() -> None:
    other = (Attribute(name="材质", kind="choice", choices=("复合", "水泥")), WIDTH)
    assert kept(other, {"材质": "铸铁", "宽度": "2", "车主": "无"}) == {"宽度": "2"}
    assert kept(other, {"材质": "复合"}) == {"材质": "复合"}
