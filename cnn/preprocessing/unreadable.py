"""The errors of files that cannot be read."""

from cnn.errors import Error


class UnreadableImageError(Error):
    """A file that cannot be decoded. The message gives the reason without the path."""


class PlotError(UnreadableImageError):
    """The file is a plot of this program, not a picture of a character."""


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message, or the name of its type."""
    return str(error).partition("\n")[0] or type(error).__name__
