"""Fixtures: servers, a browser, and a page whose every problem fails the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.page.browser import missing_browser, open_browser, serve, watch

OpenPage = Callable[..., Any]

# Longest wait for one action of a browser on a slow machine.
ACTION_SECONDS = 20


# Not of the session: while the browser is open, no other event loop can run.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if reason := missing_browser():
        pytest.skip(reason)
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="package")
def corrections_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections")


@pytest.fixture(scope="package")
def server_url(browser: Any, corrections_dir: Path) -> Iterator[str]:
    with serve("--corrections", corrections_dir) as url:
        yield url


@pytest.fixture
def open_page(browser: Any, server_url: str) -> Iterator[OpenPage]:
    """Opens pages in windows of their own, with options of `Browser.new_context`.

    A script may run before those of the page.
    """
    problems: list[list[str]] = []
    contexts = []

    def open_one(url: str = server_url, script: str = "", **options: Any) -> Any:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(1000 * ACTION_SECONDS)
        # From now on: a key opens a dialog sooner than the browser begins to watch.
        page.on("filechooser", lambda _: None)
        watched = watch(page)
        page.goto(url)
        page.locator("#meanings dt").first.wait_for(state="attached")
        problems.append(watched)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [problem for of_page in problems for problem in of_page] == []


@pytest.fixture
def page(open_page: OpenPage) -> Any:
    return open_page()
