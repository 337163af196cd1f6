"""Errors that a user can fix, and those that say nothing about the file being read."""

import errno
import re

# A lack of memory, files, locks, permission or network, as an `OSError` or in the words
# of a native library.
_SURROUNDINGS = {
    errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC,
    errno.ENOLCK, errno.EAGAIN, errno.EIO, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip
_WORDS = re.compile(
    "RESOURCE_EXHAUSTED|PERMISSION_DENIED|UNAVAILABLE|DEADLINE_EXCEEDED|permission"
    "|too many open files|allocate memory|bad_alloc|no space left|no locks"
    "|start new thread|input/output error|stale file|timed out",
    re.IGNORECASE,
)


class Error(Exception):
    """A problem that a user can fix. The message is one line and names the remedy.

    Modules raise subclasses. `cnn.cli` prints the message and exits with status 1.
    """


class UsageError(Error):
    """A wrong command line or setting. `cnn.cli` exits with status 2."""


def is_from_surroundings(error: BaseException) -> bool:
    """Returns whether an error may come from the machine, and the file may be whole.

    Example:
      >>> is_from_surroundings(PermissionError(errno.EACCES, "Permission denied"))
      True
      >>> is_from_surroundings(ValueError("bad magic number"))
      False
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in _SURROUNDINGS:
        return True
    return _WORDS.search(str(error)) is not None
