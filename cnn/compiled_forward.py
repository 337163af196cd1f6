"""Keeps the compiled network between runs, so that commands need not start JAX.

To import JAX and Flax, and to trace the network, takes two thirds of a second. XLA
itself, the library `jaxlib`, starts in a twentieth, and can load a program that JAX has
compiled in an earlier run. The numbers are those of JAX, bit for bit, because it is the
same program.

The programs lie in the folder of JAX's own cache, which only this user can write. They
are machine code, as the entries of JAX are. The name of a file is a hash of all that
decides what JAX would compile. If there is no such file, or it is damaged, or jaxlib
has changed, or JAX might find another device than the CPU, the caller uses JAX.
"""

import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnn.atomic_write import atomic_write
from cnn.compilation_cache import processor_features, program_folder
from cnn.jax_environment import related_variables
from cnn.parallel import cpu_count

# Modules that decide the program.
_SOURCES = ("compiled_forward.py", "jax_forward.py", "model.py")
# Packages that decide the program, and the file in each that tells its version.
_LIBRARIES = {"jax": "version.py", "jaxlib": "version.py", "flax": "version.py"}
# Modules by which JAX finds other devices than the CPU.
_DEVICE_MODULES = ("jax_plugins", "libtpu")
_DIGEST_SIZE = hashlib.sha256().digest_size

# Parameters of `cnn.model.CNN` by layer and name.
Params = Mapping[str, Mapping[str, np.ndarray]]
# Logits and probabilities, both `float32 (batch, num_classes)`.
Outputs = tuple[np.ndarray, np.ndarray]
RunProgram = Callable[[Params, np.ndarray], Outputs]


class Shape(NamedTuple):
    """What differs between the programs of a machine.

    Attributes:
      num_classes: the number of outputs of the network.
      batch_size: images per call.
      dtype: of the images.
    """

    num_classes: int
    batch_size: int
    dtype: str


_loaded: "dict[Shape, RunProgram | None]" = {}


def is_usable() -> bool:
    """Tells whether a kept program could take the place of JAX in this process.

    It could not where JAX is there already, or would obey a variable of the
    environment, or may find another device.
    """
    if "jax" in sys.modules:
        return False
    return _folder() is not None and _describe_libraries() is not None


def load(shape: Shape, params: Params) -> RunProgram | None:
    """Loads the program that an earlier run has kept, and tries it.

    Returns:
      A function of the parameters and of a batch of images, neither of which may be
      changed afterwards. None without a program.
    """
    if shape not in _loaded:
        _loaded[shape] = _load(shape, params) if is_usable() else None
    return _loaded[shape]


def _load(shape: Shape, params: Params) -> RunProgram | None:
    try:
        serialized = _unseal(_path(shape).read_bytes())
        if serialized is None:
            return None
        run = _Program(serialized, shape).run
        run(params, np.zeros((shape.batch_size, 28, 28, 1), shape.dtype))
    except Exception:  # No file, or jaxlib is not as this module expects.
        return None
    return run


def keep(shape: Shape, serialize: Callable[[], bytes]) -> None:
    """Keeps a program for later runs, unless it is kept already.

    Args:
      shape: of the program.
      serialize: returns the program that JAX has compiled for the CPU.
    """
    if _folder() is None or _describe_libraries() is None:
        return
    path = _path(shape)
    try:
        if not path.exists() or _unseal(path.read_bytes()) is None:
            with atomic_write(path) as partial:
                partial.write_bytes(_seal(serialize()))
    except OSError:  # The disk is full.
        return


def _folder() -> Path | None:
    """Returns the folder of programs, unless the environment is an unusual one."""
    unusual = set(related_variables()) - {"JAX_PLATFORMS"}
    # Ray hides devices by such a variable, which is empty then.
    if any(os.environ[name] or name[-8:] != "_DEVICES" for name in unusual):
        return None
    if os.environ.get("JAX_PLATFORMS", "cpu") != "cpu":
        return None
    return program_folder()


@functools.cache
def _describe_libraries() -> bytes | None:
    """Returns the versions of the libraries, or None if JAX may find other devices."""
    if any(map(importlib.util.find_spec, _DEVICE_MODULES)):
        return None
    parts = []
    for name, file in _LIBRARIES.items():
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return None
        try:
            parts.append(Path(spec.origin).with_name(file).read_bytes())
        except OSError:
            return None
    return b"".join(parts)


def _path(shape: Shape) -> Path:
    folder = _folder()
    assert folder is not None
    digest = hashlib.sha256(repr([*shape, *_describe_machine()]).encode())
    return folder / f"cnn_forward-{digest.hexdigest()}"


def _describe_machine() -> Iterator[object]:
    """Yields what decides the program beside its shape."""
    yield _describe_libraries()
    for source in _SOURCES:
        yield Path(__file__).with_name(source).read_bytes()
    yield processor_features()
    # XLA divides the work of an operation among the cores when it compiles.
    yield cpu_count()
    yield os.cpu_count()
    # A package that brings a device to JAX may be known by its metadata alone.
    for folder in sys.path:
        if folder.endswith("-packages") and os.path.isdir(folder):
            yield folder, os.stat(folder).st_mtime_ns


def _seal(program: bytes) -> bytes:
    return hashlib.sha256(program).digest() + program


def _unseal(content: bytes) -> bytes | None:
    """Returns the program in a file, or None if the file is damaged."""
    program = content[_DIGEST_SIZE:]
    return program if _seal(program) == content else None


class _ArrayType(NamedTuple):
    """Shape and type of an array, as jaxlib asks for them."""

    shape: tuple[int, ...]
    dtype: np.dtype
    weak_type: bool = False


class _Program:
    """A program that XLA runs on the CPU, without JAX."""

    def __init__(self, program: bytes, shape: Shape) -> None:
        """Loads a program."""
        # As JAX does before it imports jaxlib, which else logs its devices.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
        from jaxlib import _hlo, _jax  # type: ignore[attr-defined]

        class Sharding(_jax.SingleDeviceSharding):
            """Where arrays are: on the one device."""

            memory_kind = None

            def _to_xla_hlo_sharding(self, _: int) -> Any:
                return _hlo.HloSharding.replicate()

        client = _jax.get_tfrt_cpu_client()
        (self._device,) = client.local_devices()
        self._jax = _jax
        self._sharding = Sharding(self._device)
        devices = _jax.DeviceList((self._device,))
        self._executable = client.deserialize_executable(program, devices)
        output = _ArrayType((shape.batch_size, shape.num_classes), np.dtype("f4"))
        handler = _jax.array_result_handler(output, self._sharding, True, True)
        self._handlers = [handler, handler]
        self._params: Params | None = None

    def run(self, params: Params, images: np.ndarray) -> Outputs:
        """Computes the logits and the probabilities of a batch."""
        if params is not self._params:
            # The order in which JAX flattens dictionaries.
            self._arrays = [
                self._put(np.asarray(params[layer][name], np.float32))
                for layer in sorted(params)
                for name in sorted(params[layer])
            ]
            self._params = params
        results = self._executable.execute_sharded([*self._arrays, self._put(images)])
        logits, probabilities = results.consume_with_handlers(self._handlers)
        return self._get(logits), self._get(probabilities)

    def _put(self, array: np.ndarray) -> Any:
        """Gives XLA an array, which must not change from now on."""
        return self._jax.batched_device_put(
            _ArrayType(array.shape, array.dtype),
            self._sharding,
            [array],
            [self._device],
            enable_x64=False,
        )

    def _get(self, result: Any) -> np.ndarray:
        """Waits for a result."""
        result.block_until_ready()
        return np.from_dlpack(_OnCpu(self._jax.buffer_to_dlpack_managed_tensor(result)))


class _OnCpu:
    """A result of XLA in memory, as NumPy asks for it."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # The CPU, and its number.
