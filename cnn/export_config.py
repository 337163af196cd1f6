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
# Ending of the models that are exported. A file of another format would be a mistake.
_MODEL_ENDING = ".h5"


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """Writes the network of a model in the format of another program.

    The file takes 28×28 images, as cnn makes them of pictures, and gives probabilities.
    """

    output: Path
    """File to write. The flag may be left out: bin/export model.onnx."""

    to: Format | None = None
    """Format: onnx, stablehlo (for jax.export) or tflite (LiteRT).
    Default: by the ending of --output: .onnx, .stablehlo or .tflite."""

    model: Path | None = None
    """Model file (.h5, of bin/train or of Keras), the workdir of a training run, or
    digits, the shipped model.
    Default: mnist_model.h5 if there is one, else digits."""

    def __post_init__(self) -> None:
        resolve_paths(self)
        if str(self.output) == "-":
            raise UsageError("--output: -: is stdout; expected a file")
        ending = self.output.suffix.lower()
        of_ending = _FORMATS.get(ending)
        if self.to is None and of_ending is None:
            raise UsageError(
                f"--output: {self.output}: expected the ending {', '.join(_FORMATS)}, "
                "or --to"
            )
        is_of_another = of_ending not in (None, self.to) or ending == _MODEL_ENDING
        if self.to is not None and is_of_another:
            raise UsageError(
                f"--output: {self.output}: expected the ending .{self.to}, got {ending}"
            )

    @property
    def format(self) -> Format:
        """The format to write."""
        return self.to or _FORMATS[self.output.suffix.lower()]
