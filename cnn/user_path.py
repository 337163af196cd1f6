"""Paths as users give them: with `~`, empty, or the URI of a remote file."""

import os
import re
from pathlib import Path

from cnn.errors import UsageError


def resolve_path(path: Path | str, flag: str) -> Path:
    """Replaces a leading `~` or `~user`, which a shell leaves in `--flag=~/file`.

    As in a shell, the name of an unknown user stays: `~$letter.png` is a file.

    Raises:
      UsageError: the path is empty, or there is no home folder.

    Example:
      >>> resolve_path("~nobody-of-this-name/a.csv", "--output").name
      'a.csv'
    """
    if not os.fspath(path):
        raise UsageError(f"{flag}: expected a path, got an empty text")
    resolved = Path(path)
    if resolved.parts[:1] == ("~",):
        home = os.path.expanduser("~")
        if home == "~" or os.environ.get("HOME") == "":
            raise UsageError(
                f"{flag}: {path}: there is no home folder; set HOME, or give the whole "
                "path"
            )
        return Path(home, *resolved.parts[1:])
    return Path(os.path.expanduser(resolved))


def is_uri(path: Path | str) -> bool:
    """Tells whether a path is a URI, such as `gs://bucket/scans`."""
    return "://" in as_uri(path)


def as_uri(path: Path | str) -> str:
    """Returns a path or URI as the user wrote it: `Path` removes slashes of a URI.

    Example:
      >>> as_uri(Path("s3://bucket/scans")), as_uri(Path("scans/"))
      ('s3://bucket/scans', 'scans')
    """
    scheme, slash, rest = str(path).partition(":/")
    if not slash or not re.fullmatch("[a-zA-Z][a-zA-Z0-9+.-]+", scheme):
        return str(path)
    slashes = "///" if scheme == "file" else "//"
    return f"{scheme}:{slashes}{rest.lstrip('/')}"
