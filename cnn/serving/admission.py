"""Bounds how many requests, and bytes of them, are in memory at a time."""

import contextlib
from collections.abc import Iterator

from cnn.serving.errors import RequestError

_LATER = "try again later"


class Ticket:
    """The place of one request, and the memory that it takes.

    Attributes:
      num_bytes: that it takes.
      has_body: whether its body has arrived.
    """

    def __init__(self, admission: "Admission") -> None:
        """Takes no memory yet."""
        self._admission = admission
        self.num_bytes = 0
        self.has_body = False

    def take(self, num_bytes: int) -> None:
        """Takes memory, until the request is answered.

        Raises:
          RequestError: others have too much.
        """
        admission = self._admission
        if admission.num_bytes + num_bytes > admission.max_bytes:
            raise RequestError(429, f"too many bytes of requests wait; {_LATER}")
        admission.num_bytes += num_bytes
        self.num_bytes += num_bytes


class Admission:
    """Admits requests while there is room.

    Attributes:
      max_requests: requests at a time.
      max_bytes: bytes of their bodies and answers.
      num_requests: present number of requests.
      num_bytes: present number of their bytes.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        """Begins without requests."""
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.num_requests = 0
        self.num_bytes = 0

    @contextlib.contextmanager
    def admit(self) -> Iterator[Ticket]:
        """Admits a request until the end of the `with` block.

        Raises:
          RequestError: there is no room.
        """
        if self.num_requests >= self.max_requests:
            raise RequestError(429, f"too many requests wait; {_LATER}")
        ticket = Ticket(self)
        self.num_requests += 1
        try:
            yield ticket
        finally:
            self.num_requests -= 1
            self.num_bytes -= ticket.num_bytes
