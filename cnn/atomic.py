"""Files that are written whole or not at all, whatever happens meanwhile."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
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
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        if error.filename == str(partial):
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)
