"""Keeps variables of the user's environment from libraries that a command uses."""

import os
import re
import sys

# What commands set themselves, where the user has not: JAX keeps every program.
CACHE_SETTINGS = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
# Variables of a user that a command obeys: which devices there are, how processes find
# each other, where compiled programs are kept, and what is logged.
_OBEYED = re.compile(
    r"JAX_(PLATFORMS|PLATFORM_NAME|NUM_CPU_DEVICES|\w+_VISIBLE_DEVICES"
    r"|FORCE_TPU_INIT|COORDINATOR_\w+|LOCAL_DEVICE_IDS|SLICE_INDEX|PARTITION_INDEX"
    r"|CPU_\w+|COMPILATION_CACHE_\w+|ENABLE_COMPILATION_CACHE|PERSISTENT_CACHE_\w+"
    r"|LOG_COMPILES|LOGGING_LEVEL|TRACEBACK_FILTERING)"
)
# Beginnings of variables that change numbers, or with a wrong value stop the import of
# JAX, Flax, OpenCV, tqdm or Pillow.
_IGNORED = ("JAX_", "FLAX_", "OPENCV_", "TQDM_", "PILLOW_")


def ignore_variables() -> None:
    """Removes variables that change or stop libraries from the environment.

    A line on stderr names them. Must be called before the libraries are imported.
    """
    ignored = [
        name
        for name in os.environ
        if name.startswith(_IGNORED) and not _OBEYED.fullmatch(name)
    ]
    for name in ignored:
        del os.environ[name]
    if ignored:
        names = ", ".join(sorted(ignored))
        print(f"ignored variables of the environment: {names}", file=sys.stderr)
