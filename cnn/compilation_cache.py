"""Keeps compiled JAX programs in the user's cache folder, between runs."""

import os
import platform
import warnings
import zlib
from pathlib import Path

from cnn.errors import UsageError
from cnn.library_variables import CACHE_SETTINGS
from cnn.user_path import resolve_path

# Whether a command may keep programs. A program of a user decides by JAX's variables.
_is_enabled = False


def enable_compilation_cache() -> None:
    """Sets JAX's compilation cache to a folder of the user, by environment variables.

    Does nothing if the variable `JAX_COMPILATION_CACHE_DIR` is set or the folder cannot
    be written. Must be called before JAX is imported.
    """
    global _is_enabled
    _is_enabled = True
    # A kill may have truncated an entry, or the user's folder cannot be written. JAX
    # then compiles the program again.
    message = "Error (reading|writing) persistent compilation cache entry"
    warnings.filterwarnings("ignore", message)
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        folder = _cache_folder()
        if not folder.is_absolute():
            return
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, UsageError):  # No permission, or no home.
        return
    if not os.access(folder, os.W_OK):
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    for name, value in CACHE_SETTINGS.items():
        os.environ.setdefault(name, value)


def program_folder() -> Path | None:
    """Returns the folder of compiled programs, if a command has set one."""
    if not _is_enabled or os.environ.get("JAX_ENABLE_COMPILATION_CACHE", "1") != "1":
        return None
    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR", ""))
    return folder if folder.is_absolute() and folder.is_dir() else None


def _cache_folder() -> Path:
    """Returns a folder per kind of processor, since several may share a home."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # The standard says that such a value is ignored.
        cache = resolve_path("~/.cache", "HOME")
    processor = zlib.crc32(processor_features())
    return cache / "cnn" / f"jax-{platform.machine()}-{processor:08x}"


def processor_features() -> bytes:
    """Returns the instruction sets of the processor, which compiled programs need."""
    try:
        lines = Path("/proc/cpuinfo").read_bytes().splitlines()
    except OSError:
        return platform.processor().encode()
    features = {line for line in lines if line.startswith((b"flags", b"Features"))}
    return b"".join(sorted(features))
