"""Errors and warnings of the libraries that decode images."""

import contextlib
import logging
import warnings
from collections.abc import Iterator

from cnn.preprocessing.unreadable import UnreadableImageError, first_line

# Loggers of the libraries that decode.
_LOGGERS = ("PIL", "pypdfium2", "pillow_heif")


@contextlib.contextmanager
def report_damage() -> Iterator[None]:
    """Raises every exception as `UnreadableImageError`."""
    try:
        yield
    except UnreadableImageError:
        raise
    except MemoryError as error:
        raise UnreadableImageError("needs more memory than there is") from error
    except Exception as error:
        raise UnreadableImageError(f"damaged image: {first_line(error)}") from error


@contextlib.contextmanager
def silence_libraries() -> Iterator[None]:
    """Hides warnings of oddities that do not stop a decoder, which name no file.

    Log records still reach the handlers of the root logger, if there are any. Without
    any handler, the logging module prints them to stderr.
    """
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    handler = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
