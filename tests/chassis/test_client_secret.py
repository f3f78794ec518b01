import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.client_secret import hash_secret, new_secret, verify_secret


def test_a_made_secret_verifies_and_another_does_not() -> None:
    secret = new_secret()
    stored = hash_secret(secret)
    assert verify_secret(secret, stored)
    assert not verify_secret(new_secret(), stored)
    assert not verify_secret("", stored)


def test_the_hash_does_not_hold_the_secret_and_is_salted() -> None:
    secret = new_secret()
    first, second = hash_secret(secret), hash_secret(secret)
    assert secret not in first
    assert first != second


def test_made_secrets_differ_and_carry_256_bits() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert min(map(len, secrets)) >= 43


@pytest.mark.parametrize("secret", ["", "anything", "x" * 10_000])
def test_an_unknown_client_has_no_right_secret(secret: str) -> None:
    assert not verify_secret(secret, None)


def test_an_endless_secret_is_not_the_secret_of_its_beginning() -> None:
    stored = hash_secret("x" * 1_024)
    assert verify_secret("x" * 1_024, stored)
    assert not verify_secret("x" * 1_025, stored)


@settings(max_examples=20, deadline=None)
@given(secret=st.text(max_size=50), other=st.text(max_size=50))
def test_only_equal_secrets_verify(secret: str, other: str) -> None:
    assert verify_secret(other, hash_secret(secret)) == (secret == other)
