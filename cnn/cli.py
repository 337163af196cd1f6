"""The command line: parses into a config, calls one function, turns errors into a line and a status."""

import contextlib
import dataclasses
import difflib
import itertools
import os
import platform
import signal
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from cnn.atomic_write import remove_temporary_files
from cnn.errors import Error, UsageError

# 2: the command line is wrong. 1: the work could not be done, or was done in part.
_USAGE, _FAILED = 2, 1


def train(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/train`.

    Args:
      arguments: of the command line, by default `sys.argv[1:]`.

    Returns:
      The exit status.
    """
    return _run_command(
        _train,
        sys.argv[1:] if arguments is None else arguments,
        "the same command continues the run",
    )


def infer(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/infer`; arguments and result as for `train`."""
    kept = "the rows so far are whole, and --resume continues those of an --output"
    status = _run_command(
        _infer, sys.argv[1:] if arguments is None else arguments, kept
    )
    if (
        arguments is None
    ):  # What JAX tidies up at an orderly end takes a third of a second.
        _flush_and_exit(status)
    return status


def _train(arguments: Sequence[str]) -> int:
    from cnn.config import PRESETS, TrainConfig

    preset = _find_preset(arguments)
    default = TrainConfig(preset=preset, **PRESETS[preset])  # type: ignore[arg-type]
    config = _parse_config("train", TrainConfig, arguments, default=default)
    from cnn.training.loop import train

    report = train(config)
    test = report["test"]
    print(
        f"test accuracy {test['accuracy']:.2%}, loss {test['loss']:.4f}, model {config.resolved_model}"
    )
    print(
        f"metrics, checkpoints and plots are in {config.resolved_workdir}",
        file=sys.stderr,
    )
    return 0


def _infer(arguments: Sequence[str]) -> int:
    from cnn.config import InferConfig

    config = _parse_config("infer", InferConfig, arguments)
    if config.engine == "ray":
        from cnn.inference.ray_engine import predict_with_ray as predict_folder
    else:
        from cnn.inference.local_engine import predict_folder

    return 0 if predict_folder(config) else _FAILED


def _find_preset(arguments: Sequence[str]) -> str:
    """Finds the preset before all else is parsed, since it decides the other defaults."""
    from cnn.config import PRESETS

    words = " ".join(arguments).replace("--preset=", "--preset ").split()
    names = [value for word, value in itertools.pairwise(words) if word == "--preset"]
    return names[-1] if names and names[-1] in PRESETS else "default"


def _parse_config(
    name: str, config: type, arguments: Sequence[str], **kwargs: Any
) -> Any:
    import tyro

    _check_flags(config, arguments)
    options = (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(config, prog=name, args=list(arguments), config=options, **kwargs)


def _check_flags(config: type, arguments: Sequence[str]) -> None:
    """Refuses an unknown flag before anything else is said of the command line."""
    from cnn.config import flag_name

    known = [flag_name(field.name) for field in dataclasses.fields(config)] + [
        "--help",
        "--no-recursive",
    ]
    for word in arguments:
        name = word.partition("=")[0].replace("_", "-")
        if word.startswith("--") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "--help lists all"
            raise UsageError(f"{word}: no such flag; {hint}")


def _run_command(
    command: Callable[[Sequence[str]], int], arguments: Sequence[str], stopped: str
) -> int:
    """Runs a command; `stopped` says what a user who stops it should know."""
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  Closed, as by `2>&-`.
    try:
        with _exit_on_signals(stopped):
            _enable_compilation_cache()
            return command(arguments)
    except Error as error:
        _exit_with_error(
            _USAGE if isinstance(error, UsageError) else _FAILED, str(error)
        )
    except BrokenPipeError:  # As in `bin/infer ... | head`: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError:
        _print_error("not enough memory; try a smaller --batch-size")
        return _FAILED
    except ModuleNotFoundError as error:
        _print_error(missing_module_message(error))
        return _FAILED
    except (
        OSError
    ) as error:  # A full disk, a vanished folder: the system's words name the file.
        _print_error(
            f"{error.filename or 'input or output'}: {error.strerror or error}"
        )
        return _FAILED


def _enable_compilation_cache() -> None:
    """Has JAX keep what it compiles in the user's cache folder, where it can be written.

    Each kind of processor has a folder of its own, since a home may be shared by several kinds.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = (
        cache
        / "cnn"
        / f"jax-{platform.machine()}-{zlib.crc32(_processor_features()):08x}"
    )
    with contextlib.suppress(
        OSError, RuntimeError
    ):  # No home, or no permission: no cache.
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
            # An entry that a kill has left torn is compiled again; nobody need know.
            warnings.filterwarnings(
                "ignore", "Error reading persistent compilation cache entry"
            )


def _processor_features() -> bytes:
    """Returns what tells processors apart that cannot run the same compiled program."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_bytes().splitlines()
        return b"".join(
            sorted({line for line in lines if line.startswith((b"flags", b"Features"))})
        )
    return platform.processor().encode()


def _exit_with_error(status: int, message: str) -> NoReturn:
    """Ends the process at once: what other threads are still at crashes or complains at an orderly end."""
    remove_temporary_files()
    _print_error(message)
    _flush_and_exit(status)


def _flush_and_exit(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            AttributeError, OSError, ValueError
        ):  # Closed, or nobody reads it.
            stream.flush()
    os._exit(status)


@contextlib.contextmanager
def _exit_on_signals(stopped: str) -> Iterator[None]:
    """Has Ctrl-C and SIGTERM end the process from their handlers.

    An exception that a handler raises is lost where Python happens to be in a finalizer.
    """

    def leave(number: int, _: Any) -> None:
        words = {signal.SIGINT: "stopped", signal.SIGTERM: "terminated"}
        _exit_with_error(128 + number, f"{words[signal.Signals(number)]}; {stopped}")

    before = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # As under nohup.
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def missing_module_message(error: ModuleNotFoundError) -> str:
    """Says what to run where a dependency is not installed."""
    install = (
        "python3 -m venv .venv && .venv/bin/pip install -e . && . .venv/bin/activate"
    )
    return f"{error.name} is not installed for {sys.executable}; run: {install}"


def _print_error(message: str) -> None:
    print("error: " + " ".join(message.split("\n")), file=sys.stderr)
