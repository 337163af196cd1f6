"""Draws pages with Pillow and NumPy."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Gray levels of paper and ink.
PAPER = 240
INK = 30


def blank_page(height=800, width=600):
    return np.full((height, width), PAPER, np.uint8)


def draw_text(page, text, left, top, size=30):
    """Writes print in Pillow's own typeface."""
    image = Image.fromarray(page)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((left, top), text, fill=INK, font=font)
    page[:] = np.asarray(image)


def draw_digits(page, digits, left, top, height=40, gap=8):
    """Pastes digits as in MNIST, `uint8 (N, 28, 28)`. Returns the box of their ink."""
    column = left
    for digit in digits:
        rows, columns = np.nonzero(digit > 60)
        ink = digit[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        width = max(1, round(ink.shape[1] * height / ink.shape[0]))
        scaled = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
        part = page[top : top + height, column : column + width]
        weight = np.asarray(scaled, float) / 255
        part[:] = np.minimum(part, PAPER * (1 - weight) + INK * weight)
        column += width + gap
    return np.array([left, top, column - gap, top + height])


def overlap(first, second):
    """Intersection of two boxes over their union."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    common = np.prod(np.maximum(sides, 0))
    areas = sum(np.prod(box[2:] - box[:2]) for box in (first, second))
    return common / (areas - common)
