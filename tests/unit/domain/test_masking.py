"""What is shown of a reporter."""

from __future__ import annotations

import pytest

from gridsvc.domain.masking import masked_name, masked_phone


@pytest.mark.parametrize(("name", "shown"), [("张三丰", "张**"), ("李四", "李*"), ("王", "*"), ("", "")])
def test_a_name_shows_its_first_character(name: str, shown: str) -> None:
    assert masked_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("13812341234", "138****1234"), ("0931-8888888", "093*****8888"), ("8881234", "*****34"), ("110", "***")],
)
def test_a_number_shows_too_little_to_call(phone: str, shown: str) -> None:
    assert masked_phone(phone) == shown
