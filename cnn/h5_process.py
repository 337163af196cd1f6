"""Reads an HDF5 file in a process of its own, which can be ended.

A damaged or malicious file can make HDF5 search for ever, take all memory, or crash.
"""

import contextlib
import io
import os
import resource
import signal
import subprocess
import sys

import numpy as np

from cnn.h5_layers import Layers, UnreadableError, read_layers
from cnn.import_path import helper_command, helper_environment

# A file of this network takes 0.01 s.
_MAX_CPU_SECONDS = 2
# The processor may be shared with many others.
_MAX_SECONDS = 60
# Beyond what the process has at its start.
_MAX_EXTRA_BYTES = 1 << 30
# Exit status with a message of `UnreadableError` on stdout.
_UNREADABLE = 3
_PR_SET_PDEATHSIG = 1

_DESCRIPTION = "description"


def read_layers_apart(content: bytes) -> tuple[Layers, str | None]:
    """Does the work of `read_layers` in another process, with limits.

    Where no process can be started, a line on stderr says so, and the file is read in
    this one.

    Args:
      content: as for `read_layers`.

    Returns:
      As of `read_layers`.

    Raises:
      UnreadableError: as of `read_layers`, or HDF5 does not come to an end.
    """
    try:
        status, reply = _run_reader(content)
    except subprocess.TimeoutExpired:
        status, reply = -signal.SIGXCPU, b""
    except OSError as error:
        return _read_here(content, error.strerror or str(error))
    if status == 0:
        return _unpack(reply)
    if status == _UNREADABLE:
        raise UnreadableError(reply.decode())
    if status > 0:  # An ending that is none of `read_stdin`.
        return _read_here(content, f"it ends with status {status}")
    raise UnreadableError(
        f"damaged model file: HDF5 {_describe_signal(-status)} while it reads it; "
        "copy it again"
    )


def read_stdin() -> None:
    """Reads a file from stdin, and writes its arrays, as .npz, to stdout."""
    content = sys.stdin.buffer.read()
    _limit_resources()
    try:
        reply = _pack(*read_layers(content))
        status = 0
    except UnreadableError as error:
        reply = str(error).encode(errors="backslashreplace")
        status = _UNREADABLE
    except MemoryError:
        reply = b"it takes far more memory than a model of this network"
        status = _UNREADABLE
    except Exception as error:  # Whatever HDF5 does with a file that is damaged.
        reply = f"damaged model file ({type(error).__name__}); copy it again".encode()
        status = _UNREADABLE
    sys.stdout.buffer.write(reply)
    sys.stdout.buffer.flush()
    os._exit(status)  # The end of HDF5 may hang as well.


def _run_reader(content: bytes) -> tuple[int, bytes]:
    # Variables of the user could name plugins of HDF5.
    environment = {
        name: value
        for name, value in helper_environment().items()
        if name[:5] != "HDF5_"
    }
    done = subprocess.run(
        helper_command("cnn.h5_process", "read_stdin"),
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_MAX_SECONDS,
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
    )
    return done.returncode, done.stdout


def _read_here(content: bytes, reason: str) -> tuple[Layers, str | None]:
    print(
        f"warning: no process can be started to read the model ({reason}); "
        "a damaged file could hang this one",
        file=sys.stderr,
    )
    return read_layers(content)


def _describe_signal(number: int) -> str:
    if number == signal.SIGXCPU:
        return "comes to no end"
    return f"crashes (signal {number})"


def _limit_resources() -> None:
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        # Ends this process in the midst of HDF5, where Python's own handler waits.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    import ctypes  # Only this process needs it.

    with contextlib.suppress(OSError, AttributeError):  # Only Linux has it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(resource.RLIMIT_CORE, 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + _MAX_CPU_SECONDS)
    with contextlib.suppress(OSError):  # Only Linux tells the size of a process.
        with open("/proc/self/statm") as sizes:
            pages = int(sizes.read().split()[0])
        size = pages * resource.getpagesize()
        _limit(resource.RLIMIT_AS, size + _MAX_EXTRA_BYTES)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, hard))


def _pack(layers: Layers, description: str | None) -> bytes:
    arrays = {
        f"{layer}/{name}": values
        for layer, tensors in layers.items()
        for name, values in tensors.items()
    }
    if description is not None:
        arrays[_DESCRIPTION] = np.frombuffer(str(description).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _unpack(reply: bytes) -> tuple[Layers, str | None]:
    layers: Layers = {}
    description = None
    with np.load(io.BytesIO(reply)) as arrays:
        for name, values in arrays.items():
            layer, _, tensor = name.partition("/")
            if name == _DESCRIPTION:
                description = values.tobytes().decode()
            else:
                layers.setdefault(layer, {})[tensor] = values
    return layers, description
