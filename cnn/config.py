"""Every setting of the commands: type, range, default and meaning.

The command line, its help, the tables of flags and `config.json` are made from
dataclasses: `TrainConfig`, and those of `cnn.infer_config` and others. The string below
a field is its help text. "Default: ..." at its end says how a default of None is
computed.
"""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

from cnn.config_schema import Range, check_ranges, check_together, resolve_paths
from cnn.errors import UsageError
from cnn.export_config import ExportConfig
from cnn.infer_config import InferConfig
from cnn.presets import PRESETS, Preset
from cnn.serve_config import ServeConfig

__all__ = [
    "NO_DATASET",
    "PRESETS",
    "ExportConfig",
    "InferConfig",
    "Preset",
    "ServeConfig",
    "TrainConfig",
]

# Value of `--dataset` for a user's pictures alone.
NO_DATASET = "none"


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Trains the network. Writes the model, checkpoints, metrics and plots.

    The same command resumes a run that was stopped.
    """

    preset: Preset = "default"
    """Recipe: fast for a first look, best for the highest accuracy, finetune for
    --images. It sets the defaults of other flags.
    Default: default, or finetune with --init."""

    dataset: str = "mnist"
    """Image-classification set of tensorflow-datasets: mnist, emnist/letters, ...
    Or none, to learn from --images alone."""

    images: Path | None = None
    """Folder of pictures to learn from, in sub-folders named for their class, or with
    names that end in _CLASS. They are read as bin/infer reads them. A sub-folder test
    is the test split. New classes are added to those of the data set.
    Default: none."""

    labels: Path | None = None
    """CSV with the columns path,label: the class of each picture of --images.
    Default: by the names of folders and files."""

    images_share: Annotated[float, Range(0.001, 0.999)] = 0.5
    """Fraction of an epoch's labeled images that are from --images, in [0.001, 0.999].
    The pictures are repeated for it, or else the data set."""

    rehearsal_size: Annotated[int | None, Range(1)] = None
    """Training images of the data set that are learned beside --images, at least 1.
    They are sampled at random.
    Default: all."""

    init: Path | None = None
    """Model file or workdir whose parameters training starts from, or digits for the
    model that is part of cnn.
    Default: random parameters, or digits with --preset finetune."""

    epochs: Annotated[int, Range(1, 1_000_000)] = 7
    """Passes over the training images, in [1, 1000000]."""

    epoch_fraction: Annotated[float, Range(0.001, 1)] = 1.0
    """Fraction of the training images that an epoch learns, in [0.001, 1].
    They are sampled anew for each epoch."""

    batch_size: Annotated[int, Range(1)] = 64
    """Images per step, over all devices, at least 1."""

    optimizer: Literal["adam", "muon"] = "muon"
    """Optimizer: adam, or muon, which learns more per step.
    Both take the same learning rate."""

    learning_rate: Annotated[float, Range(1e-12)] = 4e-3
    """Peak learning rate, at least 1e-12.
    It decays to 0 along a cosine."""

    warmup_fraction: Annotated[float, Range(0, 1)] = 0.05
    """Fraction of the steps, in [0, 1].
    The learning rate rises linearly from 0 during these first steps."""

    weight_decay: Annotated[float, Range(0)] = 0.1
    """Decoupled weight decay of the kernels, at least 0.
    It is multiplied by the learning rate."""

    label_smoothing: Annotated[float, Range(0, 0.5)] = 0.0
    """Probability that the target of a training image gives to all classes alike, in
    [0, 0.5]. The calibration after training makes up for it."""

    ema_decay: Annotated[float, Range(0, 0.999999)] = 0.999
    """Decay per step of the exponential moving average, in [0, 0.999999].
    The averaged parameters are exported."""

    # Beyond 45 degrees, warping in two passes loses ink.
    rotation_degrees: Annotated[float, Range(0, 45)] = 10.0
    """Maximum rotation in degrees, either direction, in [0, 45]."""

    scale_range: Annotated[float, Range(0, 0.9)] = 0.1
    """Maximum relative change of width and of height, in [0, 0.9].
    Both are sampled independently."""

    shear_factor: Annotated[float, Range(0, 1)] = 0.1
    """Maximum horizontal shear in pixels per pixel of height, in [0, 1]."""

    translate_pixels: Annotated[float, Range(0)] = 2.0
    """Maximum translation in pixels, horizontally and vertically, at least 0."""

    elastic_sigma: Annotated[float, Range(0, 5)] = 0.0
    """Standard deviation in pixels of the elastic deformation, in [0, 5].
    Its control grid has 6×6 points."""

    corruption_prob: Annotated[float, Range(0, 1)] = 0.1
    """Probability of corrupting a training image at the first step, in [0, 1].
    Corruptions are blur, noise, lines and others."""

    corruption_prob_final: Annotated[float | None, Range(0, 1)] = None
    """Probability of corrupting a training image at the last step, in [0, 1].
    Interpolated linearly from --corruption-prob.
    Default: as --corruption-prob."""

    outlier_fraction: Annotated[float, Range(0, 1)] = 0.08
    """Images of no class to add, as a fraction of the training images, in [0, 1].
    Letters, noise and halves of digits teach the network to be unsure."""

    synthetic_glyph_fraction: Annotated[float, Range(0, 1)] = 0.0
    """Synthetic digits to add, as a fraction of the training images, in [0, 1].
    Their forms are European or old: 1 with upstroke, open 4, crossed 7, square 6."""

    simulated_page_fraction: Annotated[float, Range(0, 1)] = 0.0
    """Page characters to add, as a fraction of the training images, in [0, 1].
    They are segmented from simulated photographs and scans of pages."""

    simulated_string_fraction: Annotated[float, Range(0, 1)] = 0.0
    """Pieces of numbers to add, as a fraction of the training images, in [0, 1].
    They are cut from simulated numbers; halves and joined digits are of no class."""

    compute_dtype: Literal["float32", "bfloat16"] = "float32"
    """Data type of activations: float32, or bfloat16 on GPU and TPU.
    Parameters and loss are float32."""

    validation_size: Annotated[int, Range(1)] = 5000
    """Training images held out for validation, at least 1.
    At most a tenth of the set is held out."""

    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """Seed of split, initial parameters, order and augmentation.
    An integer in [0, 4294967295]."""

    workdir: Path = Path("runs/{dataset}")
    """Folder of the run: settings, metrics, checkpoints, report, plots.
    With --images, its folder stands for {dataset}."""

    model: Path = Path("{dataset}_model.h5")
    """Model file to write. With --images, its folder stands for {dataset}."""

    data_dir: Path | None = None
    """Folder of tensorflow-datasets.
    Default: $TFDS_DATA_DIR, else ~/tensorflow_datasets."""

    restart: bool = False
    """Delete the run in the workdir, and train from the beginning."""

    distributed: bool = False
    """Train on several hosts that JAX finds, for example by the variables of Slurm."""

    coordinator: str | None = None
    """HOST:PORT of process 0. Goes with --num-processes and --process-id.
    Default: found by JAX."""

    num_processes: Annotated[int | None, Range(1)] = None
    """Number of processes, at least 1.
    Default: found by JAX."""

    process_id: Annotated[int | None, Range(0)] = None
    """Number of this process, at least 0. Process 0 writes all files.
    Default: found by JAX."""

    initialization_timeout: Annotated[int, Range(1)] = 300
    """Seconds in which all processes must connect, at least 1."""

    heartbeat_timeout: Annotated[int, Range(1)] = 60
    """Seconds until a process that shows no sign of life counts as dead, at least 1."""

    def __post_init__(self) -> None:
        check_ranges(self)
        resolve_paths(self, may_be_uri=("data_dir",))
        self._check_images()
        self._check_processes()

    def _check_images(self) -> None:
        if self.images is not None:
            return
        if self.dataset == NO_DATASET:
            raise UsageError(
                "--dataset none: needs --images, the folder of pictures to learn from"
            )
        if self.labels is not None:
            raise UsageError("--labels: goes with --images")

    def _check_processes(self) -> None:
        check_together(self, ("coordinator", "num_processes", "process_id"))
        address = self.coordinator
        if address is None or self.num_processes is None or self.process_id is None:
            return
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UsageError(f"--coordinator: expected HOST:PORT, got {address}")
        Range(0, self.num_processes - 1).check(self.process_id, "--process-id")

    @property
    def is_distributed(self) -> bool:
        """Whether the run has several processes: the three flags are enough."""
        return self.distributed or self.coordinator is not None

    @property
    def resolved_corruption_prob_final(self) -> float:
        """Corruption probability at the last step, in [0, 1]."""
        if self.corruption_prob_final is None:
            return self.corruption_prob
        return self.corruption_prob_final

    @property
    def resolved_workdir(self) -> Path:
        """The workdir, with the name of the data set filled in."""
        return self._fill_in_dataset(self.workdir)

    @property
    def resolved_model(self) -> Path:
        """The model file, with the name of the data set filled in."""
        return self._fill_in_dataset(self.model)

    def _fill_in_dataset(self, path: Path) -> Path:
        name = self.dataset.partition(":")[0].replace("/", "_")
        if self.images is not None:
            name = self.images.resolve().name or "images"
        return Path(str(path).replace("{dataset}", name))

    def as_json(self) -> str:
        """Returns the settings as a JSON object, with resolved paths."""
        paths = {"workdir": self.resolved_workdir, "model": self.resolved_model}
        settings = vars(self) | paths
        return json.dumps(settings, indent=2, default=str) + "\n"
