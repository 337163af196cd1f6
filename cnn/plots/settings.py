"""Draws with Matplotlib's own settings, whatever the user's surroundings say.

Matplotlib reads variables of the environment, a `matplotlibrc` of the working directory
or the home, and may make a temporary folder, when it is imported. `import_matplotlib`
keeps it from all of these. `with_default_settings` does so for one plot, since the
process may have imported and changed Matplotlib before.
"""

import contextlib
import functools
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec

_P = ParamSpec("_P")

# Fonts for characters that DejaVu lacks, if they are installed. Matplotlib cannot draw
# fonts of colored pictures.
_FALLBACK_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Source Han Sans",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "TakaoPGothic",
    "NanumGothic",
    "Hiragino Sans",
    "PingFang SC",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "SimHei",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Symbola",
    "Unifont",
)


def import_matplotlib() -> None:
    """Imports Matplotlib without the user's settings, and without a temporary folder.

    If the process has imported it before, its settings stay as they are.
    """
    is_first = "matplotlib" not in sys.modules
    with _quiet():
        with _without_variables(), _outside_of_settings():
            import matplotlib
        if is_first and (backend := os.environ.get("MPLBACKEND")):
            # For plots of the user's own in this process.
            with contextlib.suppress(ValueError):
                matplotlib.rcParams["backend"] = backend
        with _no_temporary_folder():
            importlib.import_module("matplotlib.figure")
            importlib.import_module("matplotlib.backends.backend_agg")


def with_default_settings(plot: Callable[_P, None]) -> Callable[_P, None]:
    """Makes a function draw with default settings, and without warnings.

    The function raises only OSError, whatever the error was.
    """

    @functools.wraps(plot)
    def plot_with_default_settings(*args: _P.args, **kwargs: _P.kwargs) -> None:
        import matplotlib

        try:
            with (
                _quiet(),
                _no_temporary_folder(),
                matplotlib.rc_context(_default_settings()),
            ):
                plot(*map(_make_printable, args), **kwargs)
        except OSError:
            raise
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise OSError(0, f"{type(error).__name__}: {reason}") from error

    return plot_with_default_settings


def _make_printable(value: Any) -> Any:
    """Replaces characters that cannot be drawn, in a text or a collection of texts."""
    if isinstance(value, str):
        return "".join(map(_replace_unprintable, value))
    if isinstance(value, list | tuple):
        return [_make_printable(item) for item in value]
    if isinstance(value, dict):
        return {_make_printable(key): item for key, item in value.items()}
    return value


def _replace_unprintable(letter: str) -> str:
    if letter.isprintable() or letter == "\n":
        return letter
    return " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"


@functools.cache
def _default_settings() -> dict[Any, Any]:
    """Returns Matplotlib's defaults, with more fonts and no formulas in texts."""
    from matplotlib import font_manager, rcParamsDefault

    installed = set(font_manager.get_font_names())
    fallbacks = [name for name in _FALLBACK_FONTS if name in installed]
    defaults: dict[Any, Any] = dict(rcParamsDefault)
    # Figures are drawn by their own canvas.
    del defaults["backend"]
    return defaults | {
        "font.family": ["DejaVu Sans", *fallbacks],
        "text.parse_math": False,
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides warnings, for example of characters without a glyph."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _without_variables() -> Iterator[None]:
    """Names no backend, and an empty file of settings."""
    users = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    os.environ.pop("MPLBACKEND", None)
    os.environ["MATPLOTLIBRC"] = os.devnull
    try:
        yield
    finally:
        del os.environ["MATPLOTLIBRC"]
        os.environ.update({name: value for name, value in users.items() if value})


@contextlib.contextmanager
def _outside_of_settings() -> Iterator[None]:
    """Leaves the working directory meanwhile if it has settings for Matplotlib.

    They go before any others.
    """
    if "matplotlib" in sys.modules or not os.path.lexists("matplotlibrc"):
        yield
        return
    with contextlib.chdir("/"):
        yield


@contextlib.contextmanager
def _no_temporary_folder() -> Iterator[None]:
    """Lets Matplotlib keep its list of fonts in the user's cache, or else nowhere."""
    import matplotlib

    nowhere = os.path.join(os.devnull, "matplotlib")
    folder = str(_cache_folder()) if _has_cache_folder() else nowhere
    functions = matplotlib.get_cachedir, matplotlib.get_configdir
    matplotlib.get_cachedir = matplotlib.get_configdir = lambda: folder
    try:
        yield
    finally:
        matplotlib.get_cachedir, matplotlib.get_configdir = functions


def _has_cache_folder() -> bool:
    """Tells whether Matplotlib's folder for caches can be written to."""
    try:
        folder = _cache_folder()
        if not folder.is_absolute():
            return False
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK | os.X_OK)
    # The home directory of a user without an entry in the system's list is unknown.
    except (OSError, RuntimeError):
        return False


def _cache_folder() -> Path:
    if folder := os.environ.get("MPLCONFIGDIR"):
        return Path(folder)
    if not sys.platform.startswith(("linux", "freebsd")):
        return Path.home() / ".matplotlib"
    folder = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(folder):  # The standard says that another value is ignored.
        return Path(folder) / "matplotlib"
    return Path.home() / ".cache" / "matplotlib"


# Before the other modules of the package import parts of Matplotlib.
import_matplotlib()
