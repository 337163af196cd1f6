"""Statistics of numbers against counts by hand."""

from cnn.inference.number_statistics import NumberStatistics, count_number
from cnn.number_prediction import NumberPrediction
from cnn.preprocessing.source import Source


def number(text, confidence=0.5, status="ok"):
    box = (0.0, 0.0, 1.0, 1.0) if text else None
    return NumberPrediction("", 1, "", 1, box, text, confidence, status, "")


def test_labeled_numbers_give_accuracy_and_character_error_rate():
    statistics = NumberStatistics()
    for name, found, label in [
        ("a", number("0427"), "0427"),
        ("b", number("42", status="unsure"), "421"),
        ("c", number("", 0, "blank"), "77"),
        ("d", number("", 0, "unreadable"), "8"),
        ("e", number("5"), ""),
    ]:
        statistics.add(name, Source(name), [found], label)
    # 0, 1 and 2 edits of 4, 3 and 2 characters. A file that is no image is left out.
    assert statistics.summary == (
        "5 files, 3 numbers: 2 ok, 1 unsure, 1 blank, 1 unreadable; "
        "accuracy 33.33% of 3 labelled numbers, CER 33.33%"
    )
    assert dict(statistics.by_length) == {4: (1, 1), 3: (1, 0), 2: (1, 0)}


def test_a_page_counts_once_and_its_numbers_each():
    statistics = NumberStatistics("pages")
    statistics.add("a", Source("a", 1), [number("1"), number("22"), number("3")], "")
    statistics.add("a", Source("a", 2), [number("", 0, "blank")], "")
    assert statistics.summary == "2 pages, 3 numbers: 3 ok, 1 blank"
    assert statistics.num_files == 2


def test_the_contact_sheet_has_wrong_numbers_then_the_least_confident():
    statistics = NumberStatistics()
    confidences = [0.9, 0.2, 0.7, 0.95, 0.4]
    labels = ["1", "1", "2", "", "2"]
    for place, (confidence, label) in enumerate(zip(confidences, labels, strict=True)):
        statistics.add(str(place), Source(""), [number("1", confidence)], label)
    assert [entry.name for entry in statistics.contact_sheet] == [
        "4",
        "2",
        "1",
        "0",
        "3",
    ]


def test_the_contact_sheet_is_bounded_and_keeps_the_place_on_the_page():
    statistics = NumberStatistics()
    numbers = [number("1", 1 - i / 100) for i in range(100)]
    statistics.add("a", Source("a"), numbers, "")
    sheet = statistics.contact_sheet
    assert [entry.rank for entry in sheet] == list(range(99, 59, -1))


def test_counts_of_rows_add_up_to_those_of_a_run():
    """A cluster counts rows, apart from one another."""
    counts = count_number("12", "ok", "13") + count_number("7", "unsure", "7")
    assert counts["labeled"] == 2
    assert counts["correct"] == counts["edits"] == 1
    assert counts["label characters"] == 3
