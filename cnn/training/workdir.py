"""The workdir of a run: settings, metrics, checkpoints, report and plots."""

import contextlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
from orbax.checkpoint import CheckpointManager

import cnn
from cnn import checkpoint
from cnn.atomic_write import atomic_write
from cnn.config import TrainConfig
from cnn.file_lock import lock_file
from cnn.progress_bar import tqdm
from cnn.training.resume_checks import (
    WorkdirError,
    check_model_path,
    check_saved_settings,
)

PLOT_FILES = ("curves.png", "confusion.png", "mistakes.png", "reliability.png")

# Keys of a complete row of `metrics.jsonl`.
_METRIC_NAMES = {"epoch", "loss", "accuracy", "seconds", "val_loss", "val_accuracy"}

_TABLE_HEADER = (
    "epoch       loss  accuracy    val loss  val accuracy  learning rate   images/s"
    "  time left"
)


@dataclass(frozen=True)
class Workdir:
    """An opened workdir. `open_workdir` makes it.

    Attributes:
      config: settings of the run.
      folder: path of the workdir.
      is_primary: whether this process writes. True on the first host only.
      start_time: time of opening, by `time.monotonic`, in seconds.
    """

    config: TrainConfig
    folder: Path
    is_primary: bool
    start_time: float

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def _metrics_file(self) -> Path:
        return self.folder / "metrics.jsonl"

    @contextlib.contextmanager
    def open_checkpoints(self) -> Iterator[CheckpointManager | None]:
        """Opens the checkpoints. Yields None in processes that do not write."""
        if not self.is_primary:
            yield None
            return
        with checkpoint.open_manager(self.checkpoints) as manager:
            yield manager

    def log(self, message: str) -> None:
        """Prints a message to stderr, above the progress bar."""
        if self.is_primary:
            tqdm.write(message, file=sys.stderr)

    def clear(self) -> None:
        """Deletes the files of an earlier run. Other files stay."""
        if not self.is_primary:
            return
        # The run can be continued until the last file is deleted.
        for name in (*PLOT_FILES, "report.json", "metrics.jsonl", "config.json"):
            (self.folder / name).unlink(missing_ok=True)
        for folder in self.checkpoints.glob("[0-9]*"):
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, last_epoch: int) -> None:
        """Writes the settings, and drops metrics after the restored checkpoint.

        Args:
          last_epoch: epoch of the restored checkpoint, or 0.
        """
        if self.is_primary:
            _write_text(self.folder / "config.json", self.config.as_json())
            rows = [row for row in self.read_metrics() if row["epoch"] <= last_epoch]
            lines = [json.dumps(row) + "\n" for row in rows]
            _write_text(self._metrics_file, "".join(lines))
        if last_epoch:
            epochs = self.config.epochs
            self.log(f"continuing {self.folder} after epoch {last_epoch} of {epochs}")
        self.log(_TABLE_HEADER)

    def log_epoch(
        self,
        epoch: int,
        train_metrics: dict[str, float],
        val_metrics: dict[str, float],
        learning_rate: float,
        num_images: int,
    ) -> None:
        """Appends a row to `metrics.jsonl`, and prints it.

        Args:
          epoch: number of the epoch, from 1.
          train_metrics: `loss`, `accuracy` and `seconds` of the training.
          val_metrics: `loss` and `accuracy` of the validation.
          learning_rate: learning rate after the last step.
          num_images: number of images that the epoch's steps processed.
        """
        row = {
            "epoch": epoch,
            **train_metrics,
            "val_loss": val_metrics["loss"],
            "val_accuracy": val_metrics["accuracy"],
            "learning_rate": learning_rate,
            "images_per_second": num_images / train_metrics["seconds"],
        }
        if self.is_primary:
            with open(self._metrics_file, "a") as file:
                file.write(json.dumps(row) + "\n")
        self.log(_format_row(row, self.config.epochs))

    def read_metrics(self) -> list[dict[str, float]]:
        """Reads the complete rows of `metrics.jsonl`. A kill can leave half a row."""
        if not self._metrics_file.exists():
            return []
        lines = self._metrics_file.read_text(errors="replace").splitlines()
        rows = [_parse_row(line) for line in lines]
        return [row for row in rows if row is not None]

    def write_report(self, results: dict[str, Any]) -> dict[str, Any]:
        """Writes `report.json`: results, times, device and versions.

        `training_seconds` is the time of all epochs, before and after a resume.
        `wall_seconds` is the time of this process.

        Args:
          results: metrics of the model, as JSON values.

        Returns:
          The content of the report.
        """
        training_seconds = sum(row["seconds"] for row in self.read_metrics())
        wall_seconds = time.monotonic() - self.start_time
        report = {
            **results,
            "epochs": self.config.epochs,
            "training_seconds": round(training_seconds, 1),
            "wall_seconds": round(wall_seconds, 1),
            "device": {
                "kind": jax.devices()[0].device_kind,
                "count": jax.device_count(),
                "processes": jax.process_count(),
                "cores": os.cpu_count(),
            },
            "versions": package_versions(),
        }
        if self.is_primary:
            text = json.dumps(report, indent=2) + "\n"
            _write_text(self.folder / "report.json", text)
        return report


@contextlib.contextmanager
def open_workdir(config: TrainConfig) -> Iterator[Workdir]:
    """Opens the workdir of a run, and locks it for this process.

    Args:
      config: settings with the paths of the workdir and the model.

    Raises:
      WorkdirError: the workdir or the model cannot be written, another training uses
        the workdir, or its run has other settings.
    """
    run = Workdir(
        config,
        folder=config.resolved_workdir,
        is_primary=jax.process_index() == 0,
        start_time=time.monotonic(),
    )
    if not run.is_primary:
        yield run
        return
    check_model_path(config.resolved_model)
    with _lock_folder(run.folder):
        check_saved_settings(run.folder, config)
        yield run


@contextlib.contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Creates a folder and locks it. The kernel unlocks it when the process ends."""
    with contextlib.ExitStack() as stack:
        with _translate_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock_file(folder / ".lock"))
        yield


@contextlib.contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError as error:
        raise WorkdirError(
            f"{folder}: another training is running there; wait for it, or give "
            "another --workdir"
        ) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise WorkdirError(
            f"{error.filename}: is a file; --workdir needs a folder"
        ) from error
    except OSError as error:
        raise WorkdirError(
            f"{folder}: cannot write there ({error.strerror}); give another --workdir"
        ) from error


def package_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that decide the numbers."""
    names = ("jax", "jaxlib", "flax", "optax", "numpy")
    packages = {name: metadata.version(name) for name in names}
    return {"cnn": cnn.__version__, "python": platform.python_version(), **packages}


def _parse_row(line: str) -> dict[str, float] | None:
    """Parses a row of `metrics.jsonl`. Returns None if it is not complete."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not row.keys() >= _METRIC_NAMES:
        return None
    is_complete = all(type(row[name]) in (int, float) for name in _METRIC_NAMES)
    return row if is_complete else None


def _format_row(row: dict[str, float], epochs: int) -> str:
    """Formats the metrics of an epoch below `_TABLE_HEADER`."""
    seconds_left = (epochs - row["epoch"]) * row["seconds"]
    return (
        f"{row['epoch']:5d} {row['loss']:10.4f} {row['accuracy']:9.2%} "
        f"{row['val_loss']:11.4f} {row['val_accuracy']:13.2%} "
        f"{row['learning_rate']:14.2e} {row['images_per_second']:10,.0f} "
        f"{_format_duration(seconds_left):>10}"
    )


def _format_duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text)
