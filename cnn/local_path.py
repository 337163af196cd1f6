"""Resolves paths that a user gives: `~` becomes the home, and URIs are refused."""

import os
import re
from pathlib import Path

from cnn.errors import UsageError

# A `Path` has lost the second slash: gs:/bucket/folder. A drive letter is no scheme.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local_path(path: str | Path) -> Path:
    """Returns a path on this machine, with the home in the place of `~`.

    Args:
      path: absolute or relative, as the user wrote it.

    Raises:
      UsageError: the path is a URI, or begins with `~` where there is no home.
    """
    if scheme := _URI.match(str(path)):
        uri = scheme[0] + "/" + str(path)[scheme.end() :].removeprefix("/")
        raise UsageError(
            f"{uri}: is a URI; expected a path on this machine (a bucket can be "
            "mounted as a folder)"
        )
    # Unlike `Path.expanduser`, it raises nothing where there is no home.
    expanded = os.path.expanduser(path)
    home = os.environ.get("HOME", expanded)
    if str(path).startswith("~") and not os.path.isabs(home):
        raise UsageError(
            f"{path}: there is no home folder for ~ (HOME={os.environ.get('HOME')}); "
            "give the whole path"
        )
    return Path(expanded)
