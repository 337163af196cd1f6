"""The process that draws plots."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from PIL import Image

from cnn import plots
from cnn.inference.plot_process import plot_process


def draw(call_plot, path):
    labels = np.array([0, 1, 1])
    call_plot("plot_confusion_matrix", labels, labels, ["a", "b"], path)
    with Image.open(path) as image:
        assert image.width > 100


def test_a_plot_is_drawn_in_the_process_and_not_here(tmp_path, monkeypatch):
    def fail(*_):
        raise AssertionError("drawn in the parent")

    monkeypatch.setattr(plots, "plot_confusion_matrix", fail)
    with plot_process() as call_plot:
        draw(call_plot, tmp_path / "p.png")


def test_a_plot_is_drawn_although_its_process_was_killed(tmp_path, monkeypatch):
    executors = []
    submit = ProcessPoolExecutor.submit

    def remember(executor, *arguments):
        executors.append(executor)
        return submit(executor, *arguments)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", remember)
    with plot_process() as call_plot:
        for pid in executors[0]._processes:
            os.kill(pid, signal.SIGKILL)
        draw(call_plot, tmp_path / "p.png")


def test_an_error_of_a_plot_is_raised_here(tmp_path):
    with plot_process() as call_plot, pytest.raises(FileNotFoundError):
        draw(call_plot, tmp_path / "none" / "p.png")
