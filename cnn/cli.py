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

import cnn
from cnn.atomic import discard_unfinished

# 2: the command line is wrong. 1: the work could not be done, or was done in part.
_USAGE, _FAILED = 2, 1


def train(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/train`.

    Args:
      arguments: of the command line, by default `sys.argv[1:]`.

    Returns:
      The exit status.
    """
    return _run(
        _train, sys.argv[1:] if arguments is None else arguments, "the same command continues the run"
    )


def infer(arguments: Sequence[str] | None = None) -> int:
    """Runs `bin/infer`; arguments and result as for `train`."""
    kept = "the rows so far are whole, and --resume continues those of an --output"
    status = _run(_infer, sys.argv[1:] if arguments is None else arguments, kept)
    if arguments is None:  # What JAX tidies up at an orderly end takes a third of a second.
        _flush_and_exit(status)
    return status


def _train(arguments: Sequence[str]) -> int:
    from cnn.config import PRESETS, TrainConfig

    preset = _preset(arguments)
    default = TrainConfig(preset=preset, **PRESETS[preset])  # type: ignore[arg-type]
    config = _parse("train", TrainConfig, arguments, default=default)
    from cnn.train import train

    report = train(config)
    test = report["test"]
    print(f"test accuracy {test['accuracy']:.2%}, loss {test['loss']:.4f}, model {config.model_file}")
    print(f"metrics, checkpoints and plots are in {config.folder}", file=sys.stderr)
    return 0


def _infer(arguments: Sequence[str]) -> int:
    from cnn.config import InferConfig

    config = _parse("infer", InferConfig, arguments)
    if config.engine == "ray":
        from cnn.cluster import infer
    else:
        from cnn.infer import infer

    return 0 if infer(config) else _FAILED


def _preset(arguments: Sequence[str]) -> str:
    """Finds the preset before all else is parsed, since it decides the other defaults."""
    from cnn.config import PRESETS

    words = " ".join(arguments).replace("--preset=", "--preset ").split()
    names = [value for word, value in itertools.pairwise(words) if word == "--preset"]
    return names[-1] if names and names[-1] in PRESETS else "default"


def _parse(name: str, config: type, arguments: Sequence[str], **kwargs: Any) -> Any:
    import tyro

    _check_flags(config, arguments)
    options = (tyro.conf.FlagCreatePairsOff,)
    return tyro.cli(config, prog=name, args=list(arguments), config=options, **kwargs)


def _check_flags(config: type, arguments: Sequence[str]) -> None:
    """Refuses an unknown flag before anything else is said of the command line."""
    from cnn.config import flag

    known = [flag(field.name) for field in dataclasses.fields(config)] + ["--help", "--no-recursive"]
    for word in arguments:
        name = word.partition("=")[0].replace("_", "-")
        if word.startswith("--") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "--help lists all"
            raise cnn.UsageError(f"{word}: no such flag; {hint}")


def _run(command: Callable[[Sequence[str]], int], arguments: Sequence[str], stopped: str) -> int:
    """Runs a command; `stopped` says what a user who stops it should know."""
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  Closed, as by `2>&-`.
    try:
        with _signals_leave(stopped):
            _keep_compiled()
            return command(arguments)
    except cnn.Error as error:
        _leave(_USAGE if isinstance(error, cnn.UsageError) else _FAILED, str(error))
    except BrokenPipeError:  # As in `bin/infer ... | head`: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError:
        _say("not enough memory; try a smaller --batch-size")
        return _FAILED
    except ModuleNotFoundError as error:
        _say(missing_module(error))
        return _FAILED
    except OSError as error:  # A full disk, a vanished folder: the system's words name the file.
        _say(f"{error.filename or 'input or output'}: {error.strerror or error}")
        return _FAILED


def _keep_compiled() -> None:
    """Has JAX keep what it compiles in the user's cache folder, where it can be written.

    Each kind of processor has a folder of its own, since a home may be shared by several kinds.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    folder = cache / "cnn" / f"jax-{platform.machine()}-{zlib.crc32(_processor()):08x}"
    with contextlib.suppress(OSError, RuntimeError):  # No home, or no permission: no cache.
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
            os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
            # An entry that a kill has left torn is compiled again; nobody need know.
            warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")


def _processor() -> bytes:
    """Returns what tells processors apart that cannot run the same compiled program."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_bytes().splitlines()
        return b"".join(sorted({line for line in lines if line.startswith((b"flags", b"Features"))}))
    return platform.processor().encode()


def _leave(status: int, message: str) -> NoReturn:
    """Ends the process at once: what other threads are still at crashes or complains at an orderly end."""
    discard_unfinished()
    _say(message)
    _flush_and_exit(status)


def _flush_and_exit(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # Closed, or nobody reads it.
            stream.flush()
    os._exit(status)


@contextlib.contextmanager
def _signals_leave(stopped: str) -> Iterator[None]:
    """Has Ctrl-C and SIGTERM end the process from their handlers.

    An exception that a handler raises is lost where Python happens to be in a finalizer.
    """

    def leave(number: int, _: Any) -> None:
        words = {signal.SIGINT: "stopped", signal.SIGTERM: "terminated"}
        _leave(128 + number, f"{words[signal.Signals(number)]}; {stopped}")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # As under nohup.
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def missing_module(error: ModuleNotFoundError) -> str:
    """Says what to run where a dependency is not installed."""
    install = "python3 -m venv .venv && .venv/bin/pip install -e . && . .venv/bin/activate"
    return f"{error.name} is not installed for {sys.executable}; run: {install}"


def _say(message: str) -> None:
    print("error: " + " ".join(message.split("\n")), file=sys.stderr)
