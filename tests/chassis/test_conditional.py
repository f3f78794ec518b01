"""`ETag` and `If-Match` (RFC 9110, 13.1.1; RFC 6585, 3)."""

import pytest
from fastapi import Response

from chassis.conditional import require_version, set_etag
from chassis.problems import PreconditionFailed, PreconditionRequired


def test_the_etag_is_strong_and_quoted() -> None:
    response = Response()
    set_etag(response, 7)
    assert response.headers["etag"] == '"7"'


def test_the_version_that_stands_passes() -> None:
    require_version('"7"', 7)
    require_version(' "7" ', 7)


def test_without_if_match_it_is_428() -> None:
    with pytest.raises(PreconditionRequired) as refused:
        require_version(None, 7)
    assert refused.value.status == 428


@pytest.mark.parametrize("tag", ["", "7", '"6"', '"70"', 'W/"7"', "*", '"6", "7"', '"七"'])
def test_any_other_tag_is_412(tag: str) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        require_version(tag, 7)
    assert refused.value.status == 412
