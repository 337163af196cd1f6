"""The page by keyboard, with a screen reader, on small screens and in the dark."""

import itertools

import pytest

from tests.serving.page.browser import (
    NUMBER_SAMPLES,
    SAMPLES,
    SEVEN,
    card,
    choose_layout,
    draw,
    drop,
    give_files,
    wait_until_read,
)

CONTROLS = "button, input:not([type=file]), select, summary"
# Contrast of text, and of large text, by WCAG 2.2, 1.4.3.
MIN_CONTRAST = 4.5
# Side of a target, by WCAG 2.2, 2.5.8, in pixels.
MIN_TARGET = 24


def fill(page) -> None:
    """Fills a page with results of every status."""
    give_files(
        page,
        "drop",
        {
            "a name that is long enough to need two lines on a telephone.jpg": (
                SAMPLES / "sideways_4.jpg"
            ).read_bytes(),
            "averylongnamewithoutanyspacethatcannotbebrokenatawordatall.txt": b"?",
        },
    )
    wait_until_read(page, 2)
    draw(page, SEVEN)
    wait_until_read(page, 3)
    page.locator("details").evaluate_all("all => all.forEach((d) => (d.open = true))")


def press_tab_through(page, times: int = 200) -> list[str]:
    """Presses Tab until the focus leaves the page, and describes what has it in turn."""
    described = []
    for _ in range(times):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
              const focused = document.activeElement;
              if (focused === document.body) return null;
              const shown = focused.matches("input[type=radio]")
                ? focused.nextElementSibling : focused;
              const style = getComputedStyle(shown);
              const isVisible = style.outlineStyle !== "none"
                && parseFloat(style.outlineWidth) >= 2;
              const name = focused.ariaLabel || focused.id || focused.name
                || focused.textContent;
              return [name, isVisible];
            }"""
        )
        if found is None:
            return described
        name, is_visible = found
        assert is_visible, name
        described.append(name)
    raise AssertionError(f"the focus does not leave the page: {described}")


def test_a_picture_is_chosen_read_corrected_and_downloaded_by_keyboard(page):
    def tab_to(name: str) -> None:
        focused = page.get_by_role("button", name=name).and_(page.locator(":focus"))
        for _ in range(60):
            page.keyboard.press("Tab")
            if focused.count():
                return
        raise AssertionError(f"{name} is not reached")

    tab_to("Choose files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(SAMPLES / "mnist_2.png")
    wait_until_read(page)
    tab_to("Read as 2")
    page.keyboard.press("Enter")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    card(page, "mnist_2.png").get_by_text("Corrected to 3").wait_for()
    page.keyboard.press("Shift+Tab")
    focused = page.evaluate("document.activeElement.className")
    assert focused == "prediction"
    page.locator("#pen-width").focus()
    tab_to("Download CSV")
    with page.expect_download():
        page.keyboard.press("Enter")


def test_the_focus_is_visible_everywhere_in_order_and_never_trapped(page):
    drop(page, SAMPLES / "mnist_2.png")
    order = press_tab_through(page)
    expected = [
        "Skip to the results", "layout", "What is known beforehand", "pen-width",
        "choose-files", "choose-folder", "use-camera", "download", "remove-all", "view",
        "filter", "order", "Remove mnist_2.png", "Read as 2. Correct it",
        "Wrong? It is (mnist_2.png)", "Save", "What the answers mean",
    ]  # fmt: skip
    assert order == expected


def test_the_layout_is_changed_by_arrow_keys(page):
    drop(page, NUMBER_SAMPLES / "number_0427.png")
    page.get_by_role("radio", name="one character").focus()
    page.keyboard.press("ArrowRight")
    card(page, "number_0427.png").locator(".tile").nth(3).wait_for()
    assert page.get_by_role("radio", name="one number").is_checked()


def test_the_focus_stays_on_the_page_when_its_element_is_removed(page):
    drop(page, SAMPLES / "mnist_0.png", SAMPLES / "mnist_7.png")
    page.get_by_role("button", name="Remove mnist_0.png").press("Enter")
    assert page.evaluate("document.activeElement.id") == "results"


def test_every_control_and_picture_has_a_name_and_the_page_landmarks(page):
    fill(page)
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    named = {
        "button", "textbox", "combobox", "radio", "slider", "meter", "image", "img",
        "region", "article", "table", "navigation", "dialog",
    }  # fmt: skip
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree["nodes"]
        if not node["ignored"]
    ]
    nameless = [role for role, name in nodes if role in named and not name.strip()]
    assert nameless == []
    roles = [role for role, _ in nodes]
    assert {"banner", "main", "region", "article", "status", "meter"} <= set(roles)
    assert roles.count("main") == 1
    headings = page.locator("h1, h2, h3, h4").evaluate_all(
        "all => all.map((heading) => Number(heading.tagName[1]))"
    )
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(headings))


def test_results_are_announced(page):
    live = page.locator("#live")
    assert live.get_attribute("aria-live") == "polite"
    drop(page, SAMPLES / "mnist_0.png", SAMPLES / "mnist_7.png")
    page.locator("#live", has_text="2 files: 2 ok").wait_for()


def test_the_table_has_headers_of_columns_and_rows(page):
    drop(page, SAMPLES / "mnist_7.png")
    page.get_by_role("radio", name="Table").check()
    table = page.get_by_role("table")
    headers = table.locator("thead th").evaluate_all("all => all.map((th) => th.scope)")
    assert set(headers) == {"col"}
    assert table.locator("tbody th").get_attribute("scope") == "row"
    assert table.get_by_role("textbox").get_attribute("aria-label") == (
        "Right answer for mnist_7.png"
    )


@pytest.mark.parametrize("view", ["Pictures", "Table"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overlaps_or_leaves_the_screen(open_page, width, view):
    page = open_page(viewport={"width": width, "height": 800})
    fill(page)
    page.get_by_role("radio", name=view).check()
    if view == "Pictures":
        page.locator("article").nth(2).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    boxes = page.locator(f":is({CONTROLS}, h3):visible").evaluate_all(
        """all => all.filter((control) => !control.closest(".table-frame, .skip"))
          .map((control) => {
            const { left, top, right, bottom } = control.getBoundingClientRect();
            return { name: control.outerHTML.slice(0, 80), left, top, right, bottom };
          })"""
    )
    assert len(boxes) > 15
    for box in boxes:
        assert box["left"] >= 0, box
        assert box["right"] <= width, box
    for a, b in itertools.combinations(boxes, 2):
        is_apart = (
            a["right"] <= b["left"] + 1
            or b["right"] <= a["left"] + 1
            or a["bottom"] <= b["top"] + 1
            or b["bottom"] <= a["top"] + 1
        )
        assert is_apart, (a, b)


def test_targets_of_a_finger_are_large_enough(open_page):
    page = open_page(viewport={"width": 360, "height": 800})
    fill(page)
    sizes = page.locator(f":is({CONTROLS}):visible").evaluate_all(
        """all => all.map((control) => {
          const { width, height } = control.getBoundingClientRect();
          return [control.outerHTML.slice(0, 80), width, height];
        })"""
    )
    small = [s for s in sizes if min(s[1:]) < MIN_TARGET]
    assert small == []


def luminance(color: tuple[float, ...]) -> float:
    """Computes the relative luminance of a color, as WCAG 2.2 defines it."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in color[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def texts_and_colors(page) -> list[tuple[str, list[float], list[float]]]:
    """Returns each visible text with its color and the color behind it."""
    return page.evaluate(
        """() => {
          const parse = (color) => color.match(/[0-9.]+/g).map(Number);
          const behind = (element) => {
            for (let at = element; at; at = at.parentElement) {
              const color = parse(getComputedStyle(at).backgroundColor);
              if (color[3] !== 0) return color;
            }
            return [255, 255, 255];
          };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            const text = walker.currentNode.textContent.trim();
            const isShown = element.checkVisibility({ visibilityProperty: true });
            // WCAG excepts controls that are switched off.
            if (!text || !isShown || element.closest(":disabled, option")) continue;
            found.push([text, parse(getComputedStyle(element).color), behind(element)]);
          }
          return found;
        }"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_contrast_of_every_text_is_that_of_wcag_aa(open_page, scheme):
    page = open_page(color_scheme=scheme)
    fill(page)
    found = texts_and_colors(page)
    assert {"ok", "unreadable", "Choose files", "Sure enough."} <= {
        t for t, *_ in found
    }
    weak = [t for t, color, behind in found if contrast(color, behind) < MIN_CONTRAST]
    assert weak == []


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_color_scheme_of_the_system(open_page, scheme, is_dark):
    page = open_page(color_scheme=scheme)
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [float(c) for c in color[4:-1].split(",")]
    assert (luminance(tuple(channels)) < 0.1) == is_dark


def test_nothing_moves_for_people_who_want_less_motion(open_page):
    page = open_page(reduced_motion="reduce")
    drop(page, SAMPLES / "mnist_7.png")
    moving = page.locator("*").evaluate_all(
        """all => all.filter((element) => {
          const style = getComputedStyle(element);
          return style.animationName !== "none" || parseFloat(style.transitionDuration);
        }).length"""
    )
    assert moving == 0


def test_a_page_of_numbers_fits_on_a_telephone(open_page):
    page = open_page(viewport={"width": 360, "height": 800})
    choose_layout(page, "numbers")
    drop(page, NUMBER_SAMPLES / "two-pages.pdf")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
