"""Train a small convolutional network on handwritten characters, and read folders of them."""

__version__ = "0.1.0"


class Error(Exception):
    """Something that a user can put right; the message says what it is and how.

    The rooms of this package raise subclasses of it, and `cnn.cli` prints them as one line.
    """


class UsageError(Error):
    """The command line itself is wrong: exit status 2. Any other `Error` is 1."""
