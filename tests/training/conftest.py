import pytest

from cnn.data import datasets


@pytest.fixture
def small(small_dir):
    """640 training images of the shape of KMNIST."""
    return datasets.load("kmnist", "train", small_dir)
