"""Statistics of a run against counts by other means."""

import numpy as np

from cnn.classifier import Prediction
from cnn.image_files.listing import InputFile
from cnn.inference.run_statistics import RunStatistics, summary_line


def add(statistics, name, prediction, confidence, label="", status="ok"):
    image = np.zeros((28, 28, 1), np.float32) if prediction else None
    probabilities = np.zeros(2, np.float32) if prediction else None
    statistics.add(
        InputFile("/scans/" + name, name),
        Prediction(
            "/scans/" + name, prediction, confidence, status, "", probabilities, image
        ),
        label,
    )


def test_rows_are_counted_by_status_label_and_prediction():
    statistics = RunStatistics("ab")
    add(statistics, "1", "a", 0.9, label="a")
    add(statistics, "2", "b", 0.8, label="a")
    add(statistics, "3", "b", 0.2, label="b", status="unsure")
    add(statistics, "4", "", 0.0, label="b", status="blank")
    add(statistics, "5", "", 0.0, label="b", status="unreadable")
    add(statistics, "6", "a", 1.0)
    assert statistics.statuses == {"ok": 3, "unsure": 1, "blank": 1, "unreadable": 1}
    assert statistics.confusion.tolist() == [[1, 1, 0], [0, 1, 1]]
    counts = (statistics.num_files, statistics.num_labeled, statistics.num_correct)
    assert counts == (6, 4, 2)
    assert statistics.summary == (
        "6 files: 3 ok, 1 unsure, 1 blank, 1 unreadable; "
        "accuracy 50.00% of 4 labelled images"
    )


def test_confidence_is_counted_in_bins_of_a_thousandth():
    statistics = RunStatistics("ab")
    for confidence in (0.0, 0.0005, 0.5, 1.0):
        add(statistics, "x", "b", confidence)
    rows, columns = np.nonzero(statistics.confidences)
    assert rows.tolist() == [1, 1, 1]
    assert columns.tolist() == [0, 500, 999]
    assert statistics.confidences.sum() == 4


def test_the_contact_sheet_has_wrong_files_then_the_least_confident_ones():
    """As sorting all files would give them."""
    generator = np.random.default_rng(0)
    statistics = RunStatistics("ab")
    files = []
    for number in range(200):
        confidence = float(generator.integers(50, 100)) / 100
        label = str(generator.choice(["a", "b", ""], p=[0.9, 0.05, 0.05]))
        is_correct = None if not label else label == "a"
        add(statistics, str(number), "a", confidence, label)
        files.append((is_correct is not False, confidence, number, is_correct))
    sheet = statistics.contact_sheet
    expected = sorted(files, key=lambda file: file[:3])[:40]
    assert [int(entry.name) for entry in sheet] == [file[2] for file in expected]
    assert [entry.is_correct for entry in sheet] == [file[3] for file in expected]
    assert all(entry.prediction.probabilities is None for entry in sheet)


def test_the_summary_names_only_statuses_that_occur():
    assert summary_line({"unreadable": 1200}, 0, 0) == "1,200 files: 1,200 unreadable"


def test_the_summary_counts_files_and_not_the_labels_among_the_counts():
    """Ray's counters hold both."""
    counts = {"ok": 2, "unsure": 1, "labeled": 3, "correct": 2}
    assert summary_line(counts, 2, 3) == (
        "3 files: 2 ok, 1 unsure; accuracy 66.67% of 3 labelled images"
    )
