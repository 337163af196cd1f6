"""A client of HTTP that sends any bytes, also wrong ones."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator
from typing import NamedTuple

from tests.benchmarks.servers import HOST

# Seconds in which an answer must come, or a connection must end.
ANSWER_SECONDS = 60
_MAX_HEAD = 1 << 20
# Closing such a socket resets the connection.
_NO_LINGER = struct.pack("ii", 1, 0)


class HttpAnswer(NamedTuple):
    """An answer.

    Attributes:
      status: of HTTP.
      headers: by lower-case name.
      body: as it was sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """A connection to a server of this machine."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Sends bytes; those that the other side no longer takes are dropped."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    def end_sending(self) -> None:
        """Tells the server that nothing more will come, and still takes its answer."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    def reset(self) -> None:
        """Ends the connection at once, without a farewell."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()

    async def receive(self) -> HttpAnswer | None:
        """Receives an answer, or None if the connection ends first.

        Raises:
          TimeoutError: neither happens in time.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
                return await self._receive_body(head)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None

    async def receive_all(self) -> list[HttpAnswer]:
        """Receives answers until the connection ends."""
        answers = []
        while (answer := await self.receive()) is not None:
            answers.append(answer)
        return answers

    @property
    def socket(self) -> socket.socket:
        """The socket."""
        connected: socket.socket = self._writer.get_extra_info("socket")
        return connected

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()

    async def _receive_body(self, head: bytes) -> HttpAnswer:
        start, *lines = head.decode("latin-1").rstrip().split("\r\n")
        pairs = [line.partition(":") for line in lines]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        status = int(start.split()[1])
        size = 0 if status < 200 else int(headers.get("content-length", 0))
        return HttpAnswer(status, headers, await self._reader.readexactly(size))


@contextlib.asynccontextmanager
async def connect(port: int) -> AsyncGenerator[Connection, None]:
    """Connects to a server of this machine, and closes the connection at the end."""
    streams = await asyncio.open_connection(HOST, port, limit=_MAX_HEAD)
    connection = Connection(*streams)
    try:
        yield connection
    finally:
        connection.close()


def make_request(
    body: bytes, target: str = "/read", method: str = "POST", headers: str = ""
) -> bytes:
    """Makes a request with the right length.

    Args:
      body: of the request.
      target: path and query.
      method: of HTTP.
      headers: further lines, each with its end.
    """
    head = (
        f"{method} {target} HTTP/1.1\r\nhost: {HOST}\r\n"
        f"content-length: {len(body)}\r\n{headers}\r\n"
    )
    return head.encode() + body
