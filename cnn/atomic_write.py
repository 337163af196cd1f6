"""Files that are written whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_unfinished: set[Path] = set()


def remove_temporary_files() -> None:
    """Removes what `replacing` has not finished, before the process is left at once."""
    for partial in list(_unfinished):
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to, which takes its place at the end of the `with`.

    If anything goes wrong, `path` is what it was. Links are followed, and what is no regular file
    (a pipe, /dev/null) is written to as it is.

    Raises:
      OSError: of writing; it names `path`.

    Example:
      >>> import tempfile
      >>> path = Path(tempfile.mkdtemp(), "a.txt")
      >>> with replacing(path) as partial:
      ...     _ = partial.write_text("whole")
      ...     path.exists()
      False
      >>> path.read_text()
      'whole'
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        yield path
        return
    partial = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    _unfinished.add(partial)
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        if error.filename in (
            None,
            str(partial),
        ):  # A full disk is said without a name.
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)
        _unfinished.discard(partial)
