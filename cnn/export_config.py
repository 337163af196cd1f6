"""Settings of `bin/export`. See `cnn.config`."""

import dataclasses
from pathlib import Path
from typing import Literal

from cnn.config_schema import resolve_paths
from cnn.errors import UsageError

Format = Literal["onnx", "stablehlo", "tflite"]

# Formats by the ending of the file.
_FORMATS: dict[str, Format] = {
    ".onnx": "onnx",
    ".stablehlo": "stablehlo",
    ".tflite": "tflite",
}


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """Writes the network of a model in the format of another program.

    The file takes 28×28 images, as cnn makes them of pictures, and gives probabilities.
    """

    output: Path
    """File to write, with the ending .onnx, .stablehlo or .tflite. The flag may be left
    out: bin/export model.onnx."""

    to: Format | None = None
    """Format: onnx, stablehlo (for jax.export) or tflite (LiteRT).
    Default: by the ending of --output."""

    model: Path | None = None
    """Model file (.h5, of bin/train or of Keras), the workdir of a training run, or
    digits, the shipped model.
    Default: mnist_model.h5 if there is one, else digits."""

    def __post_init__(self) -> None:
        resolve_paths(self)
        of_ending = _FORMATS.get(self.output.suffix.lower())
        if of_ending is None or self.to not in (None, of_ending):
            endings = f".{self.to}" if self.to else ", ".join(_FORMATS)
            found = self.output.suffix or "none"
            raise UsageError(
                f"--output: {self.output}: expected the ending {endings}, got {found}"
            )

    @property
    def format(self) -> Format:
        """The format to write."""
        return _FORMATS[self.output.suffix.lower()]
