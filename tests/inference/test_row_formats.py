"""CSV, JSON lines and Parquet: the same rows, recovered when torn."""

import dataclasses
import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from cnn.config import InferConfig
from cnn.inference import local_engine, row_formats, row_writer
from cnn.inference.csv_lines import read_csv_rows
from cnn.inference.row_formats import CsvFormat, JsonLinesFormat, ParquetFormat
from cnn.inference.schema import Row, Schema
from tests.inference.conftest import settings

SCHEMA = Schema(("a", "b"), has_labels=True, top_k=2, has_probabilities=True)
TEXTS = st.text("ab7,\"'\r\n=-\udcff ü", min_size=1, max_size=6)
NUMBERS = st.integers(0, 10**6).map(lambda n: n / 10**6)
OTHER_NUMBER = st.none() | NUMBERS
ROWS = st.builds(
    Row,
    path=TEXTS,
    prediction=st.none() | TEXTS,
    confidence=OTHER_NUMBER,
    status=st.just("ok"),
    detail=st.none() | TEXTS,
    label=st.none() | TEXTS,
    extra=st.tuples(st.none() | TEXTS, OTHER_NUMBER, OTHER_NUMBER, OTHER_NUMBER),
    place=st.just(()),
)
EXAMPLE = Row("a,b.png", "7", 0.5, "unsure", 'says "7"')
BLANK = Row("c.png", None, None, "blank", "no ink found")


def read_torn(row_format, data: bytes) -> list[tuple[Row, int]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return list(row_format.recover(Path(file.name)))


def test_every_format_of_the_command_line_is_registered():
    choices = get_args(get_type_hints(InferConfig)["format"])[0]
    assert set(get_args(choices)) == set(row_formats.ROW_FORMATS)


@pytest.mark.parametrize(
    ("output", "wanted", "expected"),
    [
        (None, None, CsvFormat),
        ("o.txt", None, CsvFormat),
        ("o.JSONL", None, JsonLinesFormat),
        ("o.parquet", None, ParquetFormat),
        ("o.parquet", "csv", CsvFormat),
        (None, "jsonl", JsonLinesFormat),
    ],
)
def test_the_format_is_the_wanted_one_or_that_of_the_extension(
    output, wanted, expected
):
    path = None if output is None else Path(output)
    assert row_formats.infer_format(path, wanted) is expected


def test_csv_rows_by_hand():
    row_format = CsvFormat(Schema(("7",)))
    assert row_format.header() == b"path,prediction,confidence,status,detail\n"
    assert row_format.encode([EXAMPLE, BLANK]) == (
        b'"a,b.png",7,0.500000,unsure,"says ""7"""\nc.png,,,blank,no ink found\n'
    )


def test_json_rows_by_hand():
    row_format = JsonLinesFormat(Schema(("7",)))
    assert row_format.header() == b""
    assert row_format.encode([EXAMPLE, BLANK]) == (
        b'{"path": "a,b.png", "prediction": "7", "confidence": 0.500000, '
        b'"status": "unsure", "detail": "says \\"7\\""}\n'
        b'{"path": "c.png", "prediction": null, "confidence": null, '
        b'"status": "blank", "detail": "no ink found"}\n'
    )


def test_parquet_rows_by_hand():
    file = io.BytesIO()
    odd = EXAMPLE._replace(path=os.fsdecode(b"\xff.png"))
    ParquetFormat(Schema(("7",))).write_file([odd, BLANK], file)
    table = parquet.read_table(io.BytesIO(file.getvalue()))
    names = ["path", "prediction", "confidence", "status", "detail"]
    assert table.to_pylist() == [
        dict(zip(names, row, strict=True))
        for row in (
            ["\\xff.png", "7", 0.5, "unsure", 'says "7"'],
            ["c.png", None, None, "blank", "no ink found"],
        )
    ]
    types = {"string": {"path", "prediction", "status", "detail"}}
    types["double"] = {"confidence"}
    assert {
        str(t): {f.name for f in table.schema if f.type == t}
        for t in table.schema.types
    } == types


@pytest.mark.parametrize("kind", [CsvFormat, JsonLinesFormat, ParquetFormat])
@given(rows=st.lists(ROWS, max_size=5), cut=st.integers(0, 10**6))
def test_rows_are_recovered_wherever_the_file_is_torn(kind, rows, cut):
    row_format = kind(SCHEMA)
    data = row_format.header()
    expected = []
    for row in rows:
        data += row_format.encode([row])
        expected.append((row, len(data)))
    cut %= len(data) + 1
    found = read_torn(row_format, data[:cut])
    assert found == [(row, end) for row, end in expected if end <= cut]


@given(st.lists(ROWS, max_size=5))
def test_json_lines_are_json(rows):
    lines = JsonLinesFormat(SCHEMA).encode(rows).splitlines()
    parsed = [list(json.loads(line).values()) for line in lines]
    assert parsed == [list(SCHEMA.to_cells(row)) for row in rows]


@given(st.lists(ROWS, max_size=5))
def test_csv_lines_are_parsed_without_a_header(rows):
    row_format = CsvFormat(SCHEMA)
    assert list(row_format.parse(row_format.encode([row]) for row in rows)) == rows


@pytest.mark.parametrize("kind", [CsvFormat, JsonLinesFormat])
def test_rows_of_other_columns_are_refused(kind):
    other = kind(Schema(("7",)))
    data = other.header() + other.encode([EXAMPLE])
    with pytest.raises(
        row_formats.OutputError,
        match=r"has the columns path,.*,detail, where .*,label,prediction_2",
    ):
        read_torn(kind(SCHEMA), data)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (CsvFormat, b"a,7,half,ok,\n"),
        (CsvFormat, b"a,7\n"),
        (JsonLinesFormat, b"no JSON\n"),
    ],
)
def test_a_complete_line_that_is_no_row_is_an_error_of_one_line(kind, line, tmp_path):
    row_format = kind(Schema(("7",)))
    output = tmp_path / "o"
    row_writer.partial_path(output).write_bytes(row_format.header() + line)
    with pytest.raises(row_formats.OutputError, match=r"cannot be continued: .*anew$"):
        list(row_writer.read_partial_rows(output, row_format))


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_other_formats_hold_the_same_rows_and_are_continued(
    scans, trained, tmp_path, ending
):
    folder = tmp_path / "scans"
    shutil.copytree(scans, folder)
    shutil.copy(folder / "scan0.png", folder / os.fsdecode(b"zz\xff.png"))
    out, table = tmp_path / f"o.{ending}", tmp_path / "o.csv"
    local_engine.predict_folder(
        settings(folder, trained, table, top_k=2, probabilities=True)
    )
    config = settings(folder, trained, out, top_k=2, probabilities=True)
    local_engine.predict_folder(config)
    whole = out.read_bytes()
    names, *rows = [row for row, _ in read_csv_rows(io.BytesIO(table.read_bytes()))]
    texts = {"path", "prediction", "status", "detail", "prediction_2"}
    expected = [
        {
            n: (c if n in texts else float(c)) if c else None
            for n, c in zip(names, row, strict=True)
        }
        for row in rows
    ]
    if ending == "jsonl":
        assert [json.loads(line) for line in whole.decode().splitlines()] == expected
        (tmp_path / "o.jsonl.partial").write_bytes(whole[: len(whole) // 2])
    else:
        expected[-1]["path"] = "zz\\xff.png"
        assert parquet.read_table(out).to_pylist() == expected
        (tmp_path / "o.parquet.partial").write_bytes(table.read_bytes()[:999])
    out.unlink()
    local_engine.predict_folder(dataclasses.replace(config, resume=True))
    assert out.read_bytes() == whole
    assert not row_writer.partial_path(out).exists()


PAGE_SCHEMA = Schema(("7",), layout="page", has_regions=True, has_characters=True)
CHARACTERS = '[{"box": [1, 2, 3, 4], "prediction": "\\u0663", "confidence": 0.500000}]'
NUMBER = Row(
    "a,b.png",
    "007",
    0.5,
    "ok",
    None,
    extra=(CHARACTERS,),
    place=(2, 'a "name", 1', 1, 10, 20, 30, 40),
)
NO_NUMBER = Row(
    "c.png",
    None,
    None,
    "blank",
    "no number found",
    extra=("[]",),
    place=(3, "x", None, None, None, None, None),
)


@pytest.mark.parametrize("kind", [CsvFormat, JsonLinesFormat, ParquetFormat])
def test_numbers_are_recovered_with_their_places_and_characters(kind):
    row_format = kind(PAGE_SCHEMA)
    data = row_format.header() + row_format.encode([NUMBER, NO_NUMBER])
    for cut in range(len(data) + 1):
        rows = [row for row, _ in read_torn(row_format, data[:cut])]
        assert rows == [NUMBER, NO_NUMBER][: len(rows)]
        for row in rows:
            assert all(type(cell) in (int, str, type(None)) for cell in row.place)
    assert len(rows) == 2


def test_integers_and_characters_by_hand():
    json_row = json.loads(JsonLinesFormat(PAGE_SCHEMA).encode([NUMBER]))
    assert json_row["characters"] == [
        {"box": [1, 2, 3, 4], "prediction": "\u0663", "confidence": 0.5}
    ]
    assert (json_row["page"], json_row["left"]) == (2, 10)
    assert type(json_row["bottom"]) is int
    csv_row = CsvFormat(PAGE_SCHEMA).encode([NO_NUMBER])
    assert csv_row == b"c.png,3,x,,,,,,,,blank,no number found,[]\n"
    file = io.BytesIO()
    ParquetFormat(PAGE_SCHEMA).write_file([NUMBER, NO_NUMBER], file)
    table = parquet.read_table(io.BytesIO(file.getvalue()))
    assert {name: str(table.schema.field(name).type) for name in ("page", "left")} == {
        "page": "int64",
        "left": "int64",
    }
    first, second = table.to_pylist()
    assert (first["prediction"], first["left"], second["left"]) == ("007", 10, None)
    assert first["characters"] == CHARACTERS
