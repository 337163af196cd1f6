"""Every setting: its type, its default, its meaning. The command line and `config.json` come from here."""

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any, Literal

from cnn.errors import UsageError

Preset = Literal["fast", "default", "best"]

# What a preset changes of the defaults below.
PRESETS: dict[str, dict[str, Any]] = {
    "fast": {
        **{
            "epochs": 2,
            "learning_rate": 6e-3,
            "ema_decay": 0.99,
            "warmup_fraction": 0.2,
        },
        **{"corruption_prob": 0.0, "outlier_fraction": 0.0},
    },
    "default": {},
    "best": {
        **{
            "epochs": 100,
            "learning_rate": 3e-3,
            "weight_decay": 0.1,
            "elastic_sigma": 0.3,
        },
        **{"corruption_prob": 0.25, "corruption_prob_final": 0.02},
        **{
            "outlier_fraction": 0.03,
            "synthetic_glyph_fraction": 0.04,
            "simulated_page_fraction": 0.04,
        },
    },
}

# These do not decide what is learned, so they may change when a run is continued.
_NOT_PART_OF_RECIPE = {
    "preset",
    "workdir",
    "model",
    "data_dir",
    "restart",
    "distributed",
}


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

    warmup_fraction: float = 0.05
    """Share of the steps during which the learning rate rises from 0, in [0, 1]."""

    weight_decay: float = 0.0
    """Each step shrinks the kernels by this fraction of the learning rate (AdamW), at least 0."""

    ema_decay: float = 0.999
    """Share of the averaged parameters that each step keeps, in [0, 1); they are what is exported."""

    rotation_degrees: float = 10.0
    """Training images are turned by up to so many degrees, either way, at most 45."""

    scale_range: float = 0.1
    """Training images are widened and heightened by up to this fraction, below 1."""

    shear_factor: float = 0.1
    """Training images are slanted by up to so many pixels for each pixel of height, at most 1."""

    translate_pixels: float = 2.0
    """Training images are moved by up to so many pixels."""

    elastic_sigma: float = 0.0
    """Parts of a training image are moved against each other by some so many pixels."""

    corruption_prob: float = 0.1
    """Share of the training images that are blurred, faded, crossed out, ... at first."""

    corruption_prob_final: float | None = None
    """The same in the last step, and between them evenly changing; without it, no change."""

    outlier_fraction: float = 0.05
    """Pictures of no class (letters, noise, halves) to be unsure of, as a share of the training images."""

    synthetic_glyph_fraction: float = 0.0
    """Digits in forms of other countries (1 with an upstroke, ...), as a share of the training images."""

    simulated_page_fraction: float = 0.0
    """Characters as bin/infer finds them on simulated pages, as a share of the training images."""

    compute_dtype: Literal["float32", "bfloat16"] = "float32"
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
        _check_at_least(1, self, "epochs", "batch_size", "validation_size")
        _check_at_least(
            0,
            self,
            "rotation_degrees",
            "shear_factor",
            "translate_pixels",
            "seed",
            "scale_range",
            "elastic_sigma",
            "warmup_fraction",
        )
        _check_at_least(0, self, "ema_decay", "weight_decay")
        _check_at_least(
            0,
            self,
            "corruption_prob",
            "outlier_fraction",
            "synthetic_glyph_fraction",
            "simulated_page_fraction",
        )
        _check_at_most(
            1,
            self,
            "corruption_prob",
            "outlier_fraction",
            "synthetic_glyph_fraction",
            "simulated_page_fraction",
        )
        if self.corruption_prob_final is not None:
            _check_at_least(0, self, "corruption_prob_final")
            _check_at_most(1, self, "corruption_prob_final")
        _check_at_least(1e-12, self, "learning_rate")
        _check_at_most(1, self, "warmup_fraction")
        _check_at_most(0.999999, self, "ema_decay")
        _check_at_most(0.9, self, "scale_range")
        _check_at_most(1, self, "shear_factor")
        _check_at_most(5, self, "elastic_sigma")
        _check_at_most(
            45, self, "rotation_degrees"
        )  # Beyond, two passes of resampling lose ink.
        _check_at_most(2**32 - 1, self, "seed")
        _check_at_most(1_000_000, self, "epochs")

    @property
    def resolved_corruption_prob_final(self) -> float:
        """The share of corrupted images in the last step."""
        return (
            self.corruption_prob
            if self.corruption_prob_final is None
            else self.corruption_prob_final
        )

    @property
    def resolved_workdir(self) -> Path:
        """The workdir, with the data set's name filled in."""
        return self._fill(self.workdir)

    @property
    def resolved_model(self) -> Path:
        """The model file, with the data set's name filled in."""
        return self._fill(self.model)

    def _fill(self, path: Path) -> Path:
        name = self.dataset.partition(":")[0].replace("/", "_")
        return Path(str(path).replace("{dataset}", name)).expanduser()

    def as_json(self) -> str:
        """Writes the settings as a JSON object."""
        paths = {"workdir": self.resolved_workdir, "model": self.resolved_model}
        return json.dumps(vars(self) | paths, indent=2, default=str) + "\n"

    def diff(self, saved: dict[str, Any]) -> list[str]:
        """Names the settings, saved by `as_json`, that would make this another run."""
        own = json.loads(self.as_json())
        return [
            n
            for n in own
            if n not in _NOT_PART_OF_RECIPE and (n not in saved or saved[n] != own[n])
        ]


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

    debug_dir: Path | None = None
    """Folder for a picture of each file: what it is, what was found in it, and what the network saw."""

    probabilities: bool = False
    """Add a column for each class, with its probability."""

    top_k: int = 1
    """Give so many of the likeliest classes, with their confidences; at least 1."""

    unsure_below: float | None = None
    """Confidence below which a row is unsure, in [0, 1]; without it, that of the model."""

    labels: Path | None = None
    """CSV of path,label; without it, labels are the names of folders (7/a.png) or ends of files (a_7.png)."""

    rows_per_write: int = 512
    """Files whose rows are written together, at least 1; no row depends on it."""

    workers: int | None = None
    """Processes that decode images; without it, one a core when there is much to decode. 0 for none."""

    decode_timeout: float = 20.0
    """Seconds that one of those processes may be at a file, above 0; then the file's row says so."""

    recursive: bool = True
    """Do not read the folders inside the folder."""

    engine: Literal["local", "ray"] = "local"
    """Who reads: this machine, or a Ray cluster, whose --input and --output are folders or URIs."""

    ray_address: str | None = None
    """The Ray cluster, auto for the one that this machine is in; without it, this machine alone."""

    def __post_init__(self) -> None:
        _check_at_least(1, self, "top_k", "rows_per_write")
        if self.unsure_below is not None:
            _check_at_least(0, self, "unsure_below")
            _check_at_most(1, self, "unsure_below")
        if self.resume and self.output is None:
            raise UsageError(
                "--resume: stdout cannot be continued; give the --output that was stopped"
            )
        _check_at_least(0.001, self, "decode_timeout")
        if self.workers is not None:
            _check_at_least(0, self, "workers")
        if self.engine == "ray":
            self._check_ray()
        elif self.ray_address is not None:
            raise UsageError("--ray-address: goes with --engine ray")

    def _check_ray(self) -> None:
        if self.output is None:
            raise UsageError(
                "--engine ray: writes many files; give the folder for them as --output"
            )
        if self.resume:
            raise UsageError(
                "--resume: not with --engine ray, which repeats by itself what is lost"
            )
        if self.debug_dir is not None:
            raise UsageError("--debug-dir: not with --engine ray")


def as_uri(path: Path) -> str:
    """Writes a path as it was given: a URI has lost slashes as a `Path`.

    Example:
      >>> address(Path("s3://bucket/scans")), address(Path("scans/"))
      ('s3://bucket/scans', 'scans')
    """
    scheme, slash, rest = str(path).partition(":/")
    if not slash or not re.fullmatch("[a-z][a-z0-9+.-]+", scheme):
        return str(path)
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"


def _check_at_least(low: float, config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not (math.isfinite(value) and value >= low):
            raise UsageError(
                f"{flag_name(name)}: expected {low:g} or more, got {value}"
            )


def _check_at_most(high: float, config: Any, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if value > high:
            raise UsageError(
                f"{flag_name(name)}: expected {high:g} or less, got {value}"
            )


def flag_name(name: str) -> str:
    """Writes a setting's name as the command line does.

    Example:
      >>> flag("batch_size")
      '--batch-size'
    """
    return "--" + name.replace("_", "-")
