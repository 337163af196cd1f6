"""Checks of the output paths before a run, which would fail or do damage after it."""

import os
from pathlib import Path

from cnn.config import InferConfig
from cnn.inference.listing import InferError, as_uri
from cnn.inference.row_formats import infer_format
from cnn.inference.row_writer import is_stream


def check_outputs(config: InferConfig) -> None:
    """Checks that all outputs can be written, and that none replaces an input.

    Creates the folder `debug_dir`.

    Raises:
      InferError: an output cannot be written, or is also an input.
    """
    _check_input_is_local(config.input)
    _check_format(config.output, config.format)
    if config.debug_dir is not None:
        _create_debug_dir(config.debug_dir, config.input)
    inputs = {
        "--model": config.model,
        "--labels": config.labels,
        "--input": config.input,
    }
    outputs = {"--output": config.output, "--plot": plot_path(config.plot)}
    flags = {os.path.realpath(path): flag for flag, path in inputs.items() if path}
    for flag, path in outputs.items():
        if path is not None:
            _check_writable(path, flag)
            _check_unused(path, flag, flags)
            flags[os.path.realpath(path)] = flag


def plot_path(plot: Path) -> Path | None:
    """Returns the path of the report plot, or None for `--plot none`."""
    return None if str(plot) == "none" else plot


def own_files(config: InferConfig) -> list[Path | None]:
    """Returns the files of the run itself, which are no input if they lie in it."""
    outputs = [config.output, config.plot, config.debug_dir]
    return [*outputs, config.labels, config.model]


def _check_input_is_local(folder: Path) -> None:
    uri = as_uri(folder)
    if "://" in uri:
        raise InferError(f"{uri}: is not a local path; add --engine ray")


def _check_format(output: Path | None, name: str | None) -> None:
    row_format = infer_format(output, name)
    if not row_format.needs_regular_file:
        return
    if output is None or is_stream(output):
        raise InferError(
            f"--format {row_format.name}: needs a regular file; name one with --output"
        )


def _create_debug_dir(folder: Path, input_path: Path) -> None:
    if os.path.realpath(folder) == os.path.realpath(input_path):
        raise InferError(f"{folder}: is also --input; give another --debug-dir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InferError(
            f"{folder}: cannot create this folder: {error.strerror}"
        ) from error


def _check_writable(path: Path, flag: str) -> None:
    folder = path.absolute().parent
    is_missing = not path.exists()
    problems = {
        f"{path}: is a folder; {flag} needs the name of a file": path.is_dir(),
        f"{path.parent}: no such folder; make it, or give another {flag}": (
            not folder.is_dir()
        ),
        f"{path.parent}: no permission to write there; give another {flag}": (
            is_missing and not os.access(folder, os.W_OK)
        ),
    }
    for message, is_problem in problems.items():
        if is_problem:
            raise InferError(message)


def _check_unused(path: Path, flag: str, flags: dict[str, str]) -> None:
    """Checks that no other flag names the same file.

    Args:
      path: output to check.
      flag: flag that names it.
      flags: other flags by the real path of their file.
    """
    other = flags.get(os.path.realpath(path))
    if other is not None:
        raise InferError(f"{path}: is also {other}; give another {flag}")
