"""Reads folders with bin/infer, from command to exit: python -m tests.benchmarks.folders --model mnist_model.h5.

Each row is a folder that is made here: digits as PNGs, or photographs of 12 megapixels, which Pillow's draft mode
alone decodes beside us, in as many processes, by turns. Memory is that of all processes, added up.
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

ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Prints a row a folder: medians of the runs, and all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("mnist_model.h5"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--only",
        nargs="*",
        default=["help", "10", "10000", "100000", "photos", "1000000"],
    )
    arguments = parser.parse_args()
    model = arguments.model.absolute()
    print(
        "| folder | seconds, median (all) | images/s | megabytes at most |\n|---|---|---|---|",
        flush=True,
    )
    for what in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            if what == "help":
                timed("--help", 1, arguments.runs, ["--help"])
            elif what == "photos":
                photographs(Path(folder), 2000)
                command = ["--input", folder, "--model", str(model), "--plot", "none"]
                beside(Path(folder), arguments.runs, command)
            else:
                count = int(what)
                digits(Path(folder), count)
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
                    timed(f"{count:,} digits, with the plot", count, runs, command)
                timed(f"{count:,} digits", count, runs, [*command, "--plot", "none"])


def digits(folder: Path, count: int) -> None:
    """Writes test digits as PNGs, of more than there are under many names, 10,000 to a folder."""
    images = datasets.load("mnist", "test").images[..., 0]
    for i in range(count):
        path = folder / str(i // 10_000) / f"scan{i}.png"
        path.parent.mkdir(exist_ok=True)
        if i < len(images):
            Image.fromarray(images[i]).save(path)
        else:
            os.link(folder / "0" / f"scan{i % len(images)}.png", path)


def photographs(folder: Path, count: int) -> None:
    """Writes pictures of 4032×3024, of a digit on a sheet, as a telephone does; ten, under many names."""
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


def timed(name: str, count: int, runs: int, flags: list[str]) -> None:
    """Runs the command, and prints its row."""
    figures = [once(flags) for _ in range(runs)]
    seconds = [figure[0] for figure in figures]
    middle = statistics.median(seconds)
    each = ", ".join(f"{second:.2f}" for second in seconds)
    most = max(figure[1] for figure in figures)
    print(
        f"| {name} | {middle:.2f} ({each}) | {count / middle:,.0f} | {most:.0f} |",
        flush=True,
    )


def once(flags: list[str]) -> tuple[float, float]:
    """Runs the command once; returns seconds, and the memory of its processes at most, in megabytes."""
    start, most = time.monotonic(), [0.0]
    run = [sys.executable, str(ROOT / "bin" / "infer"), *flags]
    with tempfile.TemporaryDirectory() as cwd:
        process = subprocess.Popen(
            run,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = threading.Thread(target=_watch, args=(process, most))
        watch.start()
        process.wait()
        seconds = time.monotonic() - start
        watch.join()
    assert process.returncode == 0
    return seconds, most[0]


def _watch(process: subprocess.Popen, most: list[float]) -> None:
    while process.poll() is None:
        ours = subprocess.run(
            ["ps", "--no-headers", "-o", "rss", "-s", str(process.pid)],
            capture_output=True,
            text=True,
        )
        most[0] = max(most[0], sum(map(int, ours.stdout.split())) / 1024)
        time.sleep(0.5)


def beside(folder: Path, runs: int, flags: list[str]) -> None:
    """Reads photographs by turns with Pillow's decoding alone, to the size that we take, in as many processes."""
    paths = sorted(folder.iterdir())
    ratios, ours = [], []
    for _ in range(runs):
        start = time.monotonic()
        with ProcessPoolExecutor(parallel.cpu_count()) as executor:
            list(executor.map(_drafted, paths, chunksize=4))
        alone = time.monotonic() - start
        ours.append(once(flags)[0])
        ratios.append(alone / ours[-1])
    print(
        f"| {len(paths)} photographs | {statistics.median(ours):.2f} | {len(paths) / statistics.median(ours):.0f} "
        f"| Pillow alone takes {statistics.median(ratios):.2f} of the time |",
        flush=True,
    )


def _drafted(path: Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.draft(None, (1008, 756))
        image.load()
        return image.size


if __name__ == "__main__":
    main()
