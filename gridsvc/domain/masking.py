"""How a reporter is shown to people who need not know who it is: enough to tell two apart, not to find one."""

from __future__ import annotations


def masked_name(name: str) -> str:
    """The first character and a star for each other: 张三丰 is 张**. A name of one character shows nothing of it."""
    return "*" if len(name) == 1 else name[:1] + "*" * (len(name) - 1)


def masked_phone(phone: str) -> str:
    """A number of eleven signs or more as 138****1234, a shorter one as its last two, one of four or less as stars."""
    if len(phone) >= 11:
        return phone[:3] + "*" * (len(phone) - 7) + phone[-4:]
    return "*" * (len(phone) - 2) + phone[-2:] if len(phone) > 4 else "*" * len(phone)
