import matplotlib as mpl
import pytest
from PIL import ImageFont

from cnn.plots.class_names import measure_width, shorten

FONT = f"{mpl.get_data_path()}/fonts/ttf/DejaVuSans.ttf"


@pytest.mark.parametrize("text", ["i", "W", "question_mark", "Ärger 1", "x" * 200])
def test_widths_are_those_of_pillow(text):
    points = ImageFont.truetype(FONT, 200).getlength(text) / 20
    assert measure_width(text, 10) == pytest.approx(points / 72, rel=0.03, abs=0.01)


@pytest.mark.parametrize("text", ["handwritten_left_curly_bracket", "W" * 9, "i" * 999])
def test_a_long_name_keeps_its_beginning_and_end(text):
    shortened = shorten(text, 0.8, 10)
    start, end = shortened.split("…")
    assert text.startswith(start)
    assert text.endswith(end)
    assert 0 <= len(start) - len(end) <= 1
    # One more letter would be too wide.
    assert 0.6 < measure_width(shortened, 10) <= 0.8


@pytest.mark.parametrize("text", ["", "a", "question_mark"])
def test_a_name_that_fits_stays(text):
    assert shorten(text, 1.5, 10) == text


def test_where_nothing_fits_the_ellipsis_is_left():
    assert shorten("WWWW", 0.01, 10) == "…"
