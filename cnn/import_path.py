"""Keeps imports away from the working directory, in this process and in helpers.

A file of the user, such as `random.py`, may have the name of a module that is imported.
Therefore this module itself imports only what Python has loaded at its start.
"""

import os
import site
import sys

# Keeps NumPy's products in one thread. Those of images are small, and other threads
# would look for work between them all the time.
SINGLE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
# Loads this very package, whatever else is installed or lies in the working directory.
_HELPER_CODE = """
import sys
sys.path[:] = {path}
import importlib.util
spec = importlib.util.spec_from_file_location("cnn", {package})
sys.modules["cnn"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["cnn"])
from {module} import {function}
{function}()
"""


def leave_out_working_directory() -> None:
    """Removes the working directory from `sys.path`, unless it holds packages.

    `PYTHONPATH` may name it, also by an empty entry.
    """
    sys.path[:] = _safe_path()


def helper_command(module: str, function: str) -> list[str]:
    """Returns the command line that calls a function of this package in a new process.

    The new process has the import path of this one, without the working directory.
    Variables of the environment that begin with PYTHON do not affect it.

    Args:
      module: for example `cnn.keras_h5`.
      function: takes no argument. Its process finds further arguments in `sys.argv`.
    """
    package = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__init__.py")
    code = _HELPER_CODE.format(
        path=ascii(_safe_path()),
        package=ascii(package),
        module=module,
        function=function,
    )
    # Isolated mode ignores PYTHONUTF8, which decides how names of files are decoded,
    # and PYTHONDONTWRITEBYTECODE.
    options = ["-I", "-X", f"utf8={sys.flags.utf8_mode}"]
    if sys.dont_write_bytecode:
        options.append("-B")
    return [sys.executable, *options, "-c", code]


def helper_environment() -> dict[str, str]:
    """Returns the variables for a helper process.

    An empty entry of `LD_LIBRARY_PATH` is the working directory, from which the process
    would load libraries. OpenCV adds one when it is imported.

    There is a helper per core, and threads of one would wait for those of others.
    """
    environment = dict(os.environ)
    folders = environment.pop("LD_LIBRARY_PATH", "").split(os.pathsep)
    if any(folders):
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, folders))
    environment.update(SINGLE_THREAD)
    return environment


def _safe_path() -> list[str]:
    try:
        working_directory = os.getcwd()
    except OSError:  # It was removed.
        return [entry for entry in sys.path if entry]
    standard_library = os.path.dirname(os.__file__)
    installed = {standard_library, *site.getsitepackages()}
    return [
        entry
        for entry in sys.path
        if entry in installed or os.path.realpath(entry) != working_directory
    ]
