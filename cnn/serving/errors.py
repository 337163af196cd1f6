"""Problems that a client is told, with the status of HTTP."""

import json

from cnn.errors import Error

# Seconds after which a client should try again.
RETRY_SECONDS = 1
# Statuses by the beginnings of the `detail` of a file that cannot be read.
_STATUS_OF_UNREADABLE = {
    "not an image": 415,
    "too large": 413,
}


class RequestError(Error):
    """A request that is not answered with rows.

    Attributes:
      status: of HTTP.
    """

    def __init__(self, status: int, detail: str, members: str = "") -> None:
        """Takes what the client is told.

        Args:
          status: of HTTP.
          detail: one sentence.
          members: further members of the JSON object of the answer, as JSON.
        """
        super().__init__(detail)
        self.status = status
        self._members = members

    @property
    def body(self) -> bytes:
        """The answer in JSON."""
        members = [f'"detail": {json.dumps(str(self))}']
        members += [self._members] if self._members else []
        return ("{" + ", ".join(members) + "}\n").encode()

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer: when to try again."""
        if self.status in (429, 503):
            return {"retry-after": str(RETRY_SECONDS)}
        return {}


def status_of_unreadable(detail: str) -> int:
    """Returns the status for a file that cannot be read.

    Args:
      detail: of its row.

    Example:
      >>> status_of_unreadable("too large: 90000×90000, at most 178,956,970 pixels")
      413
      >>> status_of_unreadable("empty file")
      400
    """
    for beginning, status in _STATUS_OF_UNREADABLE.items():
        if detail.startswith(beginning):
            return status
    return 400


def describe_error(error: Error) -> str:
    """Returns the message of an error, with names of parameters in place of flags.

    Example:
      >>> describe_error(Error("--top-k: expected 1 or more, got 0"))
      'top-k: expected 1 or more, got 0'
    """
    return str(error).replace("--", "")
