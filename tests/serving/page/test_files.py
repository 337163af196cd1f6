import functools
import io

import pytest
from PIL import Image, ImageDraw

from tests import pdf_files
from tests.serving.page.browser import (
    NUMBER_SAMPLES,
    SAMPLES,
    card,
    drop,
    give_files,
    wait_until_read,
)

PHOTO = SAMPLES / "sideways_4.jpg"


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def read_as(page, name: str) -> list[str]:
    """Returns what was read of a file, by page."""
    return card(page, name).locator(".prediction").all_inner_texts()


def test_a_photograph_and_every_page_of_a_pdf_that_are_dropped_are_read(page, tmp_path):
    pdf = tmp_path / "two.pdf"
    one = b"36 36 m 42 36 l 42 108 l 36 108 l f"
    box = b"0 0 72 144"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>",
        pdf_files.page(b"4 0 R", box),
        pdf_files.stream(pdf_files.SEVEN),
        pdf_files.page(b"6 0 R", box),
        pdf_files.stream(one),
    ]
    pdf.write_bytes(pdf_files.write_pdf(objects))
    drop(page, PHOTO, pdf)
    assert read_as(page, "sideways_4.jpg") == ["4"]
    assert read_as(page, "two.pdf") == ["7", "1"]
    places = card(page, "two.pdf").locator(".place").all_inner_texts()
    assert places == ["Page 1", "Page 2"]


def test_the_box_and_the_mask_lie_on_the_upright_photograph(page):
    drop(page, PHOTO)
    photo = card(page, PHOTO.name)
    # EXIF has the photograph turned by a quarter: the page shows it upright.
    with Image.open(PHOTO) as image:
        stored = image.size
    shown = photo.locator(".picture img").evaluate(
        "image => [image.naturalWidth, image.naturalHeight]"
    )
    assert shown[0] / shown[1] == pytest.approx(stored[1] / stored[0], rel=0.01)
    picture, box, mask = (
        photo.locator(selector).bounding_box()
        for selector in (".picture", "rect.character-box", ".mask")
    )
    assert mask["width"] == pytest.approx(picture["width"], abs=3)
    assert picture["x"] < box["x"]
    assert box["x"] + box["width"] < picture["x"] + picture["width"]
    assert picture["y"] < box["y"]
    assert box["y"] + box["height"] < picture["y"] + picture["height"]


def test_a_picture_that_is_pasted_is_read(page):
    give_files(page, "paste", {"image.png": (SAMPLES / "mnist_2.png").read_bytes()})
    wait_until_read(page)
    assert read_as(page, "image.png") == ["2"]


def test_files_of_one_name_get_names_of_their_own(page):
    for count, digit in ((1, 2), (2, 7)):
        content = (SAMPLES / f"mnist_{digit}.png").read_bytes()
        give_files(page, "paste", {"image.png": content})
        wait_until_read(page, count)
    assert read_as(page, "image.png") == ["2"]
    assert read_as(page, "image (2).png") == ["7"]


def test_a_heic_file_that_is_chosen_is_read_as_a_number(page):
    page.get_by_role("radio", name="one number").check()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(NUMBER_SAMPLES / "sideways_7350.heic")
    wait_until_read(page)
    number = card(page, "sideways_7350.heic").locator(".number strong")
    assert number.inner_text() == "7350"


def test_a_folder_is_read_without_hidden_files_in_natural_order(page, tmp_path):
    folder = tmp_path / "photos"
    for name in ("9.png", "10.png", ".hidden.png", "more/1.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((SAMPLES / "mnist_1.png").read_bytes())
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(folder)
    wait_until_read(page, 3)
    names = page.locator("#cards h3").all_inner_texts()
    assert names == ["9.png", "10.png", "more/1.png"]


def test_a_file_name_is_shown_as_text_whatever_it_contains(page, tmp_path):
    name = "<img src=x onerror=alert(1)>\"&'.png"
    give_files(page, "drop", {name: (SAMPLES / "mnist_0.png").read_bytes()})
    wait_until_read(page)
    assert read_as(page, name) == ["0"]
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("radio", name="Table").check()
    assert page.get_by_role("rowheader").all_inner_texts() == [name]


def test_blank_and_unreadable_files_say_in_plain_words_what_that_means(page):
    blank = png(Image.new("L", (200, 200), 255))
    give_files(page, "drop", {"empty.png": blank, "notes.txt": b"no picture"})
    wait_until_read(page, 2)
    empty, notes = card(page, "empty.png"), card(page, "notes.txt")
    assert empty.locator(".badge").inner_text() == "blank"
    assert empty.locator(".explanation").inner_text() == (
        "Nothing to read was found: no ink found."
    )
    assert notes.locator(".badge").inner_text() == "unreadable"
    assert "Not a picture that can be opened: not an image" in notes.inner_text()
    page.get_by_text("What the answers mean").click()
    meanings = dict(
        zip(
            page.locator("#meanings dt").all_inner_texts(),
            page.locator("#meanings dd").all_inner_texts(),
            strict=True,
        )
    )
    assert list(meanings) == ["ok", "unsure", "blank", "unreadable"]
    assert "letter, a blot or two characters" in meanings["unsure"]
    assert meanings["blank"] == "No ink was found that could be read."


def test_a_letter_is_unsure_and_says_so(page):
    letter = Image.new("L", (300, 300), 255)
    for line in ([(80, 60), (220, 240)], [(220, 60), (80, 240)]):
        ImageDraw.Draw(letter).line(line, fill=0, width=12)
    give_files(page, "drop", {"x.png": png(letter)})
    wait_until_read(page)
    text = card(page, "x.png").locator(".explanation").inner_text()
    assert text.startswith("Unsure, look at it yourself: confidence below ")


def test_the_camera_takes_a_picture_and_is_switched_off(page):
    page.get_by_role("button", name="Camera").click()
    dialog = page.get_by_role("dialog", name="Camera")
    # The camera has begun when the picture has a size.
    video = page.locator("#camera-video")
    while not video.evaluate("video => video.videoWidth"):
        page.wait_for_timeout(50)
    dialog.get_by_role("button", name="Take the picture").click()
    dialog.wait_for(state="hidden")
    wait_until_read(page)
    assert page.locator("#cards h3").inner_text() == "camera 1.jpg"
    assert video.evaluate("video => video.srcObject") is None


def test_without_access_to_the_camera_the_telephone_is_asked_for_a_picture(open_page):
    hide = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    page = open_page(script=hide)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Camera").click()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(PHOTO)
    wait_until_read(page)
    assert read_as(page, PHOTO.name) == ["4"]


def answer_busy(route, busy: list[int]) -> None:
    """Answers as a busy server, once for each status, and then lets requests through."""
    if busy:
        headers = {"Retry-After": "0"}
        route.fulfill(status=busy.pop(), headers=headers, json={"detail": "busy"})
    else:
        route.continue_()


def test_a_busy_server_is_asked_again(page):
    busy = [429, 503]
    page.route("**/read?*", functools.partial(answer_busy, busy=busy))
    drop(page, SAMPLES / "mnist_7.png")
    assert busy == []
    assert read_as(page, "mnist_7.png") == ["7"]


def test_a_file_that_could_not_be_sent_can_be_tried_again(page):
    page.route("**/read?*", lambda route: route.abort())
    drop(page, SAMPLES / "mnist_7.png")
    failed = card(page, "mnist_7.png")
    assert "The server does not answer" in failed.inner_text()
    page.unroute("**/read?*")
    failed.get_by_role("button", name="Read mnist_7.png again").click()
    failed.locator(".prediction").wait_for()
    assert read_as(page, "mnist_7.png") == ["7"]


def test_many_files_are_sent_four_at_a_time_and_shown_by_pages(page):
    content = (SAMPLES / "mnist_7.png").read_bytes()
    in_flight, most = set(), 0

    def begin(request) -> None:
        nonlocal most
        in_flight.add(request)
        most = max(most, len(in_flight))

    page.on("request", begin)
    page.on("requestfinished", lambda request: in_flight.discard(request))
    give_files(page, "drop", {f"{i}.png": content for i in range(300)})
    wait_until_read(page, 300)
    assert 1 < most <= 4
    assert page.locator("article").count() == 12
    assert page.get_by_text("Page 1 of 25").is_visible()
    page.get_by_role("button", name="Next").click()
    page.locator("article .picture").nth(11).wait_for()
    assert page.locator("#cards h3").first.inner_text() == "12.png"


def test_the_pictures_of_a_long_document_are_fetched_in_parts(page):
    digits = []
    for digit in (0, 1, 2, 7) * 5:
        with Image.open(SAMPLES / f"mnist_{digit}.png") as image:
            digits.append(image.copy())
    file = io.BytesIO()
    digits[0].save(file, "TIFF", save_all=True, append_images=digits[1:])
    give_files(page, "drop", {"twenty.tiff": file.getvalue()})
    wait_until_read(page)
    pages = card(page, "twenty.tiff")
    pages.locator(".picture").nth(7).wait_for()
    assert read_as(page, "twenty.tiff") == list("01270127")
    assert pages.locator(".place").last.inner_text() == "Page 8"
    for _ in range(2):
        pages.get_by_role("button", name="Next").click()
    pages.get_by_text("Page 17", exact=True).wait_for()
    pages.locator(".picture").nth(3).wait_for()
    assert read_as(page, "twenty.tiff") == list("0127")
    assert pages.get_by_alt_text("twenty.tiff, page 20").is_visible()
    page.get_by_role("radio", name="Table").check()
    assert page.get_by_role("rowheader").count() == 20


def test_a_file_that_is_too_large_is_not_sent(page):
    limit = page.evaluate("fetch('/model').then((r) => r.json())")["max_bytes"]
    page.on("request", lambda request: pytest.fail(request.url))
    page.evaluate(
        """(size) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(size)], "large.tiff"));
          const options = { bubbles: true, dataTransfer: transfer };
          document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        limit + 1,
    )
    text = card(page, "large.tiff").locator(".problem").inner_text()
    assert text.startswith("The file has ")
    assert " MB. The server takes " in text
