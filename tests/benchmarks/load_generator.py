"""Sends prepared HTTP requests over kept connections, and records every answer.

A process of its own, so that it takes its time from no server's interpreter. It reads a
pickled `Load` from stdin, and writes a pickled list of `Answer` to stdout. It connects
to this machine alone.
"""

import asyncio
import pickle
import random
import subprocess
import sys
from collections import deque
from time import perf_counter
from typing import Any, NamedTuple

import uvloop

_HOST = "127.0.0.1"
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
# Seconds after the last request in which its answer must arrive.
_GRACE_SECONDS = 30
# Requests of one load, so that no mistake in a rate fills the memory.
_MAX_REQUESTS = 1_000_000


class Load(NamedTuple):
    """What is sent.

    Attributes:
      port: of the server.
      requests: heads and bodies as they are sent, in turn.
      connections: number of connections, each with one request at a time.
      seconds: time in which requests are sent.
      rate: mean of random arrivals per second, whether or not earlier requests are
        answered (an open loop). None sends a request after each answer (a closed one).
    """

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    rate: float | None = None


class Answer(NamedTuple):
    """What came back.

    Attributes:
      request: index of the request.
      status: of HTTP, or 0 if the connection ended without an answer.
      body: of the answer.
      seconds: from the arrival of the request, even if it had to wait for a
        connection, to its answer.
      end: time of the answer in seconds since the beginning of the load.
    """

    request: int
    status: int
    body: bytes
    seconds: float
    end: float


class _Connection(asyncio.Protocol):
    """A connection with at most one request in flight."""

    def __init__(self, generator: "_Generator") -> None:
        self._generator = generator
        self._buffer = b""
        self._request: tuple[int, float] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def send(self, index: int, arrival: float) -> None:
        self._request = index, arrival
        self._transport.write(self._generator.load.requests[index])

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(_HEAD_END)
        if end < 0:
            return
        start = end + len(_HEAD_END)
        size = _content_length(buffer[:end])
        if len(buffer) - start >= size:
            self._buffer = b""
            self._finish(int(buffer[9:12]), buffer[start : start + size])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._request is not None:
            self._finish(0, b"")
        self._generator.lose(self)

    def give_up(self) -> None:
        if self._request is not None:
            self._finish(0, b"")
        self._transport.close()

    def _finish(self, status: int, body: bytes) -> None:
        assert self._request is not None
        index, arrival = self._request
        self._request = None
        self._generator.record(index, status, body, arrival)
        if status:
            self._generator.release(self)


class _Generator:
    """Gives requests to idle connections."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self._answers: list[Answer] = []
        self._num_sent = 0
        self._idle: deque[_Connection] = deque()
        self._arrivals: deque[float] = deque()
        self._has_ended = False

    async def run(self) -> list[Answer]:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(self._connect, _HOST, self.load.port))[1]
            for _ in range(self.load.connections)
        ]
        self._idle.extend(connections)
        self._start = perf_counter()
        await (self._close_loop() if self.load.rate is None else self._open_loop())
        self._has_ended = True
        await self._wait_for_answers()
        self._give_up(connections)
        return self._answers

    def _connect(self) -> _Connection:
        return _Connection(self)

    async def _close_loop(self) -> None:
        for connection in list(self._idle):
            self.release(connection)
        await asyncio.sleep(self.load.seconds)

    async def _open_loop(self) -> None:
        """Lets requests arrive as a Poisson process does."""
        rate = self.load.rate
        assert rate is not None
        rng = random.Random(0)
        arrival = self._start + rng.expovariate(rate)
        while arrival < self._start + self.load.seconds:
            await asyncio.sleep(max(0.0, arrival - perf_counter()))
            while arrival <= perf_counter():
                self._arrivals.append(arrival)
                arrival += rng.expovariate(rate)
            self._send_arrivals()

    async def _wait_for_answers(self) -> None:
        end = perf_counter() + _GRACE_SECONDS
        while perf_counter() < end and (
            self._arrivals or len(self._answers) < self._num_sent
        ):
            await asyncio.sleep(0.01)

    def _give_up(self, connections: list[_Connection]) -> None:
        """Records what was not answered in time."""
        for connection in connections:
            connection.give_up()
        while self._arrivals:
            self.record(self._next_index(), 0, b"", self._arrivals.popleft())

    def release(self, connection: _Connection) -> None:
        """Uses a connection again whose request is answered."""
        if self.load.rate is not None:
            self._idle.append(connection)
            self._send_arrivals()
        elif not self._has_ended:
            self._send(connection, perf_counter())

    def lose(self, connection: _Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def record(self, index: int, status: int, body: bytes, arrival: float) -> None:
        now = perf_counter()
        answer = Answer(index, status, body, now - arrival, now - self._start)
        self._answers.append(answer)

    def _send_arrivals(self) -> None:
        while self._arrivals and self._idle:
            self._send(self._idle.popleft(), self._arrivals.popleft())

    def _send(self, connection: _Connection, arrival: float) -> None:
        if self._num_sent >= _MAX_REQUESTS:
            return
        connection.send(self._next_index(), arrival)

    def _next_index(self) -> int:
        index = self._num_sent % len(self.load.requests)
        self._num_sent += 1
        return index


def _content_length(head: bytes) -> int:
    start = head.lower().index(_LENGTH) + len(_LENGTH)
    return int(head[start:].partition(b"\r\n")[0])


def run_load(load: Load) -> list[Answer]:
    """Runs a load in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.load_generator"]
    done = subprocess.run(
        command, input=pickle.dumps(load), stdout=subprocess.PIPE, check=True
    )
    return [Answer(*fields) for fields in pickle.loads(done.stdout)]


def main() -> None:
    load = pickle.load(sys.stdin.buffer)
    generator = _Generator(load)
    answers = uvloop.run(generator.run())
    # As plain tuples: here, the class belongs to the module `__main__`.
    pickle.dump([tuple(answer) for answer in answers], sys.stdout.buffer)


if __name__ == "__main__":
    main()
