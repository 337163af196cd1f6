"""Times bin/infer on folders, from command to exit.

Usage: python -m tests.benchmarks.folders --model mnist_model.h5

Each row is a folder that is made here: digits as PNG files, or photographs of 12
megapixels. The draft mode of Pillow alone decodes the photographs for comparison, in as
many processes, by turns. Memory is the sum over all processes.
"""

import argparse
import io
import os
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
            "100000",
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
    """Writes test digits as PNG files, 10,000 per folder; further ones are links.

    The names of folders are no classes, so that no labels are read from them.
    """
    images = datasets.load("mnist", "test").images[..., 0]
    for i in range(count):
        path = folder / f"box{i // 10_000}" / f"scan{i}.png"
        path.parent.mkdir(exist_ok=True)
        if i < len(images):
            Image.fromarray(images[i]).save(path)
        else:
            os.link(folder / "box0" / f"scan{i % len(images)}.png", path)


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


def compare_with_pillow(folder: Path, runs: int, flags: list[str]) -> None:
    """Reads photographs by turns with bin/infer, and with the decoder of Pillow alone.

    Pillow decodes to the size that we use, in as many processes.
    """
    paths = sorted(folder.iterdir())
    seconds = []
    ratios = []
    for _ in range(runs):
        pillow_seconds = decode_drafts(paths)
        seconds.append(run_infer(flags)[0])
        ratios.append(pillow_seconds / seconds[-1])
    middle = statistics.median(seconds)
    print(
        f"| {len(paths)} photographs | {middle:.2f} | {len(paths) / middle:.0f} "
        f"| Pillow alone takes {statistics.median(ratios):.2f} of the time |",
        flush=True,
    )


def decode_drafts(paths: list[Path]) -> float:
    """Decodes photographs by Pillow alone, in a process per core. Returns seconds."""
    start = time.monotonic()
    with ProcessPoolExecutor(parallel.cpu_count()) as executor:
        list(executor.map(decode_draft, paths, chunksize=4))
    return time.monotonic() - start


def decode_draft(path: Path) -> tuple[int, int]:
    """Decodes a photograph by Pillow's draft mode alone, to the size that we use."""
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.draft(None, (1008, 756))
        image.load()
        return image.size


if __name__ == "__main__":
    main()
