import csv
import io

import numpy as np
import pytest
from PIL import Image

from tests.serving.page.browser import (
    NUMBER_SAMPLES,
    SAMPLES,
    SEVEN,
    card,
    choose_layout,
    download_csv,
    draw,
    drop,
    give_files,
    serve,
    wait_until_read,
)


def correct(place, text: str) -> None:
    place.get_by_role("textbox").fill(text)
    place.get_by_role("textbox").press("Enter")


def labels(page) -> dict[str, tuple[str, str]]:
    """Returns the prediction and the label of each path in the CSV."""
    rows = csv.DictReader(io.StringIO(download_csv(page).decode()))
    return {row["path"]: (row["prediction"], row["label"]) for row in rows}


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


@pytest.fixture
def kept(corrections_dir):
    """Lists the pictures that were kept since the test began, by class."""
    before = set(corrections_dir.glob("*/*"))

    def list_new() -> dict:
        new = set(corrections_dir.glob("*/*")) - before
        return {path: path.parent.name for path in new}

    return list_new


def test_a_corrected_drawing_is_kept_in_the_folder_of_its_class(page, kept):
    draw(page, SEVEN)
    wait_until_read(page)
    drawing = card(page, "drawing 1.png")
    drawing.get_by_role("button", name="Read as 7").click()
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    drawing.get_by_text("Kept as 1/").wait_for()
    ((path, name),) = kept().items()
    assert name == "1"
    picture = pixels(path)
    assert picture.shape == (600, 800)
    assert picture[int(0.195 * 600), int(0.5 * 800)] == 0
    assert (picture == 255).mean() > 0.9
    assert labels(page) == {"drawing 1.png": ("7", "1")}


def test_a_picture_that_is_corrected_again_moves(page, kept):
    drop(page, SAMPLES / "mnist_2.png")
    picture = card(page, "mnist_2.png")
    correct(picture, "3")
    picture.get_by_text("Kept as 3/").wait_for()
    correct(picture, "5")
    picture.get_by_text("Kept as 5/").wait_for()
    assert list(kept().values()) == ["5"]
    assert labels(page)["mnist_2.png"] == ("2", "5")


def test_a_page_of_a_document_is_kept_alone(page, kept):
    digits = []
    for digit in (0, 1):
        with Image.open(SAMPLES / f"mnist_{digit}.png") as image:
            digits.append(image.copy())
    file = io.BytesIO()
    digits[0].save(file, "TIFF", save_all=True, append_images=digits[1:])
    give_files(page, "drop", {"two.tiff": file.getvalue()})
    wait_until_read(page)
    pages = card(page, "two.tiff").locator(".preview")
    pages.nth(1).locator(".picture").wait_for()
    correct(pages.nth(1), "4")
    pages.nth(1).get_by_text("Kept as 4/").wait_for()
    ((path, _),) = kept().items()
    np.testing.assert_array_equal(pixels(path), np.asarray(digits[1]))
    rows = csv.DictReader(io.StringIO(download_csv(page).decode()))
    assert [(row["page"], row["label"]) for row in rows] == [("1", ""), ("2", "4")]


def test_a_wrong_digit_of_a_number_is_kept_as_the_network_saw_it(page, kept):
    choose_layout(page, "one number")
    drop(page, NUMBER_SAMPLES / "touching_586.png")
    number = card(page, "touching_586.png")
    read = "".join(number.locator(".tile span").all_inner_texts())
    number.locator(".tile").nth(1).click()
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    number.get_by_text("Kept as 8/").wait_for()
    ((path, name),) = kept().items()
    assert name == "8"
    assert pixels(path).shape == (28, 28)
    assert number.locator(".tile span").all_inner_texts() == [read[0], "8", read[2]]
    expected = f"{read[0]}8{read[2]}"
    assert labels(page) == {"touching_586.png": (read, expected)}


def test_a_whole_number_is_corrected_in_the_csv(page, kept):
    choose_layout(page, "one number")
    drop(page, NUMBER_SAMPLES / "touching_586.png")
    number = card(page, "touching_586.png")
    field = number.get_by_role("textbox", name="The whole number is")
    field.fill("5860")
    field.press("Enter")
    number.get_by_text("Corrected to 5860").wait_for()
    assert labels(page)["touching_586.png"][1] == "5860"
    assert kept() == {}


def test_the_table_takes_corrections_too(page, kept):
    drop(page, SAMPLES / "mnist_0.png", SAMPLES / "mnist_7.png")
    page.get_by_role("radio", name="Table").check()
    row = page.get_by_role("row", name="mnist_7.png")
    correct(row, "9")
    row.locator(".label", has_text="9").wait_for()
    row.get_by_text("Kept as 9/").wait_for()
    assert list(kept().values()) == ["9"]
    assert labels(page) == {"mnist_0.png": ("0", ""), "mnist_7.png": ("7", "9")}


def test_a_class_that_the_model_lacks_is_asked_about_first(page, kept):
    drop(page, SAMPLES / "mnist_1.png")
    picture = card(page, "mnist_1.png")
    correct(picture, "l")
    assert "The model has no class “l”" in picture.locator(".form-hint").inner_text()
    assert kept() == {}
    picture.get_by_role("button", name="Save").click()
    picture.get_by_text("Kept as l/").wait_for()
    assert list(kept().values()) == ["l"]


def test_a_name_that_is_no_class_is_refused_with_the_reason(page, kept):
    drop(page, SAMPLES / "mnist_1.png")
    picture = card(page, "mnist_1.png")
    correct(picture, "train")
    correct(picture, "train")
    remark = picture.locator(".remark", has_text="no class")
    remark.wait_for()
    assert "train is a split" in remark.inner_text()
    assert kept() == {}


def test_a_correction_outlives_another_layout(page):
    drop(page, SAMPLES / "mnist_2.png")
    picture = card(page, "mnist_2.png")
    correct(picture, "3")
    picture.get_by_text("Corrected to 3").wait_for()
    choose_layout(page, "one number")
    picture.locator(".tiles").wait_for()
    choose_layout(page, "one character")
    picture.get_by_text("Corrected to 3").wait_for()


def test_without_a_folder_for_corrections_the_page_says_that_none_are_kept(open_page):
    with serve() as url:
        page = open_page(url)
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        assert "read and forgotten" in page.locator("#about").inner_text()
        drop(page, SAMPLES / "mnist_2.png")
        picture = card(page, "mnist_2.png")
        correct(picture, "3")
        picture.get_by_text("The server keeps no pictures").wait_for()
        assert not any("corrections" in address for address in requests)
        assert labels(page) == {"mnist_2.png": ("2", "3")}
