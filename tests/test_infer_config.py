"""Settings of `bin/infer` that go with some layouts only."""

import dataclasses
from pathlib import Path

import pytest

from cnn.config import InferConfig
from cnn.errors import UsageError


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"length": "3"}, "--length: goes with --layout line or page"),
        ({"boxes": True}, "--boxes: goes with --layout line or page"),
        ({"layout": "line", "top_k": 2}, "--top-k: goes with --layout character"),
        (
            {"layout": "page", "probabilities": True},
            "--probabilities: goes with --layout character, got --layout page",
        ),
        ({"layout": "page", "labels": Path("names")}, "--labels: goes with --layout"),
        (
            {"layout": "line", "review": Path("r")},
            "--review: goes with --layout character, got --layout line",
        ),
        (
            {"engine": "ray", "output": Path("o"), "review": Path("r")},
            "--review: not with --engine ray",
        ),
        ({"region": "0,0,2,1"}, "--region: expected 0 ≤ LEFT"),
        ({"pages": "0"}, "--pages"),
    ],
)
def test_flags_of_other_layouts_are_refused(settings, words):
    with pytest.raises(UsageError, match=words):
        InferConfig(input=Path("a"), **settings)


def test_settings_of_a_run_can_be_replaced():
    config = InferConfig(input=Path("a"), layout="line", region=("0,0,1,1",))
    assert dataclasses.replace(config, length="3").number_pattern.lengths == (3, 3)
