"""The list of all forms of digits, and training examples of them."""

from collections.abc import Callable

import numpy as np

from cnn.augmentation.glyphs import bowls, loops, straight_strokes
from cnn.augmentation.glyphs.curves import Strokes
from cnn.augmentation.glyphs.rendering import render_glyph

# Draws the strokes of a digit.
Form = Callable[[np.random.Generator], Strokes]

# How to add a form: write a function of a generator that returns strokes, and list it
# here. Existing models are then no longer reproduced by their seed.
FORMS: tuple[tuple[int, Form], ...] = (
    (0, loops.draw_open_zero),
    (1, straight_strokes.draw_one),
    (1, straight_strokes.draw_one_with_foot),
    (1, straight_strokes.draw_block_one),
    (2, bowls.draw_two_with_loop),
    (2, bowls.draw_two_with_curl),
    (2, bowls.draw_angular_two),
    (3, bowls.draw_flat_topped_three),
    (3, bowls.draw_round_three),
    (3, bowls.draw_three_with_curl),
    (4, straight_strokes.draw_open_four),
    (4, straight_strokes.draw_lightning_four),
    (4, straight_strokes.draw_tall_four),
    (5, bowls.draw_five_with_detached_flag),
    (5, bowls.draw_five_with_long_flag),
    (6, loops.draw_square_six),
    (6, loops.draw_curled_six),
    (7, straight_strokes.draw_seven),
    (7, straight_strokes.draw_waved_seven),
    (7, straight_strokes.draw_narrow_seven),
    (8, loops.draw_leaning_eight),
    (8, loops.draw_eight_of_two_loops),
    (9, loops.draw_nine),
    (9, loops.draw_nine_like_p),
    (9, loops.draw_nine_like_g),
)

# Separates the random numbers of glyphs from others of the same seed.
_GLYPH_STREAM = 2


def make_glyphs(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws synthetic digits of all forms in turn.

    Args:
      seed: seed of the random generator.
      count: number of digits.

    Returns:
      Images, `uint8 (count, 28, 28, 1)`, and labels, `int64 (count,)`.
    """
    rng = np.random.default_rng([seed, _GLYPH_STREAM])
    images = np.zeros((count, 28, 28, 1), np.uint8)
    labels = np.zeros(count, np.int64)
    for i in range(count):
        labels[i], draw = FORMS[i % len(FORMS)]
        strokes = draw(rng)
        images[i, ..., 0] = render_glyph(rng, strokes)
    return images, labels
