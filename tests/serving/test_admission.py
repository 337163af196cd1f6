"""How many requests, and bytes of them, are in memory at a time."""

import contextlib

import pytest

from cnn.serving.admission import Admission
from cnn.serving.errors import RequestError


def test_a_request_leaves_when_it_is_answered_or_fails():
    admission = Admission(max_requests=1, max_bytes=10)
    for _ in range(3):
        with contextlib.suppress(ValueError), admission.admit() as ticket:
            ticket.take(10)
            raise ValueError
    assert (admission.num_requests, admission.num_bytes) == (0, 0)


def test_one_request_too_many_is_told_to_come_back():
    admission = Admission(max_requests=1, max_bytes=10)
    with admission.admit():
        with pytest.raises(RequestError, match="too many requests") as error:
            admission.admit().__enter__()
        assert error.value.status == 429
        assert error.value.headers == {"retry-after": "1"}
    admission.admit().__enter__()


def test_one_byte_too_many_is_told_to_come_back():
    admission = Admission(max_requests=5, max_bytes=10)
    with admission.admit() as first, admission.admit() as second:
        first.take(6)
        second.take(4)
        with pytest.raises(RequestError, match="too many bytes") as error:
            first.take(1)
        assert error.value.status == 429
        assert admission.num_bytes == 10
    assert admission.num_bytes == 0
