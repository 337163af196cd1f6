"""Every setting: its type, its default, its meaning. The command line and `config.json` come from here."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any, Literal

from cnn import UsageError

Preset = Literal["fast", "default", "best"]

# What a preset changes of the defaults below.
PRESETS: dict[str, dict[str, Any]] = {
    "fast": {
        **{"epochs": 2, "learning_rate": 6e-3, "ema_decay": 0.99, "warmup": 0.2},
        **{"corruption": 0.0, "outliers": 0.0},
    },
    "default": {},
    "best": {
        **{"epochs": 100, "learning_rate": 3e-3, "weight_decay": 0.1, "bend": 0.3},
        **{"corruption": 0.25, "corruption_at_end": 0.02},
        **{"outliers": 0.03, "hands": 0.04, "pages": 0.04},
    },
}

# These do not decide what is learned, so they may change when a run is continued.
_INCIDENTAL = {"preset", "workdir", "model", "data_dir", "restart", "distributed"}


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Trains the network; writes the model, checkpoints, metrics and plots.

    A run that was stopped is continued by the same command.
    """

    preset: Preset = "default"
    """A whole recipe: fast is for a first look, best for the last tenth of a percent."""

    dataset: str = "mnist"
    """Image set of tensorflow-datasets: mnist, fashion_mnist, kmnist, emnist/letters, ..."""

    epochs: int = 15
    """How often the training images are gone through, at least 1."""

    batch_size: int = 128
    """Images a step, at least 1; on several devices, all of them together."""

    learning_rate: float = 4e-3
    """Adam's highest learning rate, after warm-up; a cosine takes it down to 0."""

    warmup: float = 0.05
    """Share of the steps during which the learning rate rises from 0, in [0, 1]."""

    weight_decay: float = 0.0
    """Each step shrinks the kernels by this fraction of the learning rate (AdamW), at least 0."""

    ema_decay: float = 0.999
    """Share of the averaged parameters that each step keeps, in [0, 1); they are what is exported."""

    rotation: float = 10.0
    """Training images are turned by up to so many degrees, either way, at most 45."""

    scale: float = 0.1
    """Training images are widened and heightened by up to this fraction, below 1."""

    shear: float = 0.1
    """Training images are slanted by up to so many pixels for each pixel of height, at most 1."""

    shift: float = 2.0
    """Training images are moved by up to so many pixels."""

    bend: float = 0.0
    """Parts of a training image are moved against each other by some so many pixels."""

    corruption: float = 0.1
    """Share of the training images that are blurred, faded, crossed out, ... at first."""

    corruption_at_end: float | None = None
    """The same in the last step, and between them evenly changing; without it, no change."""

    outliers: float = 0.05
    """Pictures of no class (letters, noise, halves) to be unsure of, as a share of the training images."""

    hands: float = 0.0
    """Digits in forms of other countries (1 with an upstroke, ...), as a share of the training images."""

    pages: float = 0.0
    """Characters as bin/infer finds them on simulated pages, as a share of the training images."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """What the network is computed in; bfloat16 is for GPU and TPU. Parameters and loss are float32."""

    validation_size: int = 5000
    """Training images that are set aside for validation; of a small set, at most a tenth."""

    seed: int = 0
    """Decides the split, the initial parameters, the order and the distortions; at least 0."""

    workdir: Path = Path("runs/{dataset}")
    """Folder of the run: settings, metrics, checkpoints, report, plots."""

    model: Path = Path("{dataset}_model.h5")
    """Model file to write."""

    data_dir: Path | None = None
    """Folder of tensorflow-datasets; without it, $TFDS_DATA_DIR or ~/tensorflow_datasets."""

    restart: bool = False
    """Forget the run in the workdir and begin anew."""

    distributed: bool = False
    """Join the other hosts of a cluster first, by jax.distributed.initialize()."""

    def __post_init__(self) -> None:
        _at_least(1, self, "epochs", "batch_size", "validation_size")
        _at_least(0, self, "rotation", "shear", "shift", "seed", "scale", "bend", "warmup")
        _at_least(0, self, "ema_decay", "weight_decay")
        _at_least(0, self, "corruption", "outliers", "hands", "pages")
        _at_most(1, self, "corruption", "outliers", "hands", "pages")
        if self.corruption_at_end is not None:
            _at_least(0, self, "corruption_at_end")
            _at_most(1, self, "corruption_at_end")
        _at_least(1e-12, self, "learning_rate")
        _at_most(1, self, "warmup")
        _at_most(0.999999, self, "ema_decay")
        _at_most(0.9, self, "scale")
        _at_most(1, self, "shear")
        _at_most(5, self, "bend")
        _at_most(45, self, "rotation")  # Beyond, two passes of resampling lose ink.
        _at_most(2**32 - 1, self, "seed")
        _at_most(1_000_000, self, "epochs")

    @property
    def last_corruption(self) -> float:
        """The share of corrupted images in the last step."""
        return self.corruption if self.corruption_at_end is None else self.corruption_at_end

    @property
    def folder(self) -> Path:
        """The workdir, with the data set's name filled in."""
        return self._fill(self.workdir)

    @property
    def model_file(self) -> Path:
        """The model file, with the data set's name filled in."""
        return self._fill(self.model)

    def _fill(self, path: Path) -> Path:
        name = self.dataset.partition(":")[0].replace("/", "_")
        return Path(str(path).replace("{dataset}", name)).expanduser()

    def as_json(self) -> str:
        """Writes the settings as a JSON object."""
        paths = {"workdir": self.folder, "model": self.model_file}
        return json.dumps(vars(self) | paths, indent=2, default=str) + "\n"

    def differences(self, saved: dict[str, Any]) -> list[str]:
        """Names the settings, saved by `as_json`, that would make this another run."""
        own = json.loads(self.as_json())
        return [n for n in own if n not in _INCIDENTAL and (n not in saved or saved[n] != own[n])]


@dataclasses.dataclass(frozen=True)
class InferConfig:
    """Reads every image in a folder into a CSV, and draws what it read."""

    input: Path
    """Folder of images, or one image."""

    model: Path = Path("mnist_model.h5")
    """Model file (.h5, ours or Keras'), or the workdir of a training run."""

    output: Path | None = None
    """File to write, CSV unless it ends in .jsonl or .parquet; without it, stdout."""

    format: Literal["csv", "jsonl", "parquet"] | None = None
    """How rows are written: csv, jsonl (a JSON object a line) or parquet; without it, as --output ends."""

    resume: bool = False
    """Continue after the last whole row of OUTPUT.partial, which a stopped run has left."""

    plot: Path = Path("predictions.png")
    """Picture to draw, or none."""

    show: Path | None = None
    """Folder for a picture of each file: what it is, what was found in it, and what the network saw."""

    probabilities: bool = False
    """Add a column for each class, with its probability."""

    top_k: int = 1
    """Give so many of the likeliest classes, with their confidences; at least 1."""

    unsure_below: float | None = None
    """Confidence below which a row is unsure, in [0, 1]; without it, that of the model."""

    labels: Path | None = None
    """CSV of path,label; without it, labels are the names of folders (7/a.png) or ends of files (a_7.png)."""

    batch_size: int = 512
    """Files whose rows are written together, at least 1; no row depends on it."""

    workers: int | None = None
    """Processes that decode images; without it, one a core when there is much to decode. 0 for none."""

    timeout: float = 20.0
    """Seconds that one of those processes may be at a file, above 0; then the file's row says so."""

    recursive: bool = True
    """Do not read the folders inside the folder."""

    engine: Literal["local", "ray"] = "local"
    """Who reads: this machine, or a Ray cluster, whose --input and --output are folders or URIs."""

    ray_address: str | None = None
    """The Ray cluster, auto for the one that this machine is in; without it, this machine alone."""

    def __post_init__(self) -> None:
        _at_least(1, self, "top_k", "batch_size")
        if self.unsure_below is not None:
            _at_least(0, self, "unsure_below")
            _at_most(1, self, "unsure_below")
        if self.resume and self.output is None:
            raise UsageError("--resume: stdout cannot be continued; give the --output that was stopped")
        _at_least(0.001, self, "timeout")
        if self.workers is not None:
            _at_least(0, self, "workers")
        if self.engine == "ray":
            self._check_ray()
        elif self.ray_address is not None:
            raise UsageError("--ray-address: goes with --engine ray")

    def _check_ray(self) -> None:
        if self.output is None:
            raise UsageError("--engine ray: writes many files; give the folder for them as --output")
        if self.resume:
            raise UsageError("--resume: not with --engine ray, which repeats by itself what is lost")
        if self.show is not None:
            raise UsageError("--show: not with --engine ray")


def address(path: Path) -> str:
    """Writes a path as it was given: a URI has lost slashes as a `Path`.

    Example:
      >>> address(Path("s3://bucket/scans")), address(Path("scans/"))
      ('s3://bucket/scans', 'scans')
    """
    scheme, slash, rest = str(path).partition(":/")
    if not slash or not re.fullmatch("[a-z][a-z0-9+.-]+", scheme):
        return str(path)
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"


def _at_least(low: float, config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not (math.isfinite(value) and value >= low):
            raise UsageError(f"{flag(name)}: expected {low:g} or more, got {value}")


def _at_most(high: float, config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value > high:
            raise UsageError(f"{flag(name)}: expected {high:g} or less, got {value}")


def flag(name: str) -> str:
    """Writes a setting's name as the command line does.

    Example:
      >>> flag("batch_size")
      '--batch-size'
    """
    return "--" + name.replace("_", "-")
