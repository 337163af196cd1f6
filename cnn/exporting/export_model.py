"""Writes a model in the format of another program."""

import importlib
import os
from pathlib import Path
from types import ModuleType

from cnn.atomic_write import atomic_write, find_write_problem
from cnn.classifier import Classifier
from cnn.errors import Error
from cnn.export_config import ExportConfig, Format
from cnn.exporting.metadata import describe_model
from cnn.models import find_model

# The module of each format. Each has a function `encode`.
_MODULES: dict[Format, str] = {
    "onnx": "cnn.exporting.onnx_file",
    "stablehlo": "cnn.exporting.stablehlo_file",
    "tflite": "cnn.exporting.litert_file",
}


class ExportError(Error):
    """A file that cannot be written, or a package that its format needs."""


def export_model(config: ExportConfig) -> str:
    """Writes a model in the format of another program.

    Args:
      config: settings of `bin/export`.

    Returns:
      What was written, in one line.

    Raises:
      cnn.Error: the problem with the model or the output, in one line.
    """
    model = find_model(config.model)
    _check_output(config.output, model)
    module = _import_module(config.format)
    classifier = Classifier.load(config.model)
    metadata = describe_model(classifier, model)
    content = module.encode(classifier.params, metadata)
    with atomic_write(config.output) as partial:
        partial.write_bytes(content)
    num_classes = len(classifier.class_names)
    return (
        f"{config.output}: {len(content):,} bytes, {config.format}, "
        f"{num_classes} classes"
    )


def _check_output(output: Path, model: Path) -> None:
    problem = find_write_problem(output, "--output")
    if problem is None and os.path.realpath(output) == os.path.realpath(model):
        problem = f"{output}: is also --model; give another --output"
    if problem is not None:
        raise ExportError(problem)


def _import_module(format_name: Format) -> ModuleType:
    """Imports the module of a format, which may need a package that is not here."""
    try:
        return importlib.import_module(_MODULES[format_name])
    except ModuleNotFoundError as error:
        raise ExportError(
            f"--to {format_name}: needs the package {error.name}; run: "
            "pip install -e '.[export]'"
        ) from error
