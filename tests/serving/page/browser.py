"""A server, and a page of it in headless Chromium, as a person uses them."""

import base64
import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT, command

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # A camera that shows a moving picture, and nobody who has to allow it.
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip
START_SECONDS = 60
READ_SECONDS = 120
SAMPLES = ROOT / "tests" / "samples"
NUMBER_SAMPLES = ROOT / "tests" / "number_samples"

# A point as fractions of the width and height of the paper.
Stroke = Sequence[tuple[float, float]]
# A bar with a slight slope, and a stem that bends, in one stroke.
SEVEN: Stroke = [
    (0.33, 0.21), (0.41, 0.19), (0.53, 0.20), (0.66, 0.18),
    (0.62, 0.30), (0.56, 0.45), (0.50, 0.62), (0.47, 0.83),
]  # fmt: skip
LINE_BELOW: Stroke = [(0.25, 0.9), (0.75, 0.9)]


def missing_browser() -> str:
    """Says what is missing for tests in a browser, or nothing."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed: pip install -e '.[test]'"
    if find_chromium() is None:
        return f"no browser: none of {', '.join(NAMES)} is installed"
    return ""


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def open_browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS)
        )
        with contextlib.closing(browser):
            yield browser


@contextlib.contextmanager
def serve(*arguments: object) -> Iterator[str]:
    """Runs bin/serve on a free port, and yields its address."""
    process = subprocess.Popen(
        command("serve", "--port", 0, *arguments),
        stderr=subprocess.PIPE,
        text=True,
        cwd=tempfile.gettempdir(),
    )
    assert process.stderr is not None
    try:
        yield _find_address(process.stderr)
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)


def _find_address(lines: Any) -> str:
    seen = []
    for line in lines:
        seen.append(line)
        if match := re.search(r"serving on (http://\S+?/)", line):
            return match[1]
    raise AssertionError("".join(seen))


def watch(page: "Page") -> list[str]:
    """Returns a list that every problem of a page is added to."""
    problems: list[str] = []
    own = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|blob:http://127\.0\.0\.1)")

    def on_console(message: Any) -> None:
        # Chromium reports each answer of a status above 399. Some are expected.
        is_answer = re.search(r"/(read|corrections)\?", message.location["url"])
        if message.type in ("error", "warning") and not is_answer:
            problems.append(f"{message.type}: {message.text}")

    def on_request(request: Any) -> None:
        if not own.match(request.url):
            problems.append(f"request to {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    return problems


def draw(page: "Page", *strokes: Stroke) -> None:
    """Draws with the mouse."""
    for stroke in strokes:
        (first, *others) = on_paper(page, stroke)
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point, steps=4)
        page.mouse.up()


def on_paper(page: "Page", stroke: Stroke) -> list[tuple[float, float]]:
    """Converts fractions of the paper to pixels of the window."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    left, top, width, height = (box[name] for name in ("x", "y", "width", "height"))
    return [(left + x * width, top + y * height) for x, y in stroke]


def give_files(page: "Page", kind: str, files: dict[str, bytes]) -> None:
    """Drops or pastes files, as the event of a browser has them."""
    encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
    page.evaluate(
        """([kind, files]) => {
          const transfer = new DataTransfer();
          for (const [name, data] of Object.entries(files)) {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
          }
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            kind === "paste"
              ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
              : new DragEvent(kind, { ...options, dataTransfer: transfer }),
          );
        }""",
        [kind, encoded],
    )


def drop(page: "Page", *paths: Path) -> None:
    """Drops files of this machine on a page without any, and waits for the answers."""
    give_files(page, "drop", {path.name: path.read_bytes() for path in paths})
    wait_until_read(page, len(paths))


def wait_until_read(page: "Page", count: int = 1) -> None:
    """Waits until all of so many pictures are read, and shown with what was found.

    By selectors, since the page's security policy forbids to evaluate a text in it.
    """
    files = "1 file" if count == 1 else f"{count} files"
    read = page.locator("#summary", has_text=f"{count} of {files} read")
    read.wait_for(timeout=READ_SECONDS * 1000)
    page.locator("body:not(:has([aria-busy=true]))").wait_for()


def card(page: "Page", name: str) -> Any:
    """Returns the card of a file."""
    return page.get_by_role("article", name=name, exact=True)


def choose_layout(page: "Page", name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).check()


def download_csv(page: "Page") -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    return Path(download.value.path()).read_bytes()
