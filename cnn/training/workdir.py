"""The folder that tells the whole story of a run: settings, metrics, checkpoints, report, plots."""

import contextlib
import fcntl
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

import numpy as np
from tqdm import tqdm

import cnn
from cnn.atomic_write import atomic_write
from cnn.config import TrainConfig, flag_name
from cnn.errors import Error

_COLUMNS = "epoch       loss  accuracy    val loss  val accuracy  learning rate   images/s  time left"


_PLOTS = ("curves.png", "confusion.png", "mistakes.png", "reliability.png")
_MEASURED = {"epoch", "loss", "accuracy", "seconds", "val_loss", "val_accuracy"}


class WorkdirError(Error):
    """A workdir that cannot be used for this run."""


@dataclass(frozen=True)
class Workdir:
    """An opened workdir; see `opened`.

    Attributes:
      config: the settings of its run.
      folder: where it is.
      writes: whether this process is the one that writes, of all hosts.
      start: when it was opened, by `time.monotonic`.
    """

    config: TrainConfig
    folder: Path
    writes: bool
    start: float

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    def tell(self, message: str) -> None:
        """Prints to stderr, above a progress bar."""
        if self.writes:
            tqdm.write(message, file=sys.stderr)

    def forget(self) -> None:
        """Removes what an earlier run has left."""
        if self.writes:
            for checkpoint in self.checkpoints.glob(
                "[0-9]*"
            ):  # The folder may hold other things.
                shutil.rmtree(checkpoint, ignore_errors=True)
            for name in ("config.json", "metrics.jsonl", "report.json", *_PLOTS):
                (self.folder / name).unlink(missing_ok=True)

    def begin(self, done: int) -> None:
        """Writes the settings, and leaves of the metrics those of the `done` epochs."""
        if self.writes:
            _write_text(self.folder / "config.json", self.config.as_json())
            rows = [row for row in self.history() if row["epoch"] <= done]
            _write_text(
                self.folder / "metrics.jsonl",
                "".join(json.dumps(row) + "\n" for row in rows),
            )
        if done:
            self.tell(
                f"continuing {self.folder} after epoch {done} of {self.config.epochs}"
            )
        self.tell(_COLUMNS)

    def add_epoch(
        self,
        epoch: int,
        trained: dict,
        validated: dict,
        learning_rate: float,
        images: int,
    ) -> None:
        """Notes an epoch in `metrics.jsonl`, and prints it as a row.

        Args:
          epoch: its number.
          trained: `loss`, `accuracy` and `seconds` of training.
          validated: `loss` and `accuracy` of validation.
          learning_rate: at its end.
          images: how many it went through.
        """
        row = {
            "epoch": epoch,
            **trained,
            **{f"val_{k}": v for k, v in validated.items()},
        }
        row |= {
            "learning_rate": learning_rate,
            "images_per_second": images / trained["seconds"],
        }
        if self.writes:
            with open(self.folder / "metrics.jsonl", "a") as file:
                file.write(json.dumps(row) + "\n")
        left = (self.config.epochs - epoch) * trained["seconds"]
        self.tell(
            f"{epoch:5d} {row['loss']:10.4f} {row['accuracy']:9.2%} {row['val_loss']:11.4f} "
            f"{row['val_accuracy']:13.2%} {learning_rate:14.2e} {row['images_per_second']:10,.0f} "
            f"{_format_duration(left):>10}"
        )

    def history(self) -> list[dict[str, float]]:
        """Reads the rows of `metrics.jsonl` that are whole; a kill may have torn the last one."""
        rows = []
        with contextlib.suppress(FileNotFoundError):
            for line in (
                (self.folder / "metrics.jsonl").read_text(errors="replace").splitlines()
            ):
                with contextlib.suppress(ValueError):
                    rows.append(json.loads(line))
        return [row for row in rows if isinstance(row, dict) and _is_measured(row)]

    def report(self, results: dict[str, Any]) -> dict[str, Any]:
        """Writes `report.json`: `results`, machine, versions, and time.

        `training_seconds` are those of all epochs, `wall_seconds` those of this process with all
        that it did: what was trained before a run was continued is in the first only.
        """
        import jax

        seconds = sum(row["seconds"] for row in self.history())
        wall_seconds = time.monotonic() - self.start
        device = {
            "kind": jax.devices()[0].device_kind,
            "count": jax.device_count(),
            "cores": os.cpu_count(),
        }
        report = {
            **results,
            "epochs": self.config.epochs,
            "training_seconds": round(seconds, 1),
            "wall_seconds": round(wall_seconds, 1),
            "device": device,
            "versions": versions(),
        }
        if self.writes:
            _write_text(
                self.folder / "report.json", json.dumps(report, indent=2) + "\n"
            )
        return report

    def draw(self, test_set: Any, probabilities: np.ndarray) -> None:
        """Draws the curves, the confusion matrix, the mistakes, and how far confidence can be relied on.

        Args:
          test_set: a `cnn.data.Dataset`.
          probabilities: `float32 (N, num_classes)` that the network gave it.
        """
        from cnn import calibration, plots

        names, labels = test_set.class_names, test_set.labels
        curves, confusion, mistakes, reliability = (
            self.folder / name for name in _PLOTS
        )
        plots.plot_training_curves(self.history(), curves)
        plots.plot_confusion_matrix(labels, probabilities.argmax(-1), names, confusion)
        plots.plot_top_losses(test_set.images, labels, probabilities, names, mistakes)
        confidence, right = probabilities.max(-1), probabilities.argmax(-1) == labels
        plots.plot_reliability_diagram(
            *calibration.equal_mass_bins(confidence, right), reliability
        )


@contextlib.contextmanager
def open_workdir(config: TrainConfig) -> Iterator[Workdir]:
    """Opens, for this process alone, the workdir that `config` names.

    Raises:
      WorkdirError: it cannot be written, another run is in it, or its run has other settings.
    """
    import jax

    run = Workdir(
        config,
        config.resolved_workdir,
        writes=jax.process_index() == 0,
        start=time.monotonic(),
    )
    _check_model(config.resolved_model)
    if not run.writes:
        yield run
        return
    with _translate_errors(run.folder):
        run.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(run.folder / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        _lock_workdir(run, lock)
        _check_settings(run)
        yield run
    finally:
        os.close(lock)


def _is_measured(row: dict) -> bool:
    return row.keys() >= _MEASURED and all(
        type(row[name]) in (int, float) for name in _MEASURED
    )


def _lock_workdir(run: Workdir, file: int) -> None:
    """Keeps other trainings out for as long as this process lives, however it ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        busy = (
            "another training is running there; wait for it, or give another --workdir"
        )
        raise WorkdirError(f"{run.folder}: {busy}") from error


@contextlib.contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise WorkdirError(
            f"{error.filename}: is a file; --workdir needs a folder"
        ) from error
    except OSError as error:
        raise WorkdirError(
            f"{folder}: cannot write there ({error.strerror}); give another --workdir"
        ) from error


def _check_model(model: Path) -> None:
    """Fails before the training what would fail after it."""
    if model.is_dir():
        raise WorkdirError(f"{model}: is a folder; --model needs the name of a file")
    if not model.absolute().parent.is_dir():
        raise WorkdirError(
            f"{model.parent}: no such folder; make it, or give another --model"
        )
    if not os.access(model.absolute().parent, os.W_OK):
        raise WorkdirError(
            f"{model.parent}: no permission to write there; give another --model"
        )


def _check_settings(run: Workdir) -> None:
    """Refuses to continue a run under settings that would have made it another one."""
    path = run.folder / "config.json"
    if run.checkpoints.exists() and not run.checkpoints.is_dir():
        raise WorkdirError(f"{run.checkpoints}: is a file; give another --workdir")
    trained = run.checkpoints.is_dir() and any(
        p.name.isdigit() for p in run.checkpoints.iterdir()
    )
    if not path.exists() and (run.config.restart or not trained):
        return
    try:
        saved = json.loads(path.read_text())
        if not isinstance(saved, dict) or "ema_decay" not in saved:
            raise ValueError("not the settings of a run")
    except FileNotFoundError as error:
        raise WorkdirError(
            f"{path}: without it, nothing tells which settings this run was made with; "
            "give another --workdir, or --restart"
        ) from error
    except (OSError, ValueError) as error:
        raise WorkdirError(
            f"{path}: not the settings of a run of bin/train; give another --workdir, or remove that file"
        ) from error
    for name in run.config.diff(saved) if trained and not run.config.restart else ():
        raise WorkdirError(
            f"{run.folder}: its run has {flag_name(name)} {saved.get(name, 'unset')}, not "
            f"{getattr(run.config, name)}; give another --workdir, or --restart to begin anew"
        )


def versions() -> dict[str, str]:
    """Lists the versions of what decides the numbers."""
    names = ("jax", "jaxlib", "flax", "optax", "numpy")
    return {"cnn": cnn.__version__, "python": platform.python_version()} | {
        name: metadata.version(name) for name in names
    }


def _format_duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as partial:
        partial.write_text(text)
