"""Images that several tests compare with."""

import pytest

from tests.preprocessing.drawings import preprocess, seven


@pytest.fixture
def expected(tmp_path):
    return preprocess(seven(), tmp_path / "expected.png")


@pytest.fixture(scope="session")
def digits(mnist_test):
    """The first 400 test digits of MNIST, `uint8 (400, 28, 28)`."""
    return mnist_test.images[:400, ..., 0]
