import numpy as np
import pytest

from cnn.augmentation.simulated_strings import (
    KINDS_WITHOUT_NUMBERS,
    NUMBER_PAGE_KINDS,
    simulate_number_page,
)

KINDS_WITH_NUMBERS = [
    kind for kind in NUMBER_PAGE_KINDS if kind not in KINDS_WITHOUT_NUMBERS
]


def simulate(mnist_test, kind, seed=0, **options):
    rng = np.random.default_rng(seed)
    return simulate_number_page(
        rng, kind, mnist_test.images[:2000], mnist_test.labels[:2000], **options
    )


@pytest.mark.parametrize("kind", NUMBER_PAGE_KINDS)
def test_pages_have_the_size_of_a4(mnist_test, kind):
    page = simulate(mnist_test, kind, dpi=72)
    assert page.image.dtype == np.uint8
    # 210 × 297 mm at 72 pixels per inch.
    assert sorted(page.image.shape) == [595, 842]


@pytest.mark.parametrize("kind", KINDS_WITHOUT_NUMBERS)
def test_pages_without_handwriting_have_no_numbers(mnist_test, kind):
    assert simulate(mnist_test, kind, dpi=60).numbers == []


@pytest.mark.parametrize("kind", KINDS_WITH_NUMBERS)
def test_ink_is_darker_than_paper_in_every_box(mnist_test, kind):
    page = simulate(mnist_test, kind, dpi=100)
    assert page.numbers
    for text, (left, top, right, bottom), _ in page.numbers:
        assert text.isdigit()
        inside = page.image[round(top) : round(bottom), round(left) : round(right)]
        assert inside.min() < 0.93 * np.quantile(inside, 0.9)


def test_the_only_ink_of_columns_lies_in_the_boxes(mnist_test):
    """Outside of all boxes, a page of columns is paper: no pixel is far darker."""
    page = simulate(mnist_test, "columns", seed=3, dpi=80)
    paper = np.ones(page.image.shape, bool)
    for _, box, _ in page.numbers:
        left, top = np.floor(box[:2]).astype(int) - 3
        right, bottom = np.ceil(box[2:]).astype(int) + 3
        paper[max(top, 0) : bottom, max(left, 0) : right] = False
    levels = page.image[paper]
    assert levels.min() > 0.6 * np.median(levels)


@pytest.mark.parametrize("kind", KINDS_WITH_NUMBERS)
def test_numbers_are_in_reading_order(mnist_test, kind):
    numbers = simulate(mnist_test, kind, seed=1, dpi=80).numbers
    lines = [number.line for number in numbers]
    assert lines == sorted(lines)
    assert set(lines) == set(range(1, max(lines) + 1))
    for line in set(lines):
        lefts = [number.box[0] for number in numbers if number.line == line]
        assert lefts == sorted(lefts)
    if kind != "slanted_columns":
        middles = [
            np.mean([n.box[3] for n in numbers if n.line == line])
            for line in sorted(set(lines))
        ]
        assert middles == sorted(middles)


@pytest.mark.parametrize("kind", ["columns", "table"])
def test_a_page_has_room_for_100_numbers(mnist_test, kind):
    assert len(simulate(mnist_test, kind, dpi=72, count=100).numbers) >= 95


def test_the_same_generator_gives_the_same_page(mnist_test):
    for kind in NUMBER_PAGE_KINDS:
        first, second = (simulate(mnist_test, kind, 5, dpi=60) for _ in range(2))
        np.testing.assert_array_equal(first.image, second.image)
        assert [n.text for n in first.numbers] == [n.text for n in second.numbers]
