"""A sealed secret opens in its own place, with its own key, or not at all (SEC 1)."""

from __future__ import annotations

import pytest

from workestra.kit.vault import Place, Sealed, Vault

HERE = Place(table="mail_grant", workspace=1, row="7", field="refresh")
OLD, NEW = b"1" * 32, b"2" * 32


@pytest.fixture
def vault() -> Vault:
    return Vault(keys={"k1": OLD})


@pytest.mark.parametrize("text", ["", "a", "ünïcödé \U0001f511", "x" * 20_000, "\x00\x1f"])
def test_what_was_sealed_opens_in_its_place(vault: Vault, text: str) -> None:
    assert vault.open(sealed=vault.seal(text=text, place=HERE), place=HERE) == text


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(table="mail_signin", workspace=1, row="7", field="refresh"),
        Place(table="mail_grant", workspace=2, row="7", field="refresh"),
        Place(table="mail_grant", workspace=1, row="8", field="refresh"),
        Place(table="mail_grant", workspace=1, row="7", field="access"),
        Place(table="mail_grant", workspace=17, row="", field="refresh"),
    ],
)
def test_a_secret_put_into_another_place_does_not_open(vault: Vault, elsewhere: Place) -> None:
    with pytest.raises(Sealed):
        vault.open(sealed=vault.seal(text="secret", place=HERE), place=elsewhere)


def test_any_flipped_bit_keeps_it_shut(vault: Vault) -> None:
    sealed = vault.seal(text="secret", place=HERE)
    for at in range(len(sealed) * 8):
        bent = bytearray(sealed)
        bent[at // 8] ^= 1 << at % 8
        with pytest.raises(Sealed):
            vault.open(sealed=bytes(bent), place=HERE)


def test_any_cut_keeps_it_shut(vault: Vault) -> None:
    sealed = vault.seal(text="secret", place=HERE)
    for end in range(len(sealed)):
        with pytest.raises(Sealed):
            vault.open(sealed=sealed[:end], place=HERE)
    with pytest.raises(Sealed):
        vault.open(sealed=sealed + b"\x00", place=HERE)


def test_the_wrong_key_of_the_right_name_does_not_open(vault: Vault) -> None:
    with pytest.raises(Sealed):
        Vault(keys={"k1": NEW}).open(sealed=vault.seal(text="secret", place=HERE), place=HERE)


def test_after_a_rotation_new_secrets_use_the_first_key_and_old_ones_still_open(vault: Vault) -> None:
    old = vault.seal(text="old", place=HERE)
    rotated = Vault(keys={"k2": NEW, "k1": OLD})
    fresh = rotated.seal(text="new", place=HERE)
    assert (rotated.key_of(sealed=old), rotated.key_of(sealed=fresh)) == ("k1", "k2")
    assert rotated.open(sealed=old, place=HERE) == "old"
    assert rotated.open(sealed=fresh, place=HERE) == "new"
    with pytest.raises(Sealed, match="not configured"):
        Vault(keys={"k2": NEW}).open(sealed=old, place=HERE)


def test_sealing_twice_gives_different_bytes(vault: Vault) -> None:
    assert vault.seal(text="same", place=HERE) != vault.seal(text="same", place=HERE)


def test_a_vault_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Vault(keys={})
