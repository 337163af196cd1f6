"""Measures the training speed of several processes, which share the cores.

On one machine this shows what the all-reduce of each step costs, without a network.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.conftest import command
from tests.training.processes import free_port


def images_per_second(num_processes: int, num_cores: int, flags: list[str]) -> float:
    """Trains three epochs, and returns the speed of the last two.

    Args:
      num_processes: each runs on as many cores of its own.
      num_cores: number of cores of all processes.
      flags: more flags of `bin/train`.
    """
    cores = sorted(os.sched_getaffinity(0))[:num_cores]
    per_process = num_cores // num_processes
    address = f"localhost:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        processes = []
        for index in range(num_processes):
            own = cores[index * per_process : (index + 1) * per_process]
            arguments = ["--epochs", "3", *flags]
            if num_processes > 1:
                arguments += ["--coordinator", address, "--process-id", str(index)]
                arguments += ["--num-processes", str(num_processes)]
            processes.append(
                subprocess.Popen(
                    ["taskset", "-c", ",".join(map(str, own))]
                    + command("train", *arguments),
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        assert [process.wait() for process in processes] == [0] * num_processes
        [metrics] = Path(folder).glob("runs/*/metrics.jsonl")
        rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    return statistics.mean(row["images_per_second"] for row in rows[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("flags", nargs="*", help="more flags of bin/train, after --")
    arguments = parser.parse_args()
    kinds = [(1, 1), (1, 2), (2, 2)]
    speeds: dict[tuple[int, int], list[float]] = {kind: [] for kind in kinds}
    for _ in range(arguments.rounds):
        for kind in kinds:
            speeds[kind].append(images_per_second(*kind, arguments.flags))
    print("| processes | cores | images per second | times one core |")
    print("|---|---|---|---|")
    for processes, cores in kinds:
        values = speeds[processes, cores]
        ratios = [a / b for a, b in zip(values, speeds[1, 1], strict=True)]
        print(
            f"| {processes} | {cores} | {statistics.median(values):,.0f} "
            f"| {statistics.median(ratios):.2f} |"
        )


if __name__ == "__main__":
    main()
