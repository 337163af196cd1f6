"""Rows of an interrupted run: which are kept, and what is read again."""

import csv
import io
import itertools

import pytest

from cnn.classifier import Prediction
from cnn.decoding import CharacterReading
from cnn.image_files.listing import InputFile, PathError
from cnn.inference.resume import continue_rows
from cnn.inference.row_formats import CsvFormat, JsonLinesFormat, ParquetFormat
from cnn.inference.row_writer import partial_path
from cnn.inference.schema import Schema
from cnn.inference.source_predictions import SourceResult
from cnn.number_prediction import NumberPrediction
from cnn.page_region import Region
from cnn.preprocessing.source import Source

TOP = Region(0, 0, 1, 0.5, "top")
BOTTOM = Region(0, 0.5, 1, 1, "bottom, 1")


def number(text, line=1, left=3.5):
    character = CharacterReading(text[:1], 0.75, "1", (left, 2.0, 9.0, 12.25), 0)
    box = (left, 2.0, 40.0, 12.25)
    return NumberPrediction("", 1, "", line, box, text, 0.5, "ok", "", (character,))


def nothing(status="blank"):
    return NumberPrediction("", 1, "", 1, None, "", 0.0, status, 'no "number",\nfound')


def make_results():
    """Several numbers on a page, none, and equal rows of neighbouring sources."""
    names = ["a.png", "=1+1.png", 'new\nline,"x"\r.tif', "b\udcff.tif"]
    results = []
    for name, page, region in itertools.product(names, (1, 2), (TOP, BOTTOM)):
        source = Source("/scans/" + name, page, region)
        numbers = [number("0427"), number("13", 2), number("7", 2, 50.0)]
        if page == 2:
            numbers = [nothing()] if region is TOP else [number("0427")]
        results.append(SourceResult(InputFile(source.path, name), source, numbers, ""))
    return results


PAGE_SCHEMA = Schema(tuple("0123456789"), layout="page", has_regions=True)
LINE_SCHEMA = Schema(
    tuple("0123456789"),
    layout="line",
    has_pages=True,
    has_regions=True,
    has_characters=True,
)


def rows_of(results, schema):
    return [row for result in results for row in result.make_rows(schema)]


def cuts_of(data: bytes) -> list[int]:
    """Places to tear a file: around the end of each line, and some inside each."""
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    around = {end + shift for end in ends for shift in (-1, 0, 1, 2)}
    return sorted(
        around.union(range(0, len(data), 13)).intersection(range(len(data) + 1))
    )


@pytest.mark.parametrize("kind", [CsvFormat, JsonLinesFormat, ParquetFormat])
def test_a_run_over_pages_goes_on_from_wherever_it_was_torn(kind, tmp_path):
    """The file is then that of an uninterrupted run."""
    row_format = kind(PAGE_SCHEMA)
    results = make_results()
    whole = row_format.header() + row_format.encode(rows_of(results, PAGE_SCHEMA))
    output = tmp_path / "o"
    seen = set()
    for cut in cuts_of(whole):
        partial_path(output).write_bytes(whole[:cut])
        counted = []
        items = iter([(result.file, result.source) for result in results])
        end, remaining = continue_rows(output, row_format, items, counted.append)
        left = list(remaining)
        assert len(counted) + len(left) == len(results)
        again = results[len(counted) :]
        assert left == [(result.file, result.source) for result in again]
        kept = whole[:end] if end else row_format.header()
        assert kept + row_format.encode(rows_of(again, PAGE_SCHEMA)) == whole
        seen.add(len(counted))
    # The last source may lack rows, as far as anyone can tell.
    assert seen == set(range(len(results)))


@pytest.mark.parametrize("kind", [CsvFormat, JsonLinesFormat])
def test_a_line_is_one_row_and_is_kept(kind, tmp_path):
    row_format = kind(LINE_SCHEMA)
    results = [r._replace(predictions=r.predictions[:1]) for r in make_results()]
    rows = rows_of(results, LINE_SCHEMA)
    data = row_format.header() + row_format.encode(rows)
    partial_path(tmp_path / "o").write_bytes(data)
    counted = []
    items = iter([(result.file, result.source) for result in results])
    end, remaining = continue_rows(tmp_path / "o", row_format, items, counted.append)
    assert (end, list(remaining)) == (len(data), [])
    assert [result.source for result in counted] == [r.source for r in results]
    texts = [result.predictions[0].prediction for result in counted]
    assert texts == [r.predictions[0].prediction for r in results]


def test_the_box_of_a_number_is_counted_again(tmp_path):
    row_format = CsvFormat(PAGE_SCHEMA)
    results = make_results()[:2]
    data = row_format.header() + row_format.encode(rows_of(results, PAGE_SCHEMA))
    partial_path(tmp_path / "o").write_bytes(data)
    counted = []
    items = iter([(result.file, result.source) for result in results])
    continue_rows(tmp_path / "o", row_format, items, counted.append)
    last = counted[0].predictions[2]
    assert (last.line, last.box) == (2, (50, 2, 40, 13))
    assert (last.prediction, last.confidence, last.characters) == ("7", 0.5, ())


def test_rows_of_another_page_are_refused(tmp_path):
    schema = Schema(("7",), has_pages=True)
    row_format = CsvFormat(schema)
    prediction = Prediction("a", "7", 0.5, "ok", "")
    file = InputFile("/scans/a.pdf", "a.pdf")
    row = schema.make_row(file, prediction, "", Source(file.path, 2))
    partial_path(tmp_path / "o").write_bytes(
        row_format.header() + row_format.encode([row])
    )
    with pytest.raises(
        PathError, match=r"row 1 is of a\.pdf 2, where the folder has a\.pdf 1 now"
    ):
        continue_rows(
            tmp_path / "o", row_format, iter([(file, Source(file.path, 1))]), print
        )


@pytest.mark.parametrize(("prediction", "label"), [("7", ""), ("1", "7")])
def test_rows_of_a_class_that_is_none_now_are_refused(tmp_path, prediction, label):
    file = InputFile("/scans/a.png", "a.png")
    before = Schema(("1", "7"), has_labels=True)
    row = before.make_row(file, Prediction("a", prediction, 0.5, "ok", ""), label)
    row_format = CsvFormat(Schema(("0", "1"), has_labels=True))
    data = row_format.header() + row_format.encode([row])
    partial_path(tmp_path / "o").write_bytes(data)
    items = iter([(file, Source(file.path))])
    words = r"o\.partial: its row 1 has the class 7, which --model and --classes do not"
    with pytest.raises(PathError, match=words):
        continue_rows(tmp_path / "o", row_format, items, print)


def test_rows_of_pages_in_a_csv_are_parsed_by_any_reader():
    results = make_results()
    row_format = CsvFormat(PAGE_SCHEMA)
    data = row_format.header() + row_format.encode(rows_of(results, PAGE_SCHEMA))
    text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
    rows = list(csv.DictReader(text, strict=True))
    assert ",".join(rows[0]) == (
        "path,page,region,line,left,top,right,bottom,prediction,confidence,status,detail"
    )
    first = rows[0]
    assert [first[edge] for edge in ("line", "left", "top", "right", "bottom")] == [
        *("1", "3", "2", "40", "13")
    ]
    assert (first["prediction"], first["page"], first["region"]) == ("0427", "1", "top")
    blank = [row for row in rows if row["status"] == "blank"]
    assert len(blank) == 4
    assert {row["line"] + row["left"] + row["prediction"] for row in blank} == {""}
