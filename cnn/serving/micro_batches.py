"""Classifies what several requests wait for in one call of the network.

While a call is computed in a thread, further requests gather for the next one. So a
batch is as large as the load asks for, and a single request never waits for others.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


class MicroBatcher(Generic[Work, Result]):
    """Gathers work of several requests, and computes it in a thread of its own."""

    def __init__(
        self, compute: Callable[[Sequence[Work]], Sequence[Result]], max_size: int
    ) -> None:
        """Starts no thread before the first work.

        Args:
          compute: returns one result per work.
          max_size: most works of one call.
        """
        self._compute = compute
        self._max_size = max_size
        self._executor = ThreadPoolExecutor(1)
        self._waiting: deque[tuple[Work, asyncio.Future[Result]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, work: Work) -> Result:
        """Computes work, perhaps with that of other requests."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    def close(self) -> None:
        """Ends the thread after its present call."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while batch := self._take_batch():
                works = [work for work, _ in batch]
                call = loop.run_in_executor(self._executor, self._compute, works)
                _resolve([future for _, future in batch], await _outcome(call))
        finally:
            self._task = None

    def _take_batch(self) -> list[tuple[Work, "asyncio.Future[Result]"]]:
        batch: list[tuple[Work, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._max_size:
            work, future = self._waiting.popleft()
            if not future.done():  # The request may have been given up.
                batch.append((work, future))
        return batch


async def _outcome(
    call: "asyncio.Future[Sequence[Result]]",
) -> Sequence[Result] | Exception:
    try:
        return await call
    except Exception as error:
        return error


def _resolve(
    futures: "Sequence[asyncio.Future[Result]]", outcome: Sequence[Result] | Exception
) -> None:
    """Gives each request its result, or all of them the error."""
    for index, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[index])
