"""The categories that a new city begins with, until it imports its own edition.

Codes are the four digits of GB/T 30428.2-2013 behind a prefix that tells the two kinds apart, since both
start at 0101: 10 component (部件), 20 event (事件). Numbers counted down from 99 are extensions, which that
standard leaves to the city; those here are the ones that most cities know. Prefix 30 is ours, for social
governance (综治), which the standard does not number.

Limits of events, and of covers and grates, are those of a deployed city in Shanxi. Its limits of the other
components are not public word for word, so theirs are ours: one working day where somebody may be hurt or
stands in the dark, five for what is built into the ground, three for the rest. English names are ours too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gridsvc.domain.attribute import read_attribute
from gridsvc.domain.category import Category, CategoryLimit, Condition
from gridsvc.domain.deadline import LimitUnit

EDITION: Final = "starter-2026"
EDITION_NAME: Final = "起步类别 2026 (GB/T 30428.2-2013 编号)"
CALENDAR: Final = "city"
CAMERA_CATEGORY: Final = "100150"
"""What a camera that storms, or cannot see, is a case of."""

UM, UH, UD, WH, WD, DAY = (
    LimitUnit.URGENT_MINUTE, LimitUnit.URGENT_HOUR, LimitUnit.URGENT_DAY, LimitUnit.WORK_HOUR, LimitUnit.WORK_DAY,
    LimitUnit.DAY,
)  # fmt: skip

MAJORS: Final = {
    "1001": ("公用设施", "Public utilities"),
    "1002": ("道路交通设施", "Road and traffic"),
    "1003": ("市容环境设施", "City appearance"),
    "1004": ("园林绿化设施", "Parks and trees"),
    "1005": ("其他部件", "Other components"),
    "2001": ("市容环境", "City appearance"),
    "2002": ("宣传广告", "Advertising"),
    "2003": ("施工管理", "Building sites"),
    "2004": ("街面秩序", "Street order"),
    "2005": ("突发事件", "Emergencies"),
    "2006": ("其他事件", "Other events"),
    "3001": ("矛盾纠纷", "Disputes"),
    "3002": ("走访服务", "Visits"),
    "3003": ("安全隐患", "Dangers"),
    "3004": ("自然灾害", "Natural disasters"),
}
"""Major classes (大类) by prefix and two digits."""


def _category(
    code: str, name: str, name_en: str, amount: float, unit: LimitUnit, severity: str = "normal", *,
    duty_line: str = "city", department: str | None = None, files_itself: bool = True,
) -> Category:  # fmt: skip
    major, (major_name, major_name_en) = code[:4], MAJORS[code[:4]]
    return Category(
        edition=EDITION, code=code, kind="component" if code.startswith("10") else "event", name=name,
        name_en=name_en, duty_line=duty_line, department=department,
        handled_by="officer" if department is None else "department", severity=severity, files_itself=files_itself,
        limit_amount=amount, limit_unit=unit, calendar=CALENDAR, ladder="handling", active=True, major=major,
        major_name=major_name, major_name_en=major_name_en,
    )  # fmt: skip


def _component(
    number: str, name: str, name_en: str, department: str, amount: float = 3, unit: LimitUnit = WD,
    severity: str = "normal",
) -> Category:  # fmt: skip
    return _category(f"10{number}", name, name_en, amount, unit, severity, department=department)


def _event(
    number: str, name: str, name_en: str, department: str, amount: float, unit: LimitUnit,
    severity: str = "normal", *, files_itself: bool = True,
) -> Category:  # fmt: skip
    return _category(
        f"20{number}", name, name_en, amount, unit, severity, department=department, files_itself=files_itself
    )


def _clean_up(
    number: str, name: str, name_en: str, amount: float, unit: LimitUnit, severity: str = "normal"
) -> Category:
    return _category(f"20{number}", name, name_en, amount, unit, severity, duty_line="sanitation")


def _social(
    number: str, name: str, name_en: str, amount: float, unit: LimitUnit, severity: str = "normal", *,
    department: str | None = None, files_itself: bool = True,
) -> Category:  # fmt: skip
    return _category(
        f"30{number}", name, name_en, amount, unit, severity, duty_line="social", department=department,
        files_itself=files_itself,
    )  # fmt: skip


def _under(category: Category, *said: tuple[str, str, float, LimitUnit], default: int = 1) -> Category:
    """The category with filing conditions: words, closing condition and limit of each; the default one's is its own."""
    conditions = tuple(
        Condition(code=str(n), says=says, closing=closing, is_default=n == default)
        for n, (says, closing, _, _) in enumerate(said, start=1)
    )
    limits = tuple(
        CategoryLimit(amount=amount, unit=unit, condition=str(n))
        for n, (_, _, amount, unit) in enumerate(said, start=1)
    )
    _, _, amount, unit = said[default - 1]
    return replace(category, conditions=conditions, limits=limits, limit_amount=amount, limit_unit=unit)


def _asks(category: Category, *specs: str) -> Category:
    """The category with what its reports say besides their words, written as a list of categories writes it."""
    asked = [read_attribute(spec) for spec in specs]
    return replace(category, attributes=tuple(each for each in asked if each is not None))


def _stopped_within(amount: float, unit: LimitUnit, category: Category) -> Category:
    """The category, of which what is still under way (its default condition) must be stopped (制止) within a limit."""
    default = category.default_condition
    stop = CategoryLimit(amount=amount, unit=unit, condition=default.code if default else None, stage="stop_it")
    limits = sorted((*category.limits, stop), key=lambda each: (each.condition or "", each.stage))
    return replace(category, limits=tuple(limits))


def _looked_at(category: Category) -> Category:
    """The category with the checks of the national workflow.

    What a desk looks at is looked at on the spot before (公众、视频上报先核实), unless an officer reported it;
    and no emergency is closed before somebody has seen that it is over.
    """
    before = () if category.files_itself else ("pre_filing_check",)
    return replace(category, checks=(*before, *(("closing_check",) if category.severity == "emergency" else ())))


def _cover(number: str, name: str, name_en: str, department: str, *, damaged: tuple[float, LimitUnit]) -> Category:
    """A manhole cover: the same four conditions whatever lies below, damage sooner or later."""
    return _under(
        _component(number, name, name_en, department, 2, UH, "high"),
        ("井盖缺失、移位或开裂，危及行人车辆", "恢复原状", 2, UH),
        ("井盖破损面积超过 25 平方厘米", "更换或修复", *damaged),
        ("井盖弹跳作响或翻转", "更换或修复", 2, WD),
        ("井盖四周 150 厘米见方路面沉陷或凸起，高差超过 2 厘米", "修复", 5, WD),
    )


def _components() -> Iterator[Category]:
    soon, later = (4.0, WH), (1.0, WD)
    yield _cover("0101", "上水井盖", "Water-supply manhole cover", "water", damaged=soon)
    yield _cover("0102", "污水井盖", "Sewage manhole cover", "drainage", damaged=soon)
    yield _cover("0103", "雨水井盖", "Storm-drain manhole cover", "drainage", damaged=soon)
    yield _under(
        _component("0104", "雨水箅子", "Gully grate", "drainage"),
        ("箅子缺失、移位或开裂，危及行人车辆", "恢复原状", 2, UH),
        ("箅子三分之一以上被堵塞", "疏通", 1, WD),
        default=2,
    )
    yield _cover("0106", "路灯井盖", "Street-light manhole cover", "lighting", damaged=later)
    yield _cover("0110", "热力井盖", "Heating manhole cover", "heating", damaged=later)
    yield _cover("0111", "燃气井盖", "Gas manhole cover", "gas", damaged=later)
    yield _cover("0114", "园林井盖", "Greening manhole cover", "greening", damaged=later)
    yield _cover("0118", "化粪池井盖", "Septic-tank manhole cover", "cleansing", damaged=soon)
    yield _cover("0123", "不明井盖", "Manhole cover of unknown owner", "roads", damaged=soon)
    yield _component("0125", "供水器", "Water supply unit", "water")
    yield _component("0126", "沟槽盖板", "Channel cover slab", "drainage", 1, WD, "high")
    yield _component("0127", "通讯交接箱", "Telecom cabinet", "telecom")
    yield _component("0128", "电力设施", "Power equipment", "power", 1, WD, "high")
    yield _component("0129", "电力设施标识牌", "Sign on power equipment", "power", severity="low")
    yield _component("0130", "电力立杆", "Power pole", "power", 2, WD)
    yield _component("0131", "通信立杆", "Telecom pole", "telecom", 2, WD)
    yield _component("0137", "路灯", "Street lamp", "lighting", 1, WD)
    yield _component("0138", "地灯", "Ground lamp", "lighting")
    yield _component("0139", "景观灯", "Landscape lamp", "lighting", severity="low")
    yield _component("0140", "报刊亭", "News kiosk", "enforcement", severity="low")
    yield _component("0145", "自动售货机", "Vending machine", "enforcement", severity="low")
    yield _component("0146", "户外健身设施", "Outdoor fitness equipment", "greening", 1, WD)
    yield _component("0149", "燃气调压站（箱）", "Gas regulator station", "gas", 1, WD, "high")
    yield _component("0150", "监控电子眼", "Surveillance camera", "traffic")
    yield _component("0151", "岗亭（治安亭）", "Guard booth", "traffic", severity="low")
    yield _component("0152", "休息亭", "Rest pavilion", "greening", severity="low")
    yield _component("0154", "充电站（桩）", "Charging station or pile", "power", 1, WD)
    yield _component("0157", "露天燃气管道", "Exposed gas pipe", "gas", 1, WD, "high")
    yield _component("0201", "停车场", "Car park", "traffic", 5, WD)
    yield _component("0204", "公交站亭（牌）", "Bus shelter or sign", "transit")
    yield _component("0206", "过街天桥", "Footbridge", "roads", 5, WD)
    yield _component("0207", "地下通道", "Underpass", "roads", 5, WD)
    yield _component("0208", "立交桥", "Flyover", "roads", 5, WD)
    yield _component("0209", "跨河桥", "River bridge", "roads", 5, WD)
    yield _component("0211", "限高架（杆）", "Height-limit bar", "traffic", 1, WD)
    yield _component("0212", "路名牌", "Street-name sign", "roads", severity="low")
    yield _component("0217", "交通护栏", "Traffic guardrail", "traffic", 1, WD)
    yield _component("0219", "渠化岛", "Channelising island", "roads", 5, WD)
    yield _component("0220", "人行横道桩", "Crosswalk bollard", "roads", severity="low")
    yield _component("0221", "便道桩", "Sidewalk bollard", "roads", severity="low")
    yield _component("0224", "道路隔音屏", "Noise barrier", "roads", 5, WD)
    yield _component("0225", "非机动车停放点", "Bicycle parking place", "enforcement", severity="low")
    yield _component("0230", "水域标示牌", "Waterway sign", "roads")
    yield _component("0299", "高架桥", "Elevated road", "roads", 5, WD)
    yield _component("0286", "路沿石", "Kerb", "roads", 5, WD)
    yield _component("0285", "平石", "Gutter stone", "roads", 5, WD)
    yield _component("0284", "人行道", "Pavement", "roads", 5, WD)
    yield _component("0283", "道路指示牌", "Direction sign", "traffic")
    yield _component("0301", "公共厕所", "Public toilet", "cleansing", 1, WD)
    yield _component("0302", "公厕指示牌", "Sign to a public toilet", "cleansing", severity="low")
    yield _component("0303", "化粪池", "Septic tank", "cleansing", 1, WD)
    yield _component("0304", "垃圾中转站", "Refuse transfer station", "cleansing", 1, WD)
    yield _component("0305", "垃圾箱（果皮箱、桶）", "Litter bin", "cleansing")
    yield _component("0306", "户外广告", "Outdoor advertisement", "enforcement")
    yield _component("0307", "牌匾标识", "Shop sign", "enforcement")
    yield _component("0308", "宣传栏", "Notice board", "enforcement", severity="low")
    yield _component("0397", "烟头收集器或灭烟处", "Cigarette-butt bin", "cleansing", severity="low")
    yield _component("0396", "施工公示牌", "Notice of a building site", "enforcement", severity="low")
    yield _component("0401", "古树名木", "Ancient or famous tree", "greening", 1, WD, "high")
    yield _component("0402", "行道树", "Street tree", "greening", 1, WD)
    yield _component("0404", "护树设施", "Tree guard", "greening")
    yield _component("0405", "花钵花架", "Planter or trellis", "greening", severity="low")
    yield _component("0406", "雕塑", "Sculpture", "greening")
    yield _component("0407", "街头座椅", "Bench", "greening", severity="low")
    yield _component("0408", "绿地护栏", "Railing of a green space", "greening")
    yield _component("0409", "绿地附属设施", "Fittings of a green space", "greening")
    yield _component("0410", "喷泉", "Fountain", "greening")
    yield _component("0499", "边绿地", "Green strip by the road", "greening")
    yield _component("0498", "绿地指示牌", "Sign in a green space", "greening", severity="low")
    yield _component("0497", "树池树篦", "Tree pit and its grate", "greening")
    yield _component("0496", "高架挂箱", "Flower box on an elevated road", "greening")
    yield _component("0495", "机非隔离带", "Strip between cars and bicycles", "greening")
    yield _component("0494", "人行道隔离带", "Strip along the pavement", "greening")
    yield _component("0493", "挡土墙", "Retaining wall of a green space", "greening", 5, WD)
    yield _component("0503", "车辆加油（气、电）站", "Filling or charging station for cars", "gas")
    yield _component("0504", "液化气站", "LPG station", "gas", 1, WD, "high")
    yield _component("0506", "水域附属设施", "Waterside fittings", "roads")
    yield _component("0507", "水域护栏", "Waterside railing", "roads")
    yield _component("0508", "防汛墙", "Flood wall", "drainage", 5, WD, "high")
    yield _component("0598", "其他指示牌、标识牌", "Other sign", "roads", severity="low")


def _events() -> Iterator[Category]:
    yield _under(
        _event("0101", "私搭乱建", "Illegal structure", "enforcement", 2, UD, files_itself=False),
        ("违法建筑物、构筑物正在搭建", "停止建设、恢复原状", 2, UD),
        ("违法建筑物、构筑物已经建成", "依法定程序拆除", 15, WD),
    )
    yield _event("0102", "店面无证装修", "Shop fitted out without permit", "enforcement", 1, UD, files_itself=False)
    yield _event("0103", "违章接坡", "Illegal ramp at the kerb", "enforcement", 1, WD)
    yield _under(
        _event("0104", "临街建筑物外立面不洁", "Dirty facade", "enforcement", 3, WD, "low"),
        ("外立面掉漆、脱皮", "修复", 3, WD),
        ("外立面被涂画、张贴", "清洁", 1, WD),
    )
    yield _event("0105", "临街阳台、屋顶脏乱差", "Untidy balcony or roof", "enforcement", 2, WD, "low")
    yield _event("0106", "擅自在临街建筑物上挂彩旗", "Flags on a building without permit", "enforcement", 1, WD, "low")
    yield _event("0107", "沿街晾挂", "Laundry along the street", "enforcement", 2, UH, "low")
    yield _under(
        _event("0108", "擅自架设管线、杆线设施", "Wires or pipes put up without permit", "enforcement", 5, WD),
        ("未经批准架设管线、杆线", "查处、拆除", 5, WD),
        ("飞线充电", "改正", 4, WH),
    )
    yield _clean_up("0110", "暴露生活垃圾", "Exposed household refuse", 4, WH)
    yield _event("0111", "积存垃圾渣土", "Piled-up debris", "enforcement", 5, WD)
    yield _clean_up("0112", "道路不洁", "Dirty road", 2, WH, "low")
    yield _asks(
        _event("0113", "道路破损", "Road damage", "roads", 5, WD), "破损面积平方米:number?", "路面=沥青/水泥/砖石?"
    )
    yield _clean_up("0114", "道路遗撒", "Spillage on the road", 4, WH)
    yield _clean_up("0117", "绿地脏乱", "Litter on a green space", 4, WH, "low")
    yield _clean_up("0118", "绿化弃料", "Green waste", 4, WH, "low")
    yield _event("0119", "非装饰性吊挂", "Things hung on trees and lines", "greening", 1, WD, "low")
    yield _event("0120", "焚烧垃圾、树叶", "Burning of refuse or leaves", "enforcement", 2, UH, "high")
    yield _event("0121", "病虫害", "Pests on trees", "greening", 3, WD)
    yield _stopped_within(1, UH, _under(
        _event("0122", "非法伐树", "Illegal felling of trees", "greening", 1, UH, "high", files_itself=False),
        ("正在砍伐或毁坏树木", "制止", 1, UH),
        ("树木已被损伤", "恢复、立案查处", 3, WD),
    ))  # fmt: skip
    yield _event("0125", "水域不洁", "Dirty water or bank", "cleansing", 2, WD)
    yield _event("0126", "河道污染", "River pollution", "drainage", 2, WD, "high")
    yield _event("0128", "商业噪音", "Noise from shops", "enforcement", 2, UH)
    yield _event("0129", "露天烧烤", "Open-air barbecue", "enforcement", 2, UH)
    yield _event("0130", "乱倒乱排污水、废水", "Waste water poured out", "enforcement", 2, WD)
    yield _event("0131", "餐厨垃圾遗撒和污染", "Kitchen waste spilt", "enforcement", 4, WH)
    yield _event("0132", "非正规垃圾填埋场", "Landfill without permit", "enforcement", 2, WD, files_itself=False)
    yield _event("0133", "乱丢弃医疗废物", "Medical waste thrown away", "cleansing", 2, WD, "high")
    yield _clean_up("0135", "废弃家具设备", "Abandoned furniture", 2, WD, "low")
    yield _event("0136", "乱堆物堆料", "Materials piled up", "enforcement", 1, WD)
    yield _clean_up("0137", "动物尸体", "Dead animal", 4, WH)
    yield _event("0138", "擅自饲养家禽家畜", "Poultry or livestock kept in town", "enforcement", 1, WD, "low")
    yield _event("0196", "私设地桩、地锁、停车杆", "Private parking posts and locks", "enforcement", 2, WD)
    yield _clean_up("0192", "垃圾满溢", "Overflowing bin", 4, WH)
    yield _event("0184", "违规养犬", "Dog kept against the rules", "enforcement", 1, WD, "low")
    yield _event("0183", "外立面裂缝", "Crack in a facade", "enforcement", 15, WD, files_itself=False)
    yield _event("0180", "线体垂落", "Hanging cable", "telecom", 1, WD)
    yield _event("0201", "非法小广告", "Illegal bills", "enforcement", 1, WD, "low")
    yield _event("0202", "街头散发广告", "Leaflets handed out", "enforcement", 2, WH, "low")
    yield _under(
        _event("0203", "违规户外广告", "Outdoor advertisement against the rules", "enforcement", 1, WD, "low",
               files_itself=False),
        ("违规设置灯箱、霓虹灯、显示屏、展示牌", "拆除", 1, WD),
        ("违规设置立柱、墙体、楼顶广告", "拆除", 5, WD),
    )  # fmt: skip
    yield _event("0204", "广告语言文字不规范", "Wrong words on a sign", "enforcement", 5, WD, "low")
    yield _event("0205", "户外广告设置位置不合理", "Advertisement in a wrong place", "enforcement", 3, WD, "low")
    yield _event("0206", "违规牌匾标识", "Sign against the rules", "enforcement", 2, WD, "low", files_itself=False)
    yield _event("0207", "违规标语宣传品", "Banner against the rules", "enforcement", 1, WD, "low")
    yield _event("0299", "公益性宣传品", "Damaged public-interest notice", "enforcement", 5, WD, "low")
    yield _event("0301", "施工扰民", "Construction noise", "enforcement", 2, UH, files_itself=False)
    yield _event("0302", "施工占道", "Building site on the road", "enforcement", 1, WD)
    yield _event("0303", "无证掘路", "Digging without permit", "roads", 1, WD, files_itself=False)
    yield _event("0304", "工地扬尘", "Dust from a building site", "enforcement", 2, WH)
    yield _event("0305", "施工废弃料", "Construction waste", "enforcement", 2, WD)
    yield _event("0306", "施工物料乱堆放", "Building materials in the way", "enforcement", 1, WD)
    yield _event("0307", "施工工地围挡", "Fence of a building site", "enforcement", 3, WD)
    yield _event("0308", "施工工地道路未硬化", "Unpaved road on a building site", "enforcement", 5, WD)
    yield _event("0309", "施工工地出入口道路破损", "Broken road at a site's gate", "enforcement", 5, WD)
    yield _event("0310", "施工完成后未场光地净", "Building site left untidy", "enforcement", 2, WD)
    yield _event("0311", "渣土运输车辆未安装密闭装置", "Uncovered lorry of debris", "enforcement", 2, WD)
    yield _event("0312", "施工工地车轮夹带", "Mud from a lorry's wheels", "enforcement", 1, WD)
    yield _event("0401", "无照经营游商", "Unlicensed street vendor", "enforcement", 2, UH)
    yield _event("0402", "早（夜）市管理问题", "Morning or night market out of bounds", "enforcement", 2, UH)
    yield _event("0404", "占道废品收购", "Scrap dealer on the road", "enforcement", 1, WD)
    yield _event("0405", "店外经营", "Trading outside the shop", "enforcement", 2, UH)
    yield _event("0406", "占道经营", "Trading on the road", "enforcement", 2, UH)
    yield _event("0410", "非机动车乱停放", "Bicycles parked in the way", "enforcement", 2, WH, "low")
    yield _event("0496", "占用消防通道", "Fire lane blocked on the street", "enforcement", 2, WH, "high")
    yield _under(
        _event("0493", "共享单车管理", "Shared bicycles", "enforcement", 1, WD, "low"),
        ("共享单车损坏、脏污", "维护、清洁", 1, WD),
        ("共享单车在规定区域外乱停放", "摆放整齐", 2, WH),
    )
    yield _under(
        _event("0501", "供水管道破裂", "Burst water main", "water", 1, UH, "emergency"),
        ("管道破裂，水流到路面", "止水、消除危险", 1, UH),
        ("管道破裂使路面塌陷", "修复", 5, WD),
    )
    yield _event("0502", "燃气管道破裂", "Burst gas pipe", "gas", 1, UH, "emergency")
    yield _under(
        _event("0503", "排水管道堵塞、破裂", "Drain blocked or burst", "drainage", 4, WH, "high"),
        ("管道堵塞，污水雨水外溢", "疏通", 4, WH),
        ("管道破裂，路面有塌陷危险", "消除危险", 1, UH),
    )
    yield _event("0504", "热力管道破裂", "Burst heating pipe", "heating", 1, UH, "emergency")
    yield _event("0505", "路面塌陷", "Road collapse", "roads", 2, UH, "emergency")
    yield _event("0506", "道路积水", "Flooded road", "drainage", 2, UH, "high")
    yield _event("0507", "道路积雪、积冰", "Snow or ice on the road", "cleansing", 4, WH, "high")
    yield _event("0508", "架空线缆脱落", "Fallen overhead cable", "power", 2, WH, "high")
    yield _event("0595", "其他突发事件", "Other emergency", "enforcement", 2, UH, "emergency")
    yield _event("0602", "临街屠宰", "Slaughter in the street", "enforcement", 2, WH)
    yield _event("0604", "门前四包（五包）", "Untidy before one's own door", "enforcement", 4, WH, "low")
    yield _event("0696", "非法采砂、取土", "Sand or earth taken illegally", "enforcement", 1, WD, files_itself=False)


PLANNED: Final = (
    _asks(
        _social("0202", "独居老人月度走访", "Monthly visit to an old person living alone", 5, WD),
        "身体状况=良好/一般/需就医", "居家安全=良好/有隐患", "需要的服务?",
    ),
    _asks(
        _social("0203", "地质灾害隐患点巡查", "Look at a geological hazard point", 2, WD),
        "状态=稳定/有变化", "变化说明?",
    ),
    _asks(
        _social("0204", "排洪沟巡查", "Look at a flood channel", 2, WD),
        "淤堵=无/轻微/严重", "水位:number?",
    ),
)  # fmt: skip
"""Categories of visits, which plans bring and nobody reports; what they ask for is the visit's form."""

_SOCIAL: Final = (
    _social("0101", "邻里纠纷", "Dispute between neighbours", 3, WD, files_itself=False),
    _social("0102", "劳资纠纷", "Dispute over wages", 5, WD, department="justice", files_itself=False),
    _social("0201", "独居老人探访", "Visit to an old person living alone", 1, DAY, "high"),
    *PLANNED,
    _social("0301", "楼道堆物", "Stairway blocked by belongings", 1, DAY),
    _social("0302", "占用消防通道", "Fire lane blocked", 2, UH, "high", department="fire"),
    _asks(
        _social("0303", "电动自行车违规充电", "Electric bicycle charged indoors", 4, UH, "high"),
        "充电位置=楼道/室内/飞线", "楼层:number?",
    ),
    _social("0401", "洪道与边坡险情", "Danger at a flood channel or slope", 45, UM, "emergency"),
)

CATEGORIES: Final = tuple(
    _looked_at(each) for each in sorted((*_components(), *_events(), *_SOCIAL), key=lambda each: each.code)
)
"""Every category of the starter edition, by code."""
