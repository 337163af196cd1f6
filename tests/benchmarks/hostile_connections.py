"""Connections that attack a server: wrong lengths, slow clients, floods, other protocols.

Each attack returns what went wrong: an empty list if the server answered as it should.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import numpy as np

from tests.benchmarks.http_client import HttpAnswer, connect, make_request
from tests.benchmarks.serving import Pictures, agrees

Rng = np.random.Generator
# What a request may be told that is complete, whatever is in it.
_ANSWERS = (200, 400, 404, 405, 413, 415)
# ... and when it should come again, or that it asks for too much work.
_LATER_ANSWERS = (429, 503)
_MAX_HEAD_BYTES = 200_000


class Target(NamedTuple):
    """What is attacked.

    Attributes:
      port: of the server.
      pictures: innocent requests and what must be read of each.
    """

    port: int
    pictures: Pictures

    def choose(self, rng: Rng) -> int:
        """Draws the index of an innocent picture."""
        return int(rng.integers(len(self.pictures.requests)))

    def check_innocent(self, index: int, answer: HttpAnswer | None) -> list[str]:
        """Checks the answer to an innocent request."""
        if answer is None:
            return ["an innocent request had no answer"]
        if answer.status != 200:
            return [f"an innocent request had {answer.status}: {answer.body[:200]!r}"]
        (row,) = json.loads(answer.body)["rows"]
        if not agrees(row, self.pictures.expected[index]):
            return [f"an innocent request had another answer: {row}"]
        return []


def check_answer(
    answer: HttpAnswer | None, statuses: Sequence[int] = _ANSWERS
) -> list[str]:
    """Checks the answer to a request that is complete, whatever is in it."""
    if answer is None:
        return ["no answer"]
    is_later = answer.status in _LATER_ANSWERS and "retry-after" in answer.headers
    if not (answer.status in statuses or is_later) or b"Traceback" in answer.body:
        return [f"{answer.status}: {answer.body[:200]!r}"]
    if answer.status >= 400 and "detail" not in json.loads(answer.body):
        return [f"{answer.status} without a detail: {answer.body[:200]!r}"]
    return []


async def _send(target: Target, data: bytes) -> list[HttpAnswer]:
    """Sends bytes and no more, and receives answers until the server ends."""
    async with connect(target.port) as connection:
        await connection.send(data)
        connection.end_sending()
        return await connection.receive_all()


def _check_all(answers: Sequence[HttpAnswer]) -> list[str]:
    return [problem for answer in answers for problem in check_answer(answer)]


async def body_too_short(target: Target, rng: Rng) -> list[str]:
    """Ends before the body that was announced. The server may say so, or just end."""
    request = target.pictures.requests[target.choose(rng)]
    return _check_all(await _send(target, request[: -int(rng.integers(1, 100))]))


async def body_too_long(target: Target, rng: Rng) -> list[str]:
    """Sends more than was announced, which is no second request."""
    index = target.choose(rng)
    async with connect(target.port) as connection:
        rest = rng.bytes(int(rng.integers(1, 300)))
        await connection.send(target.pictures.requests[index] + rest)
        problems = target.check_innocent(index, await connection.receive())
        connection.end_sending()
        return problems + _check_all(await connection.receive_all())


async def wrong_length(target: Target, rng: Rng) -> list[str]:
    """Announces lengths that are no number, or several, or enormous."""
    lines = (
        "content-length: -1", "content-length: 1e3", "content-length: 9" + "9" * 40,
        "content-length: 5\r\ncontent-length: 6", "content-length: 0x10",
        "content-length: 5\r\ntransfer-encoding: chunked", "content-length: \xb2",
        "transfer-encoding: chunked, identity", "transfer-encoding: gzip",
        "content-length: 99999999999", "content-length:", "content-length: 5, 5",
    )  # fmt: skip
    line = lines[rng.integers(len(lines))]
    head = f"POST /read HTTP/1.1\r\nhost: localhost\r\n{line}\r\n\r\n"
    return _check_all(await _send(target, head.encode("latin-1") + b"hello"))


async def wrong_chunks(target: Target, rng: Rng) -> list[str]:
    """Sends chunks of wrong or enormous size, or without an end."""
    chunks = (
        b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello",
        b"ffffffffffffffff\r\nhello", b"5\r\nhelloworld\r\n0\r\n\r\n",
        b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n", b"f" * 5000 + b"\r\n",
        b"0\r\n" + b"trailer: x\r\n" * 5000 + b"\r\n", b"1\r\nx\r\n" * 5000,
    )  # fmt: skip
    head = b"POST /read HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    body = chunks[rng.integers(len(chunks))]
    return _check_all(await _send(target, head + b"\r\n" + body))


async def good_chunks(target: Target, rng: Rng) -> list[str]:
    """Sends an innocent picture in chunks, some bytes at a time."""
    index = target.choose(rng)
    head, _, content = target.pictures.requests[index].partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if b"length" not in line]
    async with connect(target.port) as connection:
        await connection.send(b"\r\n".join([*lines, b"transfer-encoding: chunked"]))
        await connection.send(b"\r\n\r\n")
        size = int(rng.integers(20, 200))
        for start in range(0, len(content), size):
            part = content[start : start + size]
            await connection.send(b"%x\r\n%b\r\n" % (len(part), part))
        await connection.send(b"0\r\n\r\n")
        return target.check_innocent(index, await connection.receive())


async def pipelined(target: Target, rng: Rng) -> list[str]:
    """Sends several innocent requests at once, which are answered in order."""
    indices = [target.choose(rng) for _ in range(rng.integers(2, 20))]
    problems = []
    async with connect(target.port) as connection:
        requests = [target.pictures.requests[index] for index in indices]
        await connection.send(b"".join(requests))
        for index in indices:
            problems += target.check_innocent(index, await connection.receive())
    return problems


async def expects_continue(target: Target, rng: Rng) -> list[str]:
    """Waits for leave to send the body, as curl does."""
    index = target.choose(rng)
    head, _, content = target.pictures.requests[index].partition(b"\r\n\r\n")
    async with connect(target.port) as connection:
        await connection.send(head + b"\r\nexpect: 100-continue\r\n\r\n")
        answer = await connection.receive()
        if answer is None or answer.status != 100:
            return [f"expected 100 Continue, got {answer}"]
        await connection.send(content)
        return target.check_innocent(index, await connection.receive())


async def half_closed(target: Target, rng: Rng) -> list[str]:
    """Ends its side behind an innocent request, and waits for the answer."""
    index = target.choose(rng)
    answers = await _send(target, target.pictures.requests[index])
    return target.check_innocent(index, answers[0] if answers else None)


async def reset(target: Target, rng: Rng) -> list[str]:
    """Resets the connection within a request, or behind it."""
    request = target.pictures.requests[target.choose(rng)]
    async with connect(target.port) as connection:
        await connection.send(request[: int(rng.integers(1, 2 * len(request)))])
        await asyncio.sleep(float(rng.uniform(0, 0.01)))
        connection.reset()
    return []


async def header_flood(target: Target, rng: Rng) -> list[str]:
    """Sends headers without measure: many, or a long one, or a long path."""
    size = int(rng.integers(1000, _MAX_HEAD_BYTES))
    heads = (
        b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"a: b\r\n" * (size // 6) + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * size + b"\r\n\r\n",
        b"GET /" + b"z" * size + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET /?" + b"a&" * (size // 2) + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"x" * size + b"\r\n\r\n",
    )
    return _check_all(await _send(target, heads[rng.integers(len(heads))]))


async def other_protocol(target: Target, rng: Rng) -> list[str]:
    """Speaks TLS, HTTP/2, HTTP/0.9, SSH, or nothing known."""
    beginnings = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.bytes(500),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n", b"SSH-2.0-x\r\n",
        b"\0" * 1000, rng.bytes(1000), b"\r\n" * 1000, b"GET / HTTP/9.9\r\n\r\n",
    )  # fmt: skip
    return _check_all(await _send(target, beginnings[rng.integers(len(beginnings))]))


async def wrong_path(target: Target, rng: Rng) -> list[str]:
    """Asks for files of the machine, by wrong methods, or under foreign names."""
    paths = (
        "/../../../../etc/passwd", "/page/../app.py", "/page/..%2f..%2fapp.py",
        "/page/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/page/\\..\\app.py",
        "/page/%00", "/page/index.html%00.js", "/read/../healthz", "*", "/%ff%fe",
        "http://other.example/read", "/read?name=\xff\xfe", "/none?x=\xff",
    )  # fmt: skip
    methods = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH")
    hosts = ("localhost", "evil.example", "", "localhost:x", "[::1", "a@localhost")
    method = methods[rng.integers(len(methods))]
    host = hosts[int(rng.integers(len(hosts))) if rng.random() < 0.3 else 0]
    path = paths[rng.integers(len(paths))]
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    async with connect(target.port) as connection:
        await connection.send(head.encode("latin-1"))
        if method == "HEAD":  # Its answer has a length and no body.
            return []
        answer = await connection.receive()
    statuses = [s for s in _ANSWERS if s != 200] if "etc" in path else _ANSWERS
    return check_answer(answer, statuses)


async def upgrade(target: Target, rng: Rng) -> list[str]:
    """Asks for another protocol, which the server does not have."""
    protocol = ("websocket", "h2c")[rng.integers(2)]
    headers = f"connection: upgrade\r\nupgrade: {protocol}\r\n"
    index = target.choose(rng)
    _, _, content = target.pictures.requests[index].partition(b"\r\n\r\n")
    return _check_all(await _send(target, make_request(content, headers=headers)))


async def slow_headers(target: Target, rng: Rng) -> list[str]:
    """Sends a byte a second, until the server ends the connection."""
    return await _drip(target, b"POST /read HTTP/1.1\r\nx: " + b"y" * 1000)


async def slow_body(target: Target, rng: Rng) -> list[str]:
    """Sends a body by a byte a second, until the server answers or ends."""
    request = make_request(rng.bytes(1000))
    start = request.index(b"\r\n\r\n") + 4
    return await _drip(target, request[start:], request[:start])


async def _drip(target: Target, data: bytes, beginning: bytes = b"") -> list[str]:
    async with connect(target.port) as connection:
        await connection.send(beginning)
        ending = asyncio.create_task(connection.receive_all())
        for i in range(len(data)):
            if ending.done():
                return _check_all(ending.result())
            await connection.send(data[i : i + 1])
            await asyncio.wait([ending], timeout=1)
    return ["a slow client was served for longer than its patience"]


async def takes_no_answer(target: Target, rng: Rng) -> list[str]:
    """Asks for many answers, and takes none of them."""
    request = make_request(b"", "/openapi.json", "GET")
    async with connect(target.port) as connection:
        try:
            async with asyncio.timeout(5):
                await connection.send(request * 2000)
        except TimeoutError:
            pass  # The server takes no more requests before its answers are taken.
        connection.reset()
    return []


Attack = Callable[[Target, Rng], Awaitable[list[str]]]
ATTACKS: tuple[Attack, ...] = (
    body_too_short, body_too_long, wrong_length, wrong_chunks, good_chunks, pipelined,
    expects_continue, half_closed, reset, header_flood, other_protocol, wrong_path,
    upgrade,
)  # fmt: skip
# These take long, and are therefore made beside the others.
SLOW_ATTACKS: tuple[Attack, ...] = (slow_headers, slow_body, takes_no_answer)
