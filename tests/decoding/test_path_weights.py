import pytest

from cnn.decoding import DEFAULT_WEIGHTS, PathWeights, weights_from_metadata


def test_a_model_without_weights_has_the_defaults():
    assert weights_from_metadata(None) == DEFAULT_WEIGHTS


def test_weights_are_taken_by_name():
    weights = weights_from_metadata({"width": -2, "gap": 0.5})
    assert weights == PathWeights(width=-2.0, gap=0.5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0], "expected weights by name"),
        ({"breadth": 1.0}, "unknown weight 'breadth'"),
        ({"width": "1"}, "expected a number for width"),
        ({"width": float("nan")}, "expected a number for width"),
        ({"width": float("inf")}, "expected a number for width"),
        ({"width": 1e300}, "expected a number for width"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        weights_from_metadata(values)
