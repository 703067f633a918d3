"""Names for the demo city: real names of Lanzhou's divisions and roads, invented ones for everybody and all else.

District and street codes are the published ones (GB/T 2260 and GB/T 10114); the shapes they are given in the
demo city are not the real ones. Communities and people are made up.
"""

from __future__ import annotations

from typing import Final

CITY: Final = ("620100", "兰州市", "Lanzhou")

DISTRICTS: Final = {
    "620102": ("城关区", "Chengguan"),
    "620103": ("七里河区", "Qilihe"),
    "620104": ("西固区", "Xigu"),
    "620105": ("安宁区", "Anning"),
}

STREETS: Final = {
    "620102": (
        ("001", "酒泉路街道"), ("002", "张掖路街道"), ("004", "临夏路街道"), ("007", "白银路街道"),
        ("008", "皋兰路街道"), ("009", "广武门街道"), ("011", "靖远路街道"), ("012", "草场街街道"),
    ),
    "620103": (
        ("001", "西园街道"), ("002", "西湖街道"), ("003", "建兰路街道"), ("004", "敦煌路街道"), ("005", "西站街道"),
    ),
    "620104": (
        ("001", "陈坪街道"), ("002", "先锋路街道"), ("003", "福利路街道"), ("004", "西固城街道"),
        ("005", "四季青街道"), ("006", "临洮街街道"), ("007", "西柳沟街道"),
    ),
    "620105": (
        ("001", "培黎街道"), ("002", "西路街道"), ("004", "十里店街道"), ("005", "孔家崖街道"), ("006", "银滩路街道"),
    ),
}  # fmt: skip

COMMUNITY_FIRST: Final = "金银永安和兴福祥华春新文长瑞康宁明德泰顺"
COMMUNITY_SECOND: Final = "河山桥园苑湾滩门泉林光阳城里坪台"

RIVER: Final = ("黄河", "Yellow River")
SOUTH_BANK: Final = "南滨河路"
NORTH_BANK: Final = "北滨河路"
FLOOD_CHANNELS: Final = ("雷坛河", "大洪沟", "鱼儿沟", "罗锅沟")

ROADS_ALONG: Final = (
    "西津路", "庆阳路", "东岗路", "民主路", "武都路", "张掖路", "白银路", "定西路", "安宁路", "建宁路",
)  # fmt: skip
ROADS_ACROSS: Final = (
    "山丹街", "公园路", "福利路", "玉门街", "清水街", "敦煌路", "瓜州路", "建兰路", "长安路", "银滩路",
    "水挂庄路", "解放门路", "永昌路", "酒泉路", "静宁路", "皋兰路", "平凉路", "天水路", "渭源路", "嘉峪关路", "雁园路",
)  # fmt: skip
LANES: Final = "柳槐枣杏桃梨榆松柏竹兰菊荷桂梅枫"

SURNAMES: Final = (
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "萧", "田", "董", "潘", "袁", "蔡",
)  # fmt: skip
GIVEN_FIRST: Final = "建国志文海春晓玉丽佳雪小永德明红秀俊立宏"
GIVEN_SECOND: Final = "华军平芳敏强伟英杰燕辉霞兰梅宁涛鹏娟云龙"
