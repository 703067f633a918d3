"""Secrets of devices are kept sealed: they open for what they were sealed for, with a key in force, and else never."""

from __future__ import annotations

import pytest

from gridsvc.errors import BadSettings, CannotUnseal
from gridsvc.sealing import Sealer
from gridsvc.settings import IdentitySettings

OLD, NEW = "last-years-secret-of-forty-characters-0", "this-years-secret-of-forty-characters-0"


def test_a_sealed_secret_opens_for_its_own_purpose_only() -> None:
    sealer = Sealer.of_secrets([NEW])
    sealed = sealer.seal(b"12345678", "camera 7")
    assert sealer.unseal(sealed, "camera 7") == b"12345678"
    assert b"12345678" not in sealed
    with pytest.raises(CannotUnseal, match="camera 8"):
        sealer.unseal(sealed, "camera 8")


def test_the_same_secret_sealed_twice_does_not_look_the_same() -> None:
    sealer = Sealer.of_secrets([NEW])
    assert sealer.seal(b"12345678", "camera 7") != sealer.seal(b"12345678", "camera 7")


def test_a_key_is_replaced_without_a_secret_given_anew() -> None:
    sealed = Sealer.of_secrets([OLD]).seal(b"12345678", "camera 7")
    both = Sealer.of_secrets([NEW, OLD])
    assert both.unseal(sealed, "camera 7") == b"12345678"
    resealed = both.seal(b"12345678", "camera 7")
    assert Sealer.of_secrets([NEW]).unseal(resealed, "camera 7") == b"12345678"
    with pytest.raises(CannotUnseal):
        Sealer.of_secrets([NEW]).unseal(sealed, "camera 7")


@pytest.mark.parametrize("spoilt", [b"", b"short", b"\0" * 12, b"\0" * 60])
def test_what_is_not_whole_opens_with_no_key(spoilt: bytes) -> None:
    with pytest.raises(CannotUnseal):
        Sealer.of_secrets([NEW]).unseal(spoilt, "camera 7")


def test_without_secrets_of_its_own_sealing_uses_the_secret_of_the_instance() -> None:
    assert IdentitySettings(secret=OLD).sealing == [OLD]
    assert IdentitySettings(secret=OLD, sealing_secrets=f"{NEW}\n{OLD}").sealing == [NEW, OLD]


def test_a_secret_that_a_blank_cut_in_two_is_refused() -> None:
    with pytest.raises(BadSettings, match="one of 4 characters; want 32"):
        IdentitySettings(secret=OLD, sealing_secrets=f"{NEW} half")
