"""Classifies what several requests wait for in one call of the network.

While a call is computed in a thread, further requests gather for the next one. A call
waits some milliseconds for requests whose pictures are being decoded, and a single
request never waits.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

# A call of the network costs as much for one picture as for so many.
_ENOUGH_WORKS = 8
# Seconds to wait for so many: a photograph is decoded in about that time.
_GATHER_SECONDS = 0.008

Work = TypeVar("Work")
Result = TypeVar("Result")


class MicroBatcher(Generic[Work, Result]):
    """Gathers work of several requests, and computes it in a thread of its own."""

    def __init__(
        self,
        compute: Callable[[Sequence[Work]], Sequence[Result]],
        max_size: int,
        expects_more: Callable[[], bool],
    ) -> None:
        """Starts no thread before the first work.

        Args:
          compute: returns one result per work.
          max_size: most works of one call.
          expects_more: tells whether works are about to come, for which it pays to wait
            some milliseconds.
        """
        self._compute = compute
        self._expects_more = expects_more
        self._max_size = max_size
        self._executor = ThreadPoolExecutor(1)
        self._is_enough = asyncio.Event()
        self._waiting: deque[tuple[Work, asyncio.Future[Result]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, work: Work) -> Result:
        """Computes work, perhaps with that of other requests."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif self._has_enough():
            self._is_enough.set()
        return await future

    def close(self) -> None:
        """Ends the thread after its present call."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await self._gather()
                batch = self._take_batch()
                works = [work for work, _ in batch]
                call = loop.run_in_executor(self._executor, self._compute, works)
                _resolve([future for _, future in batch], await _outcome(call))
        finally:
            self._task = None

    async def _gather(self) -> None:
        """Waits a little for works that are about to come."""
        self._is_enough.clear()
        if self._has_enough():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_SECONDS):
                await self._is_enough.wait()

    def _has_enough(self) -> bool:
        return len(self._waiting) >= _ENOUGH_WORKS or not self._expects_more()

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
