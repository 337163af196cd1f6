import base64
import io
import itertools

import numpy as np
import pytest
from PIL import Image

from tests.serving.page.browser import (
    LINE_BELOW,
    SEVEN,
    card,
    draw,
    on_paper,
    wait_until_read,
)


def shown_pixels(page) -> np.ndarray:
    """Returns the gray pixels of the paper on the screen."""
    return to_pixels(page.evaluate("document.querySelector('#pad').toDataURL()"))


def to_pixels(url: str) -> np.ndarray:
    data = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def count_ink(page) -> int:
    return int((shown_pixels(page) < 128).sum())


def test_a_drawn_seven_is_read_as_soon_as_its_stroke_has_ended(page):
    draw(page, SEVEN)
    wait_until_read(page)
    drawing = card(page, "drawing 1.png")
    assert drawing.get_by_role("button", name="Read as 7").inner_text() == "7"
    assert page.locator("#readout").inner_text().startswith("read as 7, 9")
    assert page.locator("#live").text_content().startswith("drawing 1.png: read as 7")


def test_the_ink_its_box_the_network_input_and_ten_bars_are_beside_a_drawing(page):
    draw(page, SEVEN)
    wait_until_read(page)
    drawing = card(page, "drawing 1.png")
    picture = drawing.locator(".picture").bounding_box()
    box = drawing.locator("rect.character-box").bounding_box()
    left = (box["x"] - picture["x"]) / picture["width"]
    bottom = (box["y"] + box["height"] - picture["y"]) / picture["height"]
    # The ends of the strokes, and half of the pen's width.
    assert left == pytest.approx(0.33 - 14 / 800, abs=0.03)
    assert bottom == pytest.approx(0.83 + 14 / 600, abs=0.03)
    assert drawing.locator(".mask").evaluate(
        "mask => getComputedStyle(mask).maskImage.startsWith('url(\"data:image/png')"
    )
    image = drawing.get_by_alt_text("28 by 28 pixels")
    assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [28, 28]
    meters = drawing.locator("meter").evaluate_all("all => all.map((m) => m.value)")
    assert np.argmax(meters) == 7
    assert sum(meters) == pytest.approx(1, abs=1e-4)
    names = drawing.get_by_role("meter").evaluate_all(
        "all => all.map((m) => m.ariaLabel)"
    )
    assert names == [f"class {digit}" for digit in range(10)]


def test_a_finger_draws_and_does_not_scroll_the_page(open_page):
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    session = page.context.new_cdp_session(page)
    points = on_paper(page, SEVEN)
    scrolled = page.evaluate("scrollY")

    def touch(kind: str, *point: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in point]
        event = {"type": kind, "touchPoints": touches}
        session.send("Input.dispatchTouchEvent", event)

    touch("touchStart", points[0])
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        for part in (0.25, 0.5, 0.75, 1):
            touch("touchMove", (x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
    touch("touchEnd")
    wait_until_read(page)
    assert page.locator("#readout").inner_text().startswith("read as 7")
    assert page.evaluate("scrollY") == scrolled


@pytest.mark.parametrize("pressures", [(0.2, 0.9)])
def test_a_pen_that_is_pressed_harder_draws_a_wider_line(page, pressures):
    session = page.context.new_cdp_session(page)
    areas = []
    for pressure in pressures:
        for kind, (x, y) in zip(
            ("mousePressed", "mouseMoved", "mouseReleased"),
            on_paper(page, [(0.2, 0.5), (0.8, 0.5), (0.8, 0.5)]),
            strict=True,
        ):
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1}
            pen = {"pointerType": "pen", "force": pressure, "clickCount": 1}
            session.send("Input.dispatchMouseEvent", event | pen)
        areas.append(count_ink(page))
        page.get_by_role("button", name="Clear").click()
    assert areas[1] > 1.5 * areas[0] > 0


def test_the_pen_width_changes_the_next_stroke_only(page):
    draw(page, LINE_BELOW)
    narrow = count_ink(page)
    page.get_by_label("Pen width").fill("56")
    assert count_ink(page) == narrow
    page.get_by_role("button", name="Undo").click()
    draw(page, LINE_BELOW)
    # 56 is twice the width at first. The round ends grow more than that.
    assert 1.9 < count_ink(page) / narrow < 2.4


def test_undo_takes_back_one_stroke_and_its_reading(page):
    draw(page, SEVEN)
    before = shown_pixels(page)
    draw(page, LINE_BELOW)
    assert (shown_pixels(page) != before).any()
    page.get_by_role("button", name="Undo").click()
    np.testing.assert_array_equal(shown_pixels(page), before)
    readout = page.locator("#readout", has_text="read as 7")
    readout.wait_for()
    page.get_by_role("button", name="Undo").click()
    assert (shown_pixels(page) == 255).all()
    card(page, "drawing 1.png").wait_for(state="detached")


def test_clear_takes_back_all_strokes_and_the_result(page):
    draw(page, SEVEN, LINE_BELOW)
    wait_until_read(page)
    page.get_by_role("button", name="Clear").click()
    card(page, "drawing 1.png").wait_for(state="detached")
    assert (shown_pixels(page) == 255).all()
    assert page.locator("#readout").inner_text() == ""
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_another_drawing_leaves_the_first_among_the_results(page):
    draw(page, SEVEN)
    page.get_by_role("button", name="Draw another").click()
    page.locator("#next:disabled").wait_for()
    draw(page, [(0.5, 0.15), (0.49, 0.5), (0.5, 0.85)])
    wait_until_read(page, 2)
    seven = card(page, "drawing 1.png").get_by_role("button", name="Read as 7")
    one = card(page, "drawing 2.png").get_by_role("button", name="Read as 1")
    assert (seven.inner_text(), one.inner_text()) == ("7", "1")


def test_the_drawing_is_sent_black_on_white_in_the_dark_too(open_page):
    page = open_page(color_scheme="dark")
    draw(page, SEVEN)
    wait_until_read(page)
    assert shown_pixels(page)[0, 0] < 64
    picture = card(page, "drawing 1.png").locator(".picture img")
    sent = to_pixels(picture.get_attribute("src"))
    assert sent.shape == (600, 800)
    assert sent[0, 0] > 250
    assert sent[int(0.195 * 600), int(0.5 * 800)] < 5
