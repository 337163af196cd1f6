"""Several requests on one connection, sent before the first is answered."""

import http.client
import io
import json
import socket
import time

import pytest

from tests.serving.conftest import SEVEN, Server


def request(body: bytes, headers: bytes = b"") -> bytes:
    head = b"POST /read HTTP/1.1\r\nhost: localhost\r\n%bcontent-length: %d\r\n\r\n"
    return head % (headers, len(body)) + body


def exchange(server: Server, *parts: bytes) -> list[tuple[int, dict]]:
    """Sends the parts in a row, and returns status and body of each answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return split_answers(received)


def split_answers(received: bytes) -> list[tuple[int, dict]]:
    answers = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status_line, _, lines = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(lines + b"\r\n\r\n"))
        size = int(headers["content-length"])
        answers.append((int(status_line.split()[1]), json.loads(rest[:size])))
        received = rest[size:]
    return answers


@pytest.mark.parametrize("rest", [b"\x16\x03\x01 no HTTP", b"x" * 100_000])
def test_what_follows_a_request_does_not_take_the_place_of_its_answer(
    server: Server, rest: bytes
) -> None:
    seven = SEVEN.read_bytes()
    answers = exchange(server, request(seven) + request(seven) + rest)
    assert [status for status, _ in answers] == [200, 200]
    assert [body["rows"][0]["prediction"] for _, body in answers] == ["7", "7"]


def test_broken_chunks_are_told_at_once(server: Server) -> None:
    head = (
        b"POST /read HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    answers = exchange(server, head, b"no size\r\n")
    assert answers == [(400, {"detail": "Invalid HTTP request received"})]


def test_a_second_request_in_parts_is_answered(server: Server) -> None:
    seven = SEVEN.read_bytes()
    last = request(seven, b"connection: close\r\n")
    answers = exchange(server, request(seven) + last[:50], last[50:200], last[200:])
    assert [status for status, _ in answers] == [200, 200]


@pytest.mark.parametrize("count", [1, 3])
def test_a_client_that_ends_its_side_has_its_answers(
    server: Server, count: int
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(count * request(SEVEN.read_bytes()))
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    answers = split_answers(received)
    assert [status for status, _ in answers] == count * [200]


def test_a_client_that_ends_within_its_request_is_dropped(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request(SEVEN.read_bytes())[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1 << 16) == b""
