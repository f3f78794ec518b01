import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import sm3


def test_sm3_of_abc_is_the_standards_vector() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3.digest(b"abc").hex() == expected


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="OpenSSL without SM3")
@given(key=st.binary(min_size=1, max_size=100), data=st.binary(max_size=200))
def test_mac_equals_hmac_sm3_of_the_interpreters_openssl(key: bytes, data: bytes) -> None:
    assert sm3.mac(key, data) == hmac.digest(key, data, "sm3")
