"""Measures `bin/serve` beside a server of FastAPI and Keras, and checks every answer.

Usage: python -m tests.benchmarks.serving [--rounds 5] [--seconds 5] [--peers ...]

The peers (`serving_peer.py`) get a virtual environment of their own at the first run.
All servers run on this machine, and are measured in turns. Prints a table, and writes
tests/benchmarks/serving.json.
"""

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.prediction import Prediction
from tests.benchmarks.__main__ import machine
from tests.benchmarks.environments import PEERS as PACKAGES
from tests.benchmarks.load_generator import Answer, Load, run_load
from tests.benchmarks.servers import HOST, PEERS, post, start_ours, start_peer

OURS = "bin/serve"
NUM_CONNECTIONS = 32
# Different pictures of each kind, which are sent again and again.
_NUM_DIGITS = 2000
_NUM_PHOTOGRAPHS = 300
# Longest side of a photograph, in pixels.
_PHOTOGRAPH_SIDE = 300
_JPEG_QUALITY = 90
# Paper on a table, rather than forms, tables and scans.
_PHOTOGRAPH_KINDS = (
    *("plain", "ruled", "squared", "faint"),
    *("shadows", "careless", "phone", "low_resolution"),
)
_WARM_UP_SECONDS = 1.5
_NUM_STARTS = 3
_RESULTS = Path(__file__).with_name("serving.json")


class Pictures(NamedTuple):
    """Pictures that are sent, one a request.

    Attributes:
      requests: heads and bodies.
      expected: what `Classifier.predict_files` reads of each.
      labels: `int (N,)`, the digits that they show.
    """

    requests: list[bytes]
    expected: list[Prediction]
    labels: np.ndarray


def main() -> None:
    """Prints the table; the exit status is 1 if an answer was lost or wrong."""
    arguments = _parse_arguments()
    starts = _measure_starts()
    with ExitStack() as stack:
        ports = {OURS: stack.enter_context(start_ours()).port}
        for name in arguments.peers:
            ports[name] = stack.enter_context(start_peer(name)).port
        pictures = {"digits": make_digits(), "photographs": _make_photographs()}
        rates, num_bad = _measure_rates(ports, pictures, arguments)
        half = statistics.median(rates["digits"][OURS]) / 2
        latencies, bad = _measure_latencies(
            ports[OURS], pictures["digits"], half, arguments
        )
    rows = [*_table(rates, latencies), *starts]
    for what, value, target in rows:
        print(f"| {what} | {value:,.4g} | {target} |")
    num_bad += bad
    print(f"{num_bad} answers lost or wrong")
    results = {
        "machine": machine(),
        "peers": {"packages": PACKAGES["fastapi"], "methods": PEERS},
        "rows": rows,
        "rates": rates,
        "99th percentiles": latencies,
    }
    _RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    raise SystemExit(bool(num_bad))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    return parser.parse_args()


def _measure_starts() -> list[tuple[str, float, str]]:
    """Measures from the start of the command to its first answer, in seconds."""
    cold, warm = [], []
    for _ in range(_NUM_STARTS):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(_measure_start(cache))
            warm.append(_measure_start(cache))
    return [
        ("start to first answer, seconds", statistics.median(warm), "<= 2"),
        ("... with an empty cache", statistics.median(cold), ""),
    ]


def _measure_start(cache: str) -> float:
    digit = _encode(datasets.load("mnist", "test").images[0, ..., 0], "PNG")
    start = time.perf_counter()
    with start_ours(XDG_CACHE_HOME=cache) as server:
        status, _ = post(server.port, "/read", digit)
        seconds = time.perf_counter() - start
    assert status == 200
    return seconds


def make_digits() -> Pictures:
    """Makes the first digits of the test split, and reads them by the library."""
    test = datasets.load("mnist", "test")
    first = slice(_NUM_DIGITS)
    pngs = [_encode(digit, "PNG") for digit in test.images[first, ..., 0]]
    return _expect(pngs, "png", test.labels[first])


def _make_photographs() -> Pictures:
    test = datasets.load("mnist", "test")
    last = slice(-_NUM_PHOTOGRAPHS, None)
    jpegs = list(_photograph(test.images[last, ..., 0]))
    return _expect(jpegs, "jpg", test.labels[last])


def _photograph(digits: np.ndarray) -> Iterator[bytes]:
    """Renders digits on simulated pages, of each kind by turns, as JPEGs."""
    kinds = [PAGE_KINDS[name] for name in _PHOTOGRAPH_KINDS]
    for i, digit in enumerate(digits):
        render = kinds[i % len(kinds)]
        page = render(np.random.default_rng(i), digit / np.float32(255))
        image = Image.fromarray(page)
        scale = _PHOTOGRAPH_SIDE / max(image.size)
        size = [max(1, round(scale * side)) for side in image.size]
        yield _encode(np.asarray(image.resize(size)), "JPEG", quality=_JPEG_QUALITY)


def _encode(pixels: np.ndarray, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _expect(contents: Sequence[bytes], ending: str, labels: np.ndarray) -> Pictures:
    """Reads pictures by the library, and makes a request of each."""
    requests, paths = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i, content in enumerate(contents):
            paths.append(Path(folder) / f"{i}.{ending}")
            paths[-1].write_bytes(content)
            requests.append(_make_request(paths[-1].name, content))
        expected = Classifier.load("digits").predict_files(paths)
    return Pictures(requests, expected, labels)


def _make_request(name: str, content: bytes) -> bytes:
    head = (
        f"POST /read?name={name} HTTP/1.1\r\n"
        f"host: {HOST}\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _measure_rates(
    ports: dict[str, int], pictures: dict[str, Pictures], arguments: argparse.Namespace
) -> tuple[dict[str, dict[str, list[float]]], int]:
    """Measures requests per second, of every kind of picture and every server by turns.

    Returns:
      The rates by kind of picture, by server, of each round, and the number of answers
      that were lost or, of `bin/serve`, wrong.
    """
    rates: dict[str, dict[str, list[float]]] = {
        kind: {name: [] for name in ports} for kind in pictures
    }
    num_bad = 0
    for number in range(-1, arguments.rounds):
        seconds = arguments.seconds if number >= 0 else _WARM_UP_SECONDS
        for kind, of_kind in pictures.items():
            for name, port in ports.items():
                load = Load(port, of_kind.requests, NUM_CONNECTIONS, seconds)
                answers = run_load(load)
                num_bad += _count_bad(answers, of_kind, is_ours=name == OURS)
                rate = sum(answer.end <= seconds for answer in answers) / seconds
                if number >= 0:
                    rates[kind][name].append(rate)
                    right = _share_right(answers, of_kind.labels)
                    print(
                        f"{kind}, {name}: {rate:,.0f}/s, {right:.1%} right", flush=True
                    )
    return rates, num_bad


def _measure_latencies(
    port: int, pictures: Pictures, rate: float, arguments: argparse.Namespace
) -> tuple[list[float], int]:
    """Measures the 99th percentile of the latency at a rate, in milliseconds."""
    percentiles = []
    num_bad = 0
    for _ in range(arguments.rounds):
        load = Load(port, pictures.requests, NUM_CONNECTIONS, arguments.seconds, rate)
        answers = run_load(load)
        num_bad += _count_bad(answers, pictures, is_ours=True)
        seconds = [answer.seconds for answer in answers]
        percentiles.append(1000 * float(np.percentile(seconds, 99)))
        print(f"99th percentile at {rate:,.0f} requests/s: {percentiles[-1]:.1f} ms")
    return percentiles, num_bad


def _count_bad(answers: Sequence[Answer], pictures: Pictures, is_ours: bool) -> int:
    """Counts answers that were lost, are errors, or are those to another picture."""
    num_bad = 0
    for answer in answers:
        is_good = answer.status == 200
        if is_good and is_ours:
            (row,) = json.loads(answer.body)["rows"]
            is_good = agrees(row, pictures.expected[answer.request])
        num_bad += not is_good
    return num_bad


def _share_right(answers: Sequence[Answer], labels: np.ndarray) -> float:
    """Returns the share of answers with the digit that the picture shows."""
    num_right = 0
    for answer in answers:
        if answer.status == 200:
            read = json.loads(answer.body)
            (row,) = read.get("rows", [read])  # The peer answers with a row alone.
            num_right += str(row["prediction"]) == str(labels[answer.request])
    return num_right / len(answers)


def agrees(row: dict[str, object], expected: Prediction) -> bool:
    """Tells whether a row of an answer is what the library reads."""
    return row == {
        "path": Path(expected.path).name,
        "prediction": expected.prediction or None,
        "confidence": round(expected.confidence, 6) if expected.prediction else None,
        "status": expected.status,
        "detail": expected.detail or None,
    }


def _table(
    rates: dict[str, dict[str, list[float]]], latencies: list[float]
) -> list[tuple[str, float, str]]:
    """Makes the rows of the result: quantity, median and target."""
    targets = {"digits": ">= 1500", "photographs": ">= 250"}
    rows = []
    for kind, by_server in rates.items():
        ours = by_server[OURS]
        rows.append((f"{kind}, requests/s", statistics.median(ours), targets[kind]))
        for name, theirs in by_server.items():
            if name != OURS:
                ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
                target = ">= 3" if name.startswith("tutorial") else ""
                rows.append(
                    (f"{kind}, times {name}", statistics.median(ratios), target)
                )
    percentile = statistics.median(latencies)
    what = "digits at half that rate, 99th percentile, ms"
    return [*rows, (what, percentile, "<= 30")]


if __name__ == "__main__":
    main()
