"""Times what a user waits for, each beside a peer in the same run.

    python -m tests.benchmarks [--only fast "10,000 PNGs"] [--rounds 3]

A row is measured in turns with its peer. It prints medians, and writes
tests/benchmarks/results.json, where rows of earlier runs stay, and the chart
tests/figures/waiting.png.
"""

import argparse
import dataclasses
import json
import statistics
from pathlib import Path

from tests.benchmarks.waiting import MEASUREMENTS, Row
from tests.conftest import ROOT

RESULTS = Path(__file__).parent / "results.json"
CHART = ROOT / "tests" / "figures" / "waiting.png"


def main() -> None:
    """Measures the rows that are asked for, and shows all rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = read_results()
    for name in arguments.only or MEASUREMENTS:
        for row in MEASUREMENTS[name](arguments.rounds):
            rows[row.name, row.peer] = row
            print(format_row(row), flush=True)
            write_results(rows)
    print("\n| what | time | peer | times as fast | target |\n|---|---|---|---|---|")
    for row in rows.values():
        print(format_row(row))
    draw_chart([row for row in rows.values() if row.peer], CHART)


def read_results() -> dict[tuple[str, str], Row]:
    """Returns the rows of earlier runs, by name and peer."""
    if not RESULTS.exists():
        return {}
    rows = [Row(**row) for row in json.loads(RESULTS.read_text())]
    return {(row.name, row.peer): row for row in rows}


def write_results(rows: dict[tuple[str, str], Row]) -> None:
    """Writes all rows, each with every single measurement."""
    content = [dataclasses.asdict(row) for row in rows.values()]
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


def format_row(row: Row) -> str:
    """Formats a row of the table: medians, and the median of the ratios."""
    ours = f"{statistics.median(row.ours):,.4g} {row.unit}"
    peer = ratio = ""
    if row.peer:
        peer = f"{row.peer}: {statistics.median(row.others):,.4g} {row.unit}"
        ratio = f"{row.times_as_fast():.2f}"
    return f"| {row.name} | {ours} | {peer} | {ratio} | {row.target} |"


def draw_chart(rows: list[Row], path: Path) -> None:
    """Draws how many times as fast each row is as its peer, as bars."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    figure = Figure(figsize=(9, 0.7 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    names = [f"{row.name}\nbeside {row.peer}" for row in rows]
    ratios = [row.times_as_fast() for row in rows]
    axes.barh(names, ratios, color="#d9730d", left=0)
    for place, ratio in enumerate(ratios):
        axes.text(ratio * 1.03, place, f"{ratio:.2g}", va="center")
    axes.axvline(1, color="#57606a", linestyle="--")
    axes.set_xscale("log", subs=[2, 5])
    axes.set_xlim(0.8 * min(ratios), 1.5 * max(ratios))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(ScalarFormatter())
    axes.tick_params(axis="y", labelsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
