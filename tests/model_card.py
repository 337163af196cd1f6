"""Writes the tables of the model card from the report of the shipped model."""

import re
from pathlib import Path
from typing import Any

Counts = dict[str, int]


def write_tables(card: Path, report: dict[str, Any]) -> None:
    """Rewrites the blocks between the markers of the card."""
    text = card.read_text()
    for name, lines in make_tables(report).items():
        block = "\n".join([f"<!-- table: {name} -->", *lines, "<!-- end table -->"])
        pattern = rf"<!-- table: {name} -->.*?<!-- end table -->"
        text, count = re.subn(pattern, lambda _, b=block: b, text, flags=re.DOTALL)
        assert count == 1, f"{card}: expected one table {name}, found {count}"
    card.write_text(text)


def make_tables(report: dict[str, Any]) -> dict[str, list[str]]:
    """Makes the lines of every table, by the name in its marker."""
    return {
        "origin": make_origin(report),
        "pages": make_counts(with_sum(report["pages"])),
        "folders": make_counts(report["folders"]),
        "strings": make_strings(report["strings"]),
        "numbers": make_counts(with_sum(report["numbers"])),
    }


def make_origin(report: dict[str, Any]) -> list[str]:
    """Makes the table of how the model came about, and of its test accuracy."""
    training = report["training"]
    test, device = training["test"], training["device"]
    versions = ", ".join(f"{name} {x}" for name, x in training["versions"].items())
    rows = [
        ("command", f"`{report['command']}`"),
        ("versions", versions),
        ("device", f"{device['kind']}, {device['cores']} cores"),
        ("epochs", f"{training['epochs']}"),
        ("training time", f"{training['training_seconds'] / 60:.0f} min"),
        ("parameters", f"{training['parameters']:,}"),
        ("accuracy, MNIST test digits", format_share(test["accuracy"], 2)),
        (
            "calibration error there",
            format_share(test["expected_calibration_error"], 2),
        ),
        ("`unsure` below", f"{training['unsure_below']:.4f}"),
        ("`unsure` below, numbers", f"{training['string_unsure_below']:.4f}"),
        ("SHA-256 of `digits.h5`", f"`{report['sha256']}`"),
    ]
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def make_counts(counts: dict[str, Counts]) -> list[str]:
    """Makes the table of readings by kind."""
    columns = ["kind", *next(iter(counts.values()))]
    rows = [make_row(kind.replace("_", " "), row) for kind, row in counts.items()]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows]


def with_sum(counts: dict[str, Counts]) -> dict[str, Counts]:
    """Adds the sum of all kinds."""
    columns = next(iter(counts.values()))
    total = {name: sum(row[name] for row in counts.values()) for name in columns}
    return {**counts, "all_kinds": total}


def make_row(kind: str, counts: Counts) -> str:
    """Makes the row of a kind: all in percent, except for the few sure mistakes."""
    total = counts["count"]
    names = ("correct", "unsure or blank")
    shares = [format_share(counts[name] / total) for name in names]
    sure = f"{counts['wrong, over 99 % sure']}"
    return f"| {kind} | {total:,} | {' | '.join(shares)} | {sure} |"


def format_share(share: float, decimals: int = 1) -> str:
    """Formats a share as the other documents do.

    Example:
      >>> format_share(0.9964, 2)
      '99.64 %'
    """
    return f"{100 * share:.{decimals}f} %"


def make_strings(strings: dict[str, dict[str, float]]) -> list[str]:
    """Makes the table of strings by gap and length."""
    lengths = next(iter(strings.values()))
    cells = [f"{length} digits" for length in lengths]
    rows = [
        f"| {gap} | {' | '.join(map(format_share, row.values()))} |"
        for gap, row in strings.items()
    ]
    columns = ["gap", *cells]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows]
