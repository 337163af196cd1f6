"""HTTP connections with deadlines: slow clients are dropped.

uvicorn limits how long a connection may be idle between requests, but neither how long
headers may take to arrive, nor an answer to be taken.
"""

from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cnn.serving.errors import RequestError

# Connections at a time.
MAX_CONNECTIONS = 1000
# Seconds for the headers of a request, and for each 64 KiB of an answer.
HEADER_SECONDS = 10.0
WRITE_SECONDS = 20.0
# Seconds in which a client is answered that has ended its side of the connection.
HALF_CLOSED_SECONDS = 2.0
# Seconds in which the rest of a body may come whose request is answered already.
REST_SECONDS = 20.0
# Bytes of the headers of a request.
MAX_HEADER_BYTES = 32 * 1024


class DeadlineProtocol(HttpToolsProtocol):
    """A connection that ends when its client is too slow."""

    def connection_made(self, transport: Any) -> None:
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._deadline: Any = None
        self._is_in_headers = False
        self._header_bytes = 0
        if len(self.connections) > MAX_CONNECTIONS:
            self._send_error(RequestError(503, "too many connections"))
        else:
            self._set_deadline(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what has come, unless headers are too long."""
        if self.transport.is_closing():
            return
        was_in_headers = self._is_in_headers
        super().data_received(data)
        if was_in_headers and self._is_in_headers:
            self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._send_error(
                RequestError(
                    400, f"expected at most {MAX_HEADER_BYTES:,} bytes of headers"
                )
            )

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keeps the connection of a client that has sent all and awaits its answer.

        It may also have gone: the two look alike. So this lasts for a while only.
        """
        if not self._is_answering():
            return False
        self.cycle.keep_alive = False
        self._set_deadline(HALF_CLOSED_SECONDS)
        return True

    def on_message_begin(self) -> None:
        """Begins to wait for the rest of the headers."""
        super().on_message_begin()
        self._is_in_headers = True
        self._set_deadline(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        """Hands the request to the application, which limits the time of the body."""
        self._is_in_headers = False
        self._header_bytes = 0
        self._clear_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Ends the wait for the rest of a body that nobody needs."""
        super().on_message_complete()
        if self.cycle.response_complete:
            self._clear_deadline()

    def on_response_complete(self) -> None:
        """Begins to wait for the next request, or for the rest of this one's body."""
        # Another request may have begun meanwhile, whose body the application awaits.
        has_rest = self.cycle.response_complete and self.cycle.more_body
        super().on_response_complete()
        if has_rest:
            self._set_deadline(REST_SECONDS)

    def pause_writing(self) -> None:
        """Begins to wait until the client has taken a part of the answer."""
        super().pause_writing()
        self._set_deadline(WRITE_SECONDS)

    def resume_writing(self) -> None:
        """Ends that wait."""
        super().resume_writing()
        self._clear_deadline()

    def timeout_keep_alive_handler(self) -> None:
        """Closes an idle connection, also one that takes no bytes."""
        super().timeout_keep_alive_handler()
        self._set_deadline(WRITE_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP."""
        self._send_error(RequestError(400, msg.rstrip(".")))

    def _send_error(self, error: RequestError) -> None:
        """Ends the connection by an error, or by the answer to the request before."""
        if self._is_answering():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        head = [
            f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
            "content-type: application/json",
            f"content-length: {len(error.body)}",
            "connection: close",
            *(f"{name}: {value}" for name, value in error.headers.items()),
        ]
        self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + error.body)
        self.transport.close()
        self._set_deadline(WRITE_SECONDS)

    def _is_answering(self) -> bool:
        """Returns whether the last request is complete, and not yet answered."""
        cycle = self.cycle
        return cycle is not None and not (cycle.response_complete or cycle.more_body)

    def _set_deadline(self, seconds: float) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(seconds, self._abort)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort(self) -> None:
        cast(Any, self.transport).abort()
