"""Starts JAX with settings of our own, whatever the user's environment says.

The settings of JAX are variables of the environment. A wrong value is an error when JAX
is imported, or when it has already begun to work.
"""

import contextlib
import functools
import os
import re
import resource
import subprocess
from collections.abc import Iterator

from cnn.errors import Error
from cnn.import_path import helper_command, helper_environment
from cnn.library_variables import CACHE_SETTINGS

# What may keep JAX from being imported or from finding its devices.
_RELATED = re.compile(
    r"JAX_(?!COMPILATION_CACHE_DIR)\w+|XLA_\w+|FLAX_\w+|LIBTPU_\w+"
    r"|\w+_VISIBLE_DEVICES"
)


class JaxError(Error):
    """JAX cannot work here, mostly because of a variable of the environment."""


def import_jax() -> None:
    """Imports JAX and Flax.

    Raises:
      JaxError: a variable of the environment has a value that they do not accept.
    """
    try:
        import flax  # noqa: F401
        import jax  # noqa: F401
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise JaxError(
            f"JAX cannot be imported ({_first_line(error)}){_list_variables()}"
        ) from error


def check_devices() -> None:
    """Starts JAX on its devices.

    Raises:
      JaxError: `JAX_PLATFORMS` names devices that are not here, `XLA_FLAGS` has unknown
        flags, or JAX cannot start for another reason.
    """
    _check_xla_flags()
    import_jax()
    import jax

    try:
        jax.devices()
    # A missing kind of device is a RuntimeError or an AssertionError.
    except Exception as error:
        platforms = jax.config.jax_platforms  # type: ignore[attr-defined]
        reason = _first_line(error).partition(" (set ")[0] or "none of them"
        if not platforms:
            raise JaxError(
                f"JAX cannot start here ({reason}){_list_variables()}"
            ) from error
        raise JaxError(
            f"JAX_PLATFORMS={platforms}: JAX finds no such devices here ({reason}); "
            "unset that variable, or set it to cpu"
        ) from error


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Computes with JAX's default settings in this thread, until the end of the block.

    A program that uses this package may have set others.
    """
    import jax

    with contextlib.ExitStack() as stack:
        for setting in (
            jax.enable_x64(False),
            jax.disable_jit(False),
            jax.debug_nans(False),
            jax.debug_infs(False),
            jax.transfer_guard("allow"),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.default_matmul_precision(None),
        ):
            stack.enter_context(setting)
        yield


@functools.cache
def _check_xla_flags() -> None:
    """Tries `XLA_FLAGS` in another process: XLA ends one with a wrong flag."""
    if "XLA_FLAGS" not in os.environ:
        return
    done = subprocess.run(
        helper_command("cnn.jax_environment", "start_xla"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        env=helper_environment(),
    )
    # "F1128 15:07:15.994213 4598 parse_flags.cc:234] Unknown flags in XLA_FLAGS: --a"
    reason = re.search(r"^[EF]\d.*?\] (.*)", done.stderr, re.MULTILINE)
    if done.returncode and reason:
        value = os.environ["XLA_FLAGS"]
        raise JaxError(f"XLA_FLAGS={value}: {reason[1]}; correct or unset it")


def start_xla() -> None:
    """Starts XLA on the CPU alone, in a fifth of the time that JAX takes."""
    from jaxlib import _jax

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _jax.get_tfrt_cpu_client()


def related_variables() -> list[str]:
    """Returns the variables of the environment that may change what JAX does."""
    return sorted(
        name
        for name, value in os.environ.items()
        if _RELATED.fullmatch(name) and (name, value) not in CACHE_SETTINGS.items()
    )


def _list_variables() -> str:
    names = related_variables()
    return f"; check or unset {', '.join(names)}" if names else ""


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
