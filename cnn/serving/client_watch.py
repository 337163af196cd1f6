"""Gives up the work for a client that has gone, so that others need not wait for it."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.requests import Request

from cnn.serving.errors import RequestError

# Seconds of work after which a client is watched. Small pictures are read before, and
# do not pay for a watch.
_WATCH_AFTER_SECONDS = 0.2


class ClientWatch:
    """Cancels the block of a `with` statement once its client has gone.

    The body of the request must have been received.
    """

    def __init__(self, request: Request) -> None:
        """Takes the request that the block answers."""
        self._request = request
        self._watch: asyncio.Task[None] | None = None
        self._has_given_up = False

    def __enter__(self) -> Self:
        """Begins to watch in a while."""
        self._loop = asyncio.get_running_loop()
        self._block = asyncio.current_task()
        self._timer = self._loop.call_later(_WATCH_AFTER_SECONDS, self._begin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        """Ends the watch.

        Raises:
          RequestError: the client has gone.
        """
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if self._has_given_up and kind is asyncio.CancelledError:
            assert self._block is not None
            self._block.uncancel()
            raise RequestError(400, "the client has gone") from error

    def _begin(self) -> None:
        self._watch = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        assert self._block is not None
        self._has_given_up = True
        self._block.cancel()
