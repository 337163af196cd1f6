"""Attacks `bin/serve` with mutated and hostile uploads, among innocent requests.

Usage: python -m tests.benchmarks.serving_fuzz --count 100000

One upload in ten is hostile: a bomb, a hostile form, or an attack on the connection. The
others are pictures and documents that are damaged at random. Prints how they were
answered, what went wrong, and the memory and descriptors of the server over time. The
exit status is 1 if a request had no answer or a wrong one, the server failed or grew, or
something is left of it. Requests that went wrong are kept in a folder, whose name is
printed.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from cnn.data import datasets
from tests.benchmarks.hostile_connections import (
    ATTACKS,
    SLOW_ATTACKS,
    Attack,
    Target,
    check_answer,
)
from tests.benchmarks.hostile_files import HOSTILE_FILES, mutate, paged_files
from tests.benchmarks.hostile_forms import any_request, hostile_request
from tests.benchmarks.http_client import ANSWER_SECONDS, Connection, connect
from tests.benchmarks.process_watch import (
    Usage,
    child_pids,
    is_running,
    measure_usage,
)
from tests.benchmarks.servers import Server, post, start_ours
from tests.benchmarks.serving import make_digits
from tests.broken import whole_files

_CONCURRENCY = 16
_HOSTILE_EVERY = 10
_INNOCENT_EVERY = 8
# One hostile upload in so many is a slow attack beside the others, of which so many run
# at a time.
_SLOW_EVERY = 50
_MAX_SLOW = 20
_NUM_SAMPLES = 40
_MAX_KEPT = 50
# The server may use so many times what it used after a tenth of the uploads, and have
# so many more descriptors.
_MAX_GROWTH = 1.2
_MAX_MORE_DESCRIPTORS = 8
_FLAGS = ("--decode-timeout", 2, "--request-timeout", 10, "--max-megabytes", 8)
_SETTLE_SECONDS = 25
# What loads a library or compiles at its first use.
_WARM_UP_QUERIES = (
    *("", "preview=1", "layout=line", "layout=page", "format=csv", "format=parquet"),
    "classes=0-8",
)


class Fuzzer:
    """Sends uploads, and keeps account of the answers."""

    def __init__(self, server: Server, seed: int, count: int, kept: Path) -> None:
        self.answers: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.num_innocent = 0
        self.usages: list[tuple[int, Usage]] = []
        self._server = server
        self._seed = seed
        self._count = count
        self._kept = kept
        digits = datasets.load("mnist", "test").images[:84, ..., 0]
        self._files = [*whole_files(digits), *paged_files(digits[0])]
        self._target = Target(server.port, make_digits())
        self._next = 0
        self._slow: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Sends all uploads."""
        for query in _WARM_UP_QUERIES:
            await asyncio.to_thread(self._warm_up, query)
        self._sample()
        try:
            await asyncio.gather(*(self._send_some() for _ in range(_CONCURRENCY)))
        except ConnectionError as error:
            self._report(f"no connection: {error}", b"", self._next)
        if self._slow:
            await asyncio.wait(self._slow)

    def _warm_up(self, query: str) -> None:
        status, body = post(self._server.port, f"/read?{query}", self._files[0])
        if status != 200:
            self._report(f"warm-up: {status}: {body[:200]!r}", b"", -1)

    async def _send_some(self) -> None:
        """Sends uploads in turn, as long as possible on one connection."""
        while self._next < self._count:
            async with connect(self._server.port) as connection:
                is_open = True
                while is_open and self._next < self._count:
                    number = self._next
                    self._next += 1
                    if number % max(1, self._count // _NUM_SAMPLES) == 0:
                        self._sample()
                    is_open = await self._send(connection, number)

    async def _send(self, connection: Connection, number: int) -> bool:
        """Sends an upload. Returns whether the connection can be used again."""
        rng = np.random.default_rng([self._seed, number])
        is_open = True
        if number % _INNOCENT_EVERY == 0:
            is_open = await self._send_innocent(connection, rng)
        if not is_open:
            return False
        turn, is_mutated = divmod(number, _HOSTILE_EVERY)
        if not is_mutated:
            return await self._send_hostile(connection, rng, turn, number)
        request = any_request(rng, mutate(rng, self._files))
        return await self._exchange(connection, request, "mutated", number)

    async def _send_innocent(
        self, connection: Connection, rng: np.random.Generator
    ) -> bool:
        index = self._target.choose(rng)
        self.num_innocent += 1
        try:
            await connection.send(self._target.pictures.requests[index])
            answer = await connection.receive()
        except TimeoutError:
            answer = None
        for problem in self._target.check_innocent(index, answer):
            self._report(problem, self._target.pictures.requests[index], -1)
        return answer is not None

    async def _send_hostile(
        self, connection: Connection, rng: np.random.Generator, turn: int, number: int
    ) -> bool:
        """Attacks by a connection, by a file, or by a form, in turn."""
        if turn % _SLOW_EVERY == 0 and len(self._slow) < _MAX_SLOW:
            self._start_slow_attack(turn // _SLOW_EVERY, rng, number)
            return True
        index, kind = divmod(turn, 3)
        if kind == 0:
            await self._attack(ATTACKS[index % len(ATTACKS)], rng, number)
            return True
        make = HOSTILE_FILES[index % len(HOSTILE_FILES)]
        content = await asyncio.to_thread(make, rng)
        if kind == 1:
            request, name = any_request(rng, content), make.__name__
        else:
            request, name = hostile_request(rng, content), "hostile form"
        return await self._exchange(connection, request, name, number)

    async def _exchange(
        self, connection: Connection, request: bytes, kind: str, number: int
    ) -> bool:
        try:
            await connection.send(request)
            answer = await connection.receive()
        except TimeoutError:
            self._report(f"{kind}: no answer in {ANSWER_SECONDS} s", request, number)
            return False
        status = answer.status if answer else "none"
        self.answers[f"{kind}: {status}"] += 1
        for problem in check_answer(answer):
            self._report(f"{kind}: {problem}", request, number)
        return answer is not None and answer.headers.get("connection") != "close"

    async def _attack(
        self, attack: Attack, rng: np.random.Generator, number: int
    ) -> None:
        name = attack.__name__
        self.answers[name] += 1
        try:
            problems = await attack(self._target, rng)
        except TimeoutError:
            problems = ["the connection neither ended nor had an answer"]
        for problem in problems:
            self._report(f"{name}: {problem}", b"", number)

    def _start_slow_attack(
        self, turn: int, rng: np.random.Generator, number: int
    ) -> None:
        attack = SLOW_ATTACKS[turn % len(SLOW_ATTACKS)]
        task = asyncio.create_task(self._attack(attack, rng, number))
        self._slow.add(task)
        task.add_done_callback(self._slow.discard)

    def _report(self, problem: str, request: bytes, number: int) -> None:
        self.problems[problem] += 1
        if self.problems.total() <= _MAX_KEPT:
            print(f"upload {number}: {problem}", flush=True)
            (self._kept / f"{number}.http").write_bytes(request)

    def _sample(self) -> None:
        if self._server.process.poll() is None:
            usage = measure_usage(self._server.process.pid)
            self.usages.append((self._next, usage))


def main() -> None:
    """Prints the account; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    kept = Path(tempfile.mkdtemp(prefix=f"serving-fuzz-{arguments.seed}-"))
    start = time.monotonic()
    fuzzer, wrong = _fuzz(arguments.seed, arguments.count, kept)
    _print_account(fuzzer, arguments.count, time.monotonic() - start)
    wrong += [f"{problem}: {n} times" for problem, n in fuzzer.problems.items()]
    print("\n".join(wrong) or "nothing went wrong")
    if fuzzer.problems:
        print(f"requests that went wrong are in {kept}")
    else:
        kept.rmdir()
    raise SystemExit(bool(wrong))


def _fuzz(seed: int, count: int, kept: Path) -> tuple[Fuzzer, list[str]]:
    """Attacks a server, ends it, and lists what is wrong with the server itself."""
    with tempfile.TemporaryDirectory() as temporary:
        with start_ours(*_FLAGS, TMPDIR=temporary) as server:
            fuzzer = Fuzzer(server, seed, count, kept)
            asyncio.run(fuzzer.run())
            wrong = _check_server(server, fuzzer.usages)
            children = child_pids(server.process.pid)
            left = set(server.log.parent.iterdir()) - {server.log}
        left.update(Path(temporary).rglob("*"))
    wrong += [f"left over: {path}" for path in left]
    wrong += [f"process {pid} is left" for pid in children if is_running(pid)]
    if server.process.returncode != 0:
        wrong.append(f"the server ended with {server.process.returncode}")
    return fuzzer, wrong


def _check_server(server: Server, usages: list[tuple[int, Usage]]) -> list[str]:
    """Checks that the server runs, has not grown, and has logged no failure."""
    if server.process.poll() is not None:
        return [f"the server died: {server.log.read_text()[-2000:]}"]
    time.sleep(_SETTLE_SECONDS)  # Until idle connections are closed.
    first = usages[1 + len(usages) // 10][1]
    last = measure_usage(server.process.pid)
    usages.append((usages[-1][0], last))
    wrong = []
    if last.megabytes > _MAX_GROWTH * first.megabytes:
        wrong.append(f"the server grew from {first} to {last}")
    if last.descriptors > usages[0][1].descriptors + _MAX_MORE_DESCRIPTORS:
        wrong.append(f"open descriptors: {usages[0][1]} at first, {last} at last")
    log = server.log.read_text()
    if "Traceback" in log:
        start = log.index("Traceback")
        wrong.append(f"{log.count('Traceback')} tracebacks: {log[start:][:3000]}")
    return wrong


def _print_account(fuzzer: Fuzzer, count: int, seconds: float) -> None:
    print(
        f"{count:,} uploads and {fuzzer.num_innocent:,} innocent requests beside them"
    )
    print(f"in {seconds:,.0f} s")
    for what, number in sorted(fuzzer.answers.items()):
        print(f"| {what} | {number:,} |")
    print("| uploads | MB | MB of children | descriptors | children | threads |")
    for number, usage in fuzzer.usages:
        cells = [f"{number:,}", *(f"{value:,.0f}" for value in usage)]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
