import numpy as np
from PIL import Image, ImageDraw

from cnn.preprocessing.text_lines.digit_band import find_marks
from cnn.preprocessing.text_lines.frames import find_frames


def draw(boxes, strokes=(), size=(320, 120), width=2):
    image = Image.new("L", size, 0)
    pen = ImageDraw.Draw(image)
    for box in boxes:
        pen.rectangle(box, outline=1, width=width)
    for points in strokes:
        pen.line(points, 1, 5)
    return find_marks(np.array(image))


BOXES = [(20, 20, 70, 90), (90, 20, 140, 90), (160, 20, 210, 90), (230, 20, 280, 90)]


def test_finds_the_borders_of_separate_boxes():
    frames = find_frames(draw(BOXES))

    assert frames.boxes[:, 0].tolist() == [20, 90, 160, 230]
    assert frames.horizontal[20, 25:65].all()
    assert frames.vertical[25:85, 140].all()


def test_takes_no_ring_for_a_frame():
    image = Image.new("L", (120, 120), 0)
    ImageDraw.Draw(image).ellipse((20, 20, 90, 100), outline=1, width=6)

    frames = find_frames(find_marks(np.array(image)))

    assert not len(frames.boxes)
    assert not frames.horizontal.any()


def test_keeps_the_bar_of_a_4_that_crosses_its_box():
    bar = [(15, 60), (75, 60)]

    frames = find_frames(draw(BOXES, [bar]))

    assert frames.horizontal[20, 25:65].all()
    assert not frames.horizontal[50:70].any()


def test_finds_boxes_that_a_stroke_joins():
    stroke = [(100, 55), (200, 50)]

    frames = find_frames(draw(BOXES, [stroke]))

    assert frames.vertical[25:85, 91].any()
    assert frames.horizontal[20, 165:205].all()
    assert not frames.horizontal[45:62].any()
