import numpy as np
import pytest

from cnn.augmentation.simulated_strings import printed_text


@pytest.mark.parametrize("name", printed_text._FONTS)
@pytest.mark.parametrize("size", [12, 40])
def test_capitals_have_the_asked_height(name, size):
    mark = printed_text.print_in_font("H", size, name)
    assert mark.shape[0] == pytest.approx(size, rel=0.15, abs=1)


def test_print_is_cropped_to_its_ink():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        mark = printed_text.print_text(rng, "Total 37", 20)
        assert mark.dtype == np.float32
        assert mark.max() == pytest.approx(1, abs=0.01)
        for edge in (mark[0], mark[-1], mark[:, 0], mark[:, -1]):
            assert edge.any()


def test_longer_text_is_wider():
    short = printed_text.print_in_font("No", 20, "DejaVuSans")
    long = printed_text.print_in_font("Number", 20, "DejaVuSans")
    assert long.shape[1] > 2 * short.shape[1]


def test_words_are_as_many_as_asked_and_may_be_numbers():
    rng = np.random.default_rng(0)
    assert len(printed_text.sample_words(rng, 12).split()) == 12
    words = printed_text.sample_words(rng, 300, has_numbers=True).split()
    assert 30 < sum(word.isdigit() for word in words) < 90
