"""Checks of the output paths before a run, which would fail or do damage after it."""

import os
from collections.abc import Sequence
from pathlib import Path

from cnn.atomic_write import find_write_problem
from cnn.config import InferConfig
from cnn.errors import UsageError
from cnn.image_files.labels import labels_path
from cnn.image_files.listing import PathError
from cnn.inference.row_formats import check_ending, infer_format
from cnn.inference.row_writer import is_descriptor, is_stream
from cnn.models import find_model

_DEFAULT_PLOT = InferConfig.plot


def check_outputs(config: InferConfig) -> None:
    """Checks that all outputs can be written, and that none replaces an input.

    Creates the folders `debug_dir` and `review`.

    Raises:
      PathError: an output cannot be written, or is also an input.
      UsageError: the ending of an output is that of something else.
    """
    plot = plot_path(config.plot)
    flags = _flags_by_path(config)
    folders = {"--debug-dir": config.debug_dir, "--review": config.review}
    for flag, folder in folders.items():
        if folder is not None:
            _check_unused(folder, flag, flags)
            _create_folder(folder, flag)
            flags[os.path.realpath(folder)] = flag
    outputs = {"--output": config.output, "--plot": plot}
    for flag, path in outputs.items():
        if path is not None and not is_stream(path):
            problem = find_write_problem(path, flag)
            # A plot that nobody has asked for costs a warning at the end.
            if problem is not None and path != _DEFAULT_PLOT:
                raise PathError(problem)
            _check_unused(path, flag, flags)
            flags[os.path.realpath(path)] = flag
    _check_format(config.output, config.format)
    if plot is not None:
        _check_plot_format(plot)


def _flags_by_path(config: InferConfig) -> dict[str, str]:
    """Returns the flags of what is read, by the real path of the file or folder."""
    inputs = [("--input", path) for path in _inputs_to_keep(config)]
    model, labels = find_model(config.model), labels_path(config.labels)
    others = [("--model", model), ("--labels", labels)]
    paths = [*inputs, *others]
    return {os.path.realpath(path): flag for flag, path in paths if path is not None}


def _inputs_to_keep(config: InferConfig) -> Sequence[Path]:
    """Returns the inputs that no output may replace.

    `--input *` names the outputs of an earlier run, too, which `own_files` leaves out:
    rows by their ending, and the plot by its usual name. Any other output may be an
    image by mistake.
    """
    if len(config.inputs) == 1:
        return config.inputs
    usual = {_DEFAULT_PLOT} if config.plot == _DEFAULT_PLOT else set()
    if config.output is not None and config.output.suffix:
        usual.add(config.output)
    return [path for path in config.inputs if path not in usual]


def plot_path(plot: Path) -> Path | None:
    """Returns the path of the report plot, or None for `--plot none`."""
    return None if str(plot).lower() == "none" else plot


def own_files(config: InferConfig) -> list[Path | None]:
    """Returns the files of the run itself, which are no input if they lie in it."""
    outputs = [config.output, plot_path(config.plot), config.debug_dir]
    outputs.append(config.review)
    return [*outputs, labels_path(config.labels), find_model(config.model)]


def _check_format(output: Path | None, name: str | None) -> None:
    row_format = infer_format(output, name)
    if output is not None and not is_stream(output):
        check_ending(output, row_format, name)
    if not row_format.needs_regular_file:
        return
    if output is None or is_stream(output):
        raise PathError(
            f"--format {row_format.name}: needs a regular file; name one with --output"
        )


def _check_plot_format(plot: Path) -> None:
    is_stdout = str(plot) == "-" or is_descriptor(plot)
    is_png = is_stream(plot) or plot.suffix.lower() in ("", ".png")
    if is_stdout or not is_png:
        raise UsageError(
            f"--plot: {plot}: is written as PNG, to a file; expected the ending .png, "
            "or none for no plot"
        )


def _create_folder(folder: Path, flag: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PathError(
            f"{folder}: cannot create this folder: {error.strerror}"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PathError(f"{folder}: no permission to write there; give another {flag}")


def _check_unused(path: Path, flag: str, flags: dict[str, str]) -> None:
    """Checks that no other flag names the same file.

    Args:
      path: output to check.
      flag: flag that names it.
      flags: other flags by the real path of their file.
    """
    other = flags.get(os.path.realpath(path))
    if other is not None:
        raise PathError(f"{path}: is also {other}; give another {flag}")
