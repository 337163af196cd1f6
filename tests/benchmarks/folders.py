"""Times bin/infer on folders, from command to exit.

Usage: python -m tests.benchmarks.folders --model mnist_model.h5

Each row is a folder that is made here: digits as PNG files, or photographs of 12
megapixels. The draft mode of Pillow alone decodes the photographs for comparison, in as
many processes, by turns. `keras` compares 10,000 digits with a script of Keras, and
`ray` 100,000 digits by Ray with the local engine. Memory is the sum over all processes.
"""

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cnn import parallel
from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.data import datasets
from cnn.models import find_model
from tests.benchmarks.environments import environment
from tests.conftest import ROOT


def main() -> None:
    """Prints a row per folder: the median of the runs, and each run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--only",
        nargs="*",
        default=[
            "help",
            "samples",
            "10",
            "10000",
            "keras",
            "100000",
            "ray",
            "photos",
            "1000000",
        ],
    )
    arguments = parser.parse_args()
    model = find_model(arguments.model).absolute()
    print("| folder | seconds, median (all) | images/s | megabytes at most |")
    print("|---|---|---|---|", flush=True)
    for kind in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            if kind == "help":
                print_timing("--help", 1, arguments.runs, ["--help"])
            elif kind == "samples":
                inputs = ["--input", str(ROOT / "tests" / "samples"), "--model"]
                command = [*inputs, str(model), "--output", "/dev/null"]
                count = len(list((ROOT / "tests" / "samples").iterdir()))
                name = f"the {count} pictures of tests/samples"
                print_timing(f"{name}, with the plot", count, arguments.runs, command)
                command += ["--plot", "none"]
                print_timing(name, count, arguments.runs, command)
            elif kind == "keras":
                write_digits(Path(folder), 10_000)
                compare_with_keras(folder, str(model), arguments.runs)
            elif kind == "ray":
                write_digits(Path(folder), 100_000)
                compare_with_ray(folder, str(model), arguments.runs)
            elif kind == "photos":
                write_photographs(Path(folder), 2000)
                command = ["--input", folder, "--model", str(model), "--plot", "none"]
                compare_with_pillow(Path(folder), arguments.runs, command)
            else:
                count = int(kind)
                write_digits(Path(folder), count)
                runs = 1 if count > 100_000 else arguments.runs
                command = [
                    "--input",
                    folder,
                    "--model",
                    str(model),
                    "--output",
                    "/dev/null",
                ]
                if count <= 10_000:
                    name = f"{count:,} digits, with the plot"
                    print_timing(name, count, runs, command)
                command += ["--plot", "none"]
                print_timing(f"{count:,} digits", count, runs, command)


def write_digits(folder: Path, count: int) -> None:
    """Writes test digits as PNG files, 10,000 per folder; further ones are links."""
    images = datasets.load("mnist", "test").images[..., 0]
    for i in range(count):
        path = folder / str(i // 10_000) / f"scan{i}.png"
        path.parent.mkdir(exist_ok=True)
        if i < len(images):
            Image.fromarray(images[i]).save(path)
        else:
            os.link(folder / "0" / f"scan{i % len(images)}.png", path)


def write_photographs(folder: Path, count: int) -> None:
    """Writes ten photographs of 4032×3024 of a digit; further ones are links."""
    images = datasets.load("mnist", "test").images[..., 0]
    for i in range(10):
        page = PAGE_KINDS["phone"](
            np.random.default_rng(i), images[i] / np.float32(255)
        )
        large = cv2.resize(page, (4032, 3024), interpolation=cv2.INTER_CUBIC)
        grain = np.random.default_rng(i).normal(0, 4, large.shape)
        Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(
            folder / f"{i}.jpg", quality=90
        )
    for i in range(10, count):
        os.link(folder / f"{i % 10}.jpg", folder / f"{i}.jpg")


def print_timing(name: str, count: int, runs: int, flags: list[str]) -> None:
    """Runs the command, and prints its row."""
    figures = [run_infer(flags) for _ in range(runs)]
    seconds = [figure[0] for figure in figures]
    middle = statistics.median(seconds)
    each = ", ".join(f"{second:.2f}" for second in seconds)
    most = max(figure[1] for figure in figures)
    print(
        f"| {name} | {middle:.2f} ({each}) | {count / middle:,.0f} | {most:.0f} |",
        flush=True,
    )


def run_infer(flags: list[str]) -> tuple[float, float]:
    """Runs the command once; returns seconds, and peak memory in megabytes."""
    start = time.monotonic()
    most = [0.0]
    run = [sys.executable, str(ROOT / "bin" / "infer"), *flags]
    with tempfile.TemporaryDirectory() as cwd:
        process = subprocess.Popen(
            run,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = threading.Thread(target=_watch_memory, args=(process, most))
        watch.start()
        process.wait()
        seconds = time.monotonic() - start
        watch.join()
    assert process.returncode == 0
    return seconds, most[0]


def _watch_memory(process: subprocess.Popen, most: list[float]) -> None:
    while process.poll() is None:
        ours = subprocess.run(
            ["ps", "--no-headers", "-o", "rss", "-s", str(process.pid)],
            capture_output=True,
            text=True,
        )
        most[0] = max(most[0], sum(map(int, ours.stdout.split())) / 1024)
        time.sleep(0.5)


def compare_with_keras(folder: str, model: str, runs: int) -> None:
    """Reads digits by turns with bin/infer and with a script of Keras."""
    infer = ["--input", folder, "--model", model, "--plot", "none", "--output"]
    script = [environment("keras"), str(Path(__file__).with_name("keras_reader.py"))]
    seconds = []
    ratios = []
    with tempfile.TemporaryDirectory() as outputs:
        for _ in range(runs):
            seconds.append(run_infer([*infer, f"{outputs}/ours.csv"])[0])
            start = time.monotonic()
            peer = [*script, model, folder, f"{outputs}/keras.csv"]
            subprocess.run(peer, check=True, stderr=subprocess.DEVNULL)
            ratios.append((time.monotonic() - start) / seconds[-1])
    print(
        f"| 10,000 digits beside Keras | {statistics.median(seconds):.2f} | "
        f"| Keras takes {statistics.median(ratios):.2f} times as long |",
        flush=True,
    )


def compare_with_ray(folder: str, model: str, runs: int) -> None:
    """Reads digits by turns with both engines, without the start of the cluster."""
    ratios = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as out:
            infer = ["--input", folder, "--model", model, "--plot", "none", "--output"]
            local = read_speed([*infer, f"{out}/o.csv"])
            ratios.append(read_speed([*infer, f"{out}/o", "--engine", "ray"]) / local)
    middle = statistics.median(ratios)
    print(f"| 100,000 digits by Ray | | | {middle:.2f} of the local engine's speed |")


def read_speed(flags: list[str]) -> float:
    """Runs the command, and returns the images per second that it reports."""
    run = [sys.executable, str(ROOT / "bin" / "infer"), *flags]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    *_, speed = re.findall(r"([\d,]+) images/s", done.stderr)
    return float(speed.replace(",", ""))


def compare_with_pillow(folder: Path, runs: int, flags: list[str]) -> None:
    """Reads photographs by turns with bin/infer, and with the decoder of Pillow alone.

    Pillow decodes to the size that we use, in as many processes.
    """
    paths = sorted(folder.iterdir())
    seconds = []
    ratios = []
    for _ in range(runs):
        start = time.monotonic()
        with ProcessPoolExecutor(parallel.cpu_count()) as executor:
            list(executor.map(_decode_draft, paths, chunksize=4))
        pillow_seconds = time.monotonic() - start
        seconds.append(run_infer(flags)[0])
        ratios.append(pillow_seconds / seconds[-1])
    middle = statistics.median(seconds)
    print(
        f"| {len(paths)} photographs | {middle:.2f} | {len(paths) / middle:.0f} "
        f"| Pillow alone takes {statistics.median(ratios):.2f} of the time |",
        flush=True,
    )


def _decode_draft(path: Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.draft(None, (1008, 756))
        image.load()
        return image.size


if __name__ == "__main__":
    main()
