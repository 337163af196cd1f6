"""The network input, and how a character is placed in it."""

from cnn.preprocessing.centering import IMAGE_SIZE, Placement

# Shape of one network input.
IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)

# Longest side of an image that is preprocessed in a batch, in pixels. Larger characters
# may need thicker strokes.
MAX_BATCHED_SIDE = 39

# Placement of the character by preprocessing name. "resize" is for data sets of other
# subjects than handwriting, and only converts the whole image to 28×28 gray pixels.
PREPROCESSING: dict[str, Placement | None] = {
    "mnist": Placement(box=20, by_center_of_mass=True),
    "emnist": Placement(box=24, by_center_of_mass=False),
    "resize": None,
}
