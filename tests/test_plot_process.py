"""The process that draws plots."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cnn import child_process, plots
from cnn.plot_process import PlotError, plot_process
from tests.training.processes import children


def draw(call_plot, path):
    labels = np.array([0, 1, 1])
    call_plot("plot_confusion_matrix", labels, labels, ["a", "b"], path=path)
    with Image.open(path) as image:
        assert image.width > 100


def test_a_plot_is_drawn_in_the_process_and_not_here(tmp_path, monkeypatch):
    def fail(*_):
        raise AssertionError("drawn in the parent")

    monkeypatch.setattr(plots, "plot_confusion_matrix", fail)
    with plot_process() as call_plot:
        draw(call_plot, tmp_path / "p.png")


def test_a_plot_is_drawn_although_its_process_was_killed(tmp_path):
    with plot_process() as call_plot:
        for child in children(os.getpid()):
            os.kill(child, signal.SIGKILL)
        draw(call_plot, tmp_path / "p.png")


def test_a_plot_is_drawn_where_no_process_can_be_started(tmp_path, monkeypatch):
    monkeypatch.setattr(child_process, "helper_command", lambda *_: ["/no/python"])
    with plot_process() as call_plot:
        draw(call_plot, tmp_path / "p.png")


def test_threads_without_a_process_draw_one_after_another(tmp_path, monkeypatch):
    monkeypatch.setattr(child_process, "helper_command", lambda *_: ["/no/python"])
    drawing = threading.Semaphore()
    plot = plots.plot_confusion_matrix

    def draw_alone(*arguments):
        assert drawing.acquire(blocking=False), "another thread is drawing"
        plot(*arguments)
        drawing.release()

    monkeypatch.setattr(plots, "plot_confusion_matrix", draw_alone)
    with plot_process() as call_plot, ThreadPoolExecutor(2) as executor:
        paths = [tmp_path / "p.png", tmp_path / "q.png"]
        list(executor.map(partial(draw, call_plot), paths))


def test_an_error_of_a_plot_is_raised_here(tmp_path):
    with plot_process() as call_plot:
        with pytest.raises(PlotError, match="IndexError: index 5 is out of bounds"):
            call_plot("plot_confusion_matrix", [0], [5], ["a"], path=tmp_path / "p")
        with pytest.raises(FileNotFoundError):
            draw(call_plot, tmp_path / "none" / "p.png")
        draw(call_plot, tmp_path / "p.png")
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
