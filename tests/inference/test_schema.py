"""Columns and rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn.classifier import Prediction
from cnn.decoding import CharacterReading
from cnn.image_files.listing import InputFile
from cnn.inference.schema import Row, Schema
from cnn.number_prediction import NumberPrediction
from cnn.page_region import Region
from cnn.preprocessing.source import Source

NAMES = ("zero", "one", "two")
FILE = InputFile("/scans/a.png", "a.png")
BASE = ["path", "prediction", "confidence", "status", "detail"]


def test_columns_follow_the_settings():
    assert Schema(NAMES).names == BASE
    assert Schema(NAMES, has_labels=True).names == [*BASE, "label"]
    full = Schema(NAMES, has_labels=True, top_k=2, has_probabilities=True)
    extra = ["label", "prediction_2", "confidence_2", *NAMES]
    assert full.names == BASE + extra
    numbers = [column.name for column in full.columns if column.is_number]
    assert numbers == ["confidence", "confidence_2", *NAMES]


def test_there_are_no_more_ranks_than_classes():
    names = Schema(NAMES, top_k=9).names
    assert names[len(BASE) :: 2] == ["prediction_2", "prediction_3"]


def test_a_row_ranks_the_classes():
    schema = Schema(NAMES, has_labels=True, top_k=3, has_probabilities=True)
    probabilities = np.array([0.125, 0.625, 0.25], np.float32)
    prediction = Prediction("p", "one", 0.625, "ok", "", probabilities)
    row = schema.make_row(FILE, prediction, "two")
    assert row == Row(
        path="a.png",
        prediction="one",
        confidence=0.625,
        status="ok",
        detail=None,
        label="two",
        extra=("two", 0.25, "zero", 0.125, 0.125, 0.625, 0.25),
    )
    assert all(type(cell) in (str, float) for cell in row.extra)


def test_of_equal_probabilities_the_first_class_ranks_first():
    schema = Schema(NAMES, top_k=3)
    probabilities = np.array([0.25, 0.5, 0.25], np.float32)
    prediction = Prediction("p", "one", 0.5, "ok", "", probabilities)
    assert schema.make_row(FILE, prediction, "").extra == ("zero", 0.25, "two", 0.25)


def test_a_row_without_a_prediction_has_no_numbers():
    schema = Schema(NAMES, top_k=2, has_probabilities=True)
    prediction = Prediction("p", "", 0.0, "blank", "no ink found")
    row = schema.make_row(FILE, prediction, "")
    assert schema.to_cells(row) == (
        *("a.png", None, None, "blank", "no ink found"),
        *(None,) * 5,
    )


@given(st.booleans(), st.integers(1, 4), st.booleans(), st.data())
def test_cells_become_the_row_again(has_labels, top_k, has_probabilities, data):
    schema = Schema(NAMES, has_labels, top_k, has_probabilities)
    cells = tuple(
        data.draw(st.none() | (st.floats(0, 1) if column.is_number else st.text()))
        for column in schema.columns
    )
    row = schema.from_cells(cells)
    assert schema.to_cells(row) == cells
    assert row.path == cells[0]
    assert row.label == (cells[5] if has_labels else None)


def test_a_wrong_number_of_cells_is_refused():
    with pytest.raises(ValueError, match="expected 6 cells, got 5"):
        Schema(NAMES, has_labels=True).from_cells(["a", "b", 0.5, "ok", None])


def test_columns_follow_the_layout():
    numbers = ["line", "left", "top", "right", "bottom"]
    assert Schema(NAMES, layout="line").names == BASE
    assert Schema(NAMES, layout="page").names == ["path", "page", *numbers, *BASE[1:]]
    paged = Schema(NAMES, has_pages=True, has_regions=True)
    assert paged.names == ["path", "page", "region", *BASE[1:]]
    full = Schema(
        NAMES, has_labels=True, layout="line", has_regions=True, has_characters=True
    )
    assert full.names == ["path", "region", *BASE[1:], "label", "characters"]
    integers = [c.name for c in paged.columns if c.kind == "integer"]
    assert integers == ["page"]


def test_a_box_is_rounded_outward_to_whole_pixels():
    character = CharacterReading("7", 0.75, "1", (1.5, 2.0, 3.25, 4.0), 0)
    number = NumberPrediction(
        "p", 3, "", 2, (1.5, 2.0, 9.75, 4.0), "07", 0.5, "ok", "", (character,)
    )
    schema = Schema(NAMES, layout="page", has_characters=True)
    row = schema.make_row(FILE, number, "", Source("p", 3))
    assert row.place == (3, 2, 1, 2, 10, 4)
    assert row.prediction == "07"
    assert row.extra == (
        '[{"box": [1, 2, 4, 4], "prediction": "7", "confidence": 0.750000, '
        '"runner_up": "1"}]',
    )


def test_the_only_page_of_a_file_is_the_first():
    schema = Schema(NAMES, has_pages=True, has_regions=True)
    prediction = Prediction("p", "one", 0.5, "ok", "")
    assert schema.make_row(FILE, prediction, "").place == (1, None)
    region = Region(0, 0, 1, 1, "id")
    source = Source("p", None, region)
    assert schema.make_row(FILE, prediction, "", source).place == (1, "id")
