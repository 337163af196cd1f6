"""Errors that a user can fix."""


class Error(Exception):
    """A problem that a user can fix. The message is one line and names the remedy.

    Modules raise subclasses. `cnn.cli` prints the message and exits with status 1.
    """


class UsageError(Error):
    """A wrong command line or setting. `cnn.cli` exits with status 2."""
