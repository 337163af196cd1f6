"""The errors that a user can put right."""


class Error(Exception):
    """A problem that a user can put right; the message says what it is and how.

    The modules of this package raise subclasses of it, and `cnn.cli` prints each as one line.
    """


class UsageError(Error):
    """The command line itself is wrong: exit status 2. Any other `Error` is 1."""
