"""The rows of `python -m tests.benchmarks`: what a user waits for, and its peers."""

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cnn.data import datasets
from cnn.models import find_model
from tests.benchmarks import folders, training_speed
from tests.benchmarks.environments import environment
from tests.benchmarks.photographs import (
    PLAIN_KINDS,
    read_plainly,
    time_by_turns,
    write_small_photographs,
)
from tests.conftest import ROOT

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
      name: what is timed.
      unit: of the measurements. Less is better, but for a rate ("/s").
      ours: one measurement per round.
      peer: what it is compared with, or "".
      others: the measurements of the peer, in the same rounds.
      target: what the row shall reach.
    """

    name: str
    unit: str
    ours: list[float]
    peer: str = ""
    others: list[float] = dataclasses.field(default_factory=list)
    target: str = ""

    def times_as_fast(self) -> float:
        """Returns the median of the ratios of the rounds, above 1 if ours is faster."""
        ratios = [b / a for a, b in zip(self.ours, self.others, strict=True)]
        ratio = statistics.median(ratios)
        return 1 / ratio if self.unit.endswith("/s") else ratio


def run(command: list[object]) -> float:
    """Runs a command in a new folder. Returns the seconds from start to exit."""
    with tempfile.TemporaryDirectory() as cwd:
        start = time.perf_counter()
        subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - start


def in_turns(
    rounds: int, *measures: Callable[[], float], warm_up: bool = True
) -> list[list[float]]:
    """Calls functions in turns, after a first round that is not counted."""
    results = [[measure() for measure in measures] for _ in range(rounds + warm_up)]
    return [list(column) for column in zip(*results[warm_up:], strict=True)]


@contextmanager
def digits(count: int):
    """Makes a folder of test digits as PNG files."""
    with tempfile.TemporaryDirectory() as folder:
        folders.write_digits(Path(folder), count)
        yield folder


def infer(folder: str, *flags: object) -> list[object]:
    """Returns the command that reads a folder, by the shipped model."""
    command = [sys.executable, ROOT / "bin" / "infer", "--input", folder]
    return [*command, "--model", "digits", "--output", "predictions", *flags]


def keras_reader(folder: str) -> list[object]:
    """Returns the command of a plain script that reads a folder with Keras."""
    python = environment("keras")
    model = find_model(Path("digits"))
    return [python, HERE / "keras_reader.py", model, folder, "predictions.csv"]


def ten_pictures(rounds: int) -> list[Row]:
    """Times ten digits, from command to exit, without and with the plot."""
    with digits(10) as folder:
        commands = [
            infer(folder, "--plot", "none"), infer(folder), keras_reader(folder),
        ]  # fmt: skip
        plain, plotted, keras = in_turns(rounds, *map(_timer, commands))
    peer = "Keras script"
    return [
        Row("10 PNGs to CSV", "s", plain, peer, keras, "0.7 s"),
        Row("10 PNGs to CSV and plot", "s", plotted, peer, keras, "1.2 s"),
    ]


def ten_thousand_pictures(rounds: int) -> list[Row]:
    """Times 10,000 digits, from command to exit."""
    with digits(10_000) as folder:
        commands = infer(folder, "--plot", "none"), keras_reader(folder)
        ours, keras = in_turns(rounds, *map(_timer, commands))
    return [Row("10,000 PNGs to CSV", "s", ours, "Keras script", keras, "2 times")]


def sustained(rounds: int) -> list[Row]:
    """Measures digits per second by both engines, without their start.

    That is what the time grows by with 100,000 more digits.
    """
    with digits(10_000) as few, digits(110_000) as many:
        commands = [
            infer(folder, "--plot", "none", "--engine", engine)
            for engine in ("local", "ray")
            for folder in (few, many)
        ]
        seconds = np.array(in_turns(rounds, *map(_timer, commands)))
    local = (100_000 / (seconds[1] - seconds[0])).tolist()
    ray = (100_000 / (seconds[3] - seconds[2])).tolist()
    return [
        Row("PNGs, sustained", "/s", local, target="12,000/s"),
        Row("PNGs by Ray, sustained", "/s", ray, "local engine", local, "0.8 times"),
    ]


def large_photographs(rounds: int) -> list[Row]:
    """Times 2,000 photographs of 12 megapixels, beside the decoder of Pillow alone."""
    with tempfile.TemporaryDirectory() as folder:
        folders.write_photographs(Path(folder), 2000)
        paths = sorted(Path(folder).iterdir())
        ours, pillow = in_turns(
            rounds,
            _timer(infer(folder, "--plot", "none")),
            lambda: folders.decode_drafts(paths),
            warm_up=False,
        )
    name = "2,000 photographs of 12 megapixels"
    return [Row(name, "s", ours, "Pillow's draft mode", pillow, "0.9 times")]


def photographs(rounds: int) -> list[Row]:
    """Times photographs of 150 to 500 pixels, from file to network input."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = write_small_photographs(Path(folder), 20)
        plain = [path for kind in PLAIN_KINDS for path in kinds[kind]]
        every = [path for paths in kinds.values() for path in paths]
        rows = []
        for name, paths, target in (
            ("eight kinds", plain, "2.5 ms"),
            ("all kinds", every, ""),
        ):
            times = np.median(time_by_turns(paths, read_plainly, rounds), axis=2)
            ours, others = times.T.tolist()
            label = f"a photograph on one core, {name}"
            peer = "a few calls of OpenCV"
            rows.append(Row(label, "ms", ours, peer, others, target))
    return rows


def fast(rounds: int) -> list[Row]:
    """Times `--preset fast`, beside a script of Keras that stops at 99.0 %."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        train, test = (datasets.load("mnist", split) for split in ("train", "test"))
        np.savez(
            data, x=train.images, y=train.labels, test_x=test.images, test_y=test.labels
        )
        python = environment("keras")
        keras = [python, HERE / "keras_peer.py", "train", data]
        command = [sys.executable, ROOT / "bin" / "train", "--preset", "fast"]
        run(command)  # Prepares MNIST, and fills the compilation cache.
        ours, others = in_turns(rounds, _timer(command), _timer(keras), warm_up=False)
    name = "bin/train --preset fast"
    return [Row(name, "s", ours, "Keras script to 99.0 %", others, "5 times")]


def default(rounds: int) -> list[Row]:
    """Times the default training."""
    command = [sys.executable, ROOT / "bin" / "train"]
    (ours,) = in_turns(rounds, _timer(command), warm_up=False)
    return [Row("bin/train", "s", ours, target="half of 15 epochs")]


def steps(rounds: int) -> list[Row]:
    """Measures training steps of the same network, in images per second."""
    names = training_speed.TRAINING_PEERS
    speeds = training_speed.steps({name: environment(name) for name in names}, rounds)
    targets = {"Keras": "2 times", "PyTorch": "2.7 times", "plain Flax": "7 times"}
    return [
        Row("training step", "/s", speeds["cnn"], peer, _quickest(speeds, peer), target)
        for peer, target in targets.items()
    ]


def _quickest(speeds: dict[str, list[float]], peer: str) -> list[float]:
    """Returns the speeds at the best batch size of a peer."""
    own = [values for name, values in speeds.items() if name.startswith(peer)]
    return max(own, key=statistics.median)


def _timer(command: list[object]) -> Callable[[], float]:
    return lambda: run(command)


MEASUREMENTS: dict[str, Callable[[int], list[Row]]] = {
    "10": ten_pictures,
    "10000": ten_thousand_pictures,
    "sustained": sustained,
    "photographs": photographs,
    "12-megapixels": large_photographs,
    "fast": fast,
    "default": default,
    "steps": steps,
}
