import csv
import io
import subprocess

import pytest

from tests.conftest import command
from tests.serving.page.browser import (
    NUMBER_SAMPLES,
    SAMPLES,
    card,
    choose_layout,
    download_csv,
    drop,
    give_files,
    wait_until_read,
)


def infer(tmp_path, *arguments) -> bytes:
    """Returns the CSV that bin/infer writes."""
    output = tmp_path / "expected.csv"
    flags = ("--labels", "none", "--plot", "none", "--output", output)
    subprocess.run(
        command("infer", *arguments, *flags),
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
    )
    return output.read_bytes()


def files_of(page) -> list[str]:
    return page.get_by_role("rowheader").all_inner_texts()


def show_table(page) -> None:
    page.get_by_role("radio", name="Table").check()


def test_the_csv_is_that_of_bin_infer(page, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for sample in SAMPLES.iterdir():
        (folder / sample.name).write_bytes(sample.read_bytes())
    (folder / "notes.txt").write_text("no picture")
    (folder / "page 10.png").write_bytes((SAMPLES / "mnist_1.png").read_bytes())
    (folder / "page 9, again.png").write_bytes((SAMPLES / "mnist_0.png").read_bytes())
    expected = infer(tmp_path, "--input", folder)
    drop(page, *sorted(folder.iterdir(), reverse=True))
    assert download_csv(page) == expected
    assert len(expected.splitlines()) == 1 + len(list(folder.iterdir()))


@pytest.mark.parametrize(
    ("choice", "layout"), [("one number", "line"), ("numbers", "page")]
)
def test_the_csv_of_numbers_is_that_of_bin_infer(page, tmp_path, choice, layout):
    names = ["number_0427.png", "touching_586.png", "two-pages.pdf"]
    paths = [NUMBER_SAMPLES / name for name in names]
    folder = tmp_path / "numbers"
    folder.mkdir()
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
    expected = infer(tmp_path, "--input", folder, "--layout", layout)
    choose_layout(page, choice)
    drop(page, *paths)
    assert download_csv(page) == expected


def test_another_layout_reads_everything_again(page):
    drop(page, NUMBER_SAMPLES / "number_0427.png")
    number = card(page, "number_0427.png")
    assert number.locator(".prediction").count() == 1
    choose_layout(page, "one number")
    number.locator(".tile").nth(3).wait_for()
    assert number.locator(".number strong").inner_text() == "0427"
    assert number.locator(".tile span").all_inner_texts() == list("0427")
    assert number.locator(".tile img").count() == 4


def test_each_number_of_a_page_has_its_box_and_the_selected_one_its_characters(page):
    choose_layout(page, "numbers")
    drop(page, NUMBER_SAMPLES / "two-pages.pdf")
    pages = card(page, "two-pages.pdf").locator(".preview")
    pages.nth(1).locator(".picture").wait_for()
    shown = pages.first
    numbers = shown.locator(".number strong").all_inner_texts()
    assert "30715" in numbers
    assert shown.locator("rect.number-box").count() == len(numbers)
    place = numbers.index("30715")
    shown.locator(".tiles").nth(place).get_by_role("button").nth(2).click()
    assert shown.locator("rect.character-box:visible").count() == 5
    assert shown.locator("h4").inner_text() == "Character 3 of 30715"
    assert shown.locator(".selected meter").count() == 10


def test_a_click_on_a_box_leads_to_the_field_for_the_right_character(page):
    choose_layout(page, "one number")
    drop(page, NUMBER_SAMPLES / "number_0427.png")
    number = card(page, "number_0427.png")
    number.locator("rect.character-box").nth(2).click()
    assert number.locator("h4").inner_text() == "Character 3 of 0427"
    focused = page.evaluate("document.activeElement.ariaLabel")
    assert focused == "The character is (character 3)"


def test_the_length_of_numbers_and_the_classes_are_options(page):
    page.get_by_text("What is known beforehand").click()
    assert page.get_by_label("Digits").is_hidden()
    choose_layout(page, "one number")
    drop(page, NUMBER_SAMPLES / "touching_586.png")
    page.get_by_label("Digits").fill("2")
    page.get_by_label("Digits").press("Enter")
    number = card(page, "touching_586.png")
    number.locator(".tiles:not(:has(.tile:nth-child(3)))").wait_for()
    assert len(number.locator(".number strong").inner_text()) == 2
    choose_layout(page, "one character")
    page.get_by_label("Classes that can occur").fill("1-3")
    page.get_by_label("Classes that can occur").press("Tab")
    number.locator(".bars li:nth-child(3):last-child").wait_for()
    names = number.locator(".bar-name").all_inner_texts()
    assert names == ["1", "2", "3"]


def test_an_option_that_is_wrong_is_explained(page):
    page.get_by_text("What is known beforehand").click()
    drop(page, SAMPLES / "mnist_7.png")
    page.get_by_label("Classes that can occur").fill("a-z")
    page.get_by_label("Classes that can occur").press("Enter")
    problem = card(page, "mnist_7.png").locator(".problem")
    problem.wait_for()
    assert "no class is in the range a-z" in problem.inner_text()


def test_the_table_is_filtered_by_status(page):
    blank = (SAMPLES / "mnist_7.png").read_bytes()
    give_files(page, "drop", {"a.txt": b"?", "b.png": blank, "c.txt": b"?"})
    wait_until_read(page, 3)
    show_table(page)
    options = page.get_by_role("combobox", name="Status")
    labels = options.locator("option").all_text_contents()
    assert labels == [
        "all (3)", "ok (1)", "unsure (0)", "blank (0)", "unreadable (2)", "not read (0)",
    ]  # fmt: skip
    options.select_option("unreadable")
    assert files_of(page) == ["a.txt", "c.txt"]
    options.select_option("ok")
    assert files_of(page) == ["b.png"]
    page.get_by_role("radio", name="Pictures").check()
    assert page.locator("#cards h3").all_inner_texts() == ["b.png"]


def test_the_table_is_sorted_by_confidence_and_name(page):
    names = ["16-bit_0.png", "large_3.png", "tinted_2.jpg", "cmyk_2.jpg", "scan_8.tiff"]
    give_files(
        page,
        "drop",
        {"none.txt": b"?"} | {name: (SAMPLES / name).read_bytes() for name in names},
    )
    wait_until_read(page, 6)
    show_table(page)
    rows = csv.DictReader(io.StringIO(download_csv(page).decode()))
    confidences = {r["path"]: float(r["confidence"]) for r in rows if r["confidence"]}
    header = page.get_by_role("columnheader", name="Confidence")
    rising = sorted(confidences, key=lambda name: confidences[name])
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert files_of(page) == [*rising, "none.txt"]
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert files_of(page) == [*reversed(rising), "none.txt"]
    page.get_by_role("columnheader", name="File").get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "none"
    assert files_of(page) == sorted(
        [*names, "none.txt"], key=lambda n: (n[0] != "1", n)
    )
    order = page.get_by_role("combobox", name="Order")
    assert order.input_value() == "name"


def test_removed_pictures_are_not_in_the_csv(page):
    drop(page, SAMPLES / "mnist_0.png", SAMPLES / "mnist_7.png")
    page.get_by_role("button", name="Remove mnist_0.png").click()
    rows = list(csv.DictReader(io.StringIO(download_csv(page).decode())))
    assert [(row["path"], row["prediction"]) for row in rows] == [("mnist_7.png", "7")]
    page.get_by_role("button", name="Remove all").click()
    page.get_by_text("Nothing here yet").wait_for()
    assert page.get_by_role("button", name="Download CSV").is_hidden()
