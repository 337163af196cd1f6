"""Thresholds of `cnn.preprocessing.lines.attached_lines`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class AttachedLineThresholds:
    """Thresholds of lines that touch a character.

    The height is that of the character with the line.
    """

    # Smallest height that can be measured, in pixels.
    min_height: int = 12
    # Lower part of the height in which an underline lies, as a fraction. A line that
    # slants is lower at one end.
    line_zone: float = 0.25
    # Smallest length of each end beside the character, as a fraction of the height. The
    # base of a 2 juts out to the right alone.
    min_overhang: float = 0.14
    # The same from which a line is more probably printed than the base of a 2.
    min_long_overhang: float = 0.25
    # The same for a line beside the character. The stem of a 4 may jut out, too.
    min_margin_overhang: float = 0.2
    # Smallest length of each end, in pixels.
    min_overhang_pixels: int = 4
    # Part of each end beside the character that is not measured.
    end_margin: float = 0.3
    # Smallest share of the ends' columns with ink. A margin may be dashed.
    min_end_cover: float = 0.4
    # Largest distance of the ends from a straight line, as a fraction of its length.
    max_deviation: float = 0.02
    # Quantile of these distances and of the line's width in each column.
    width_quantile: float = 0.8
    # Largest width of a line, as a fraction of the height.
    max_width: float = 0.25
    # Largest share of columns in which strokes go on below an underline.
    max_crossing_share: float = 0.2
    # Weight of the reading that keeps an underline. The foot of a 1 looks like one.
    kept_underline: float = 0.1
    # The same if its ends are short.
    kept_base: float = 1
    # Weight of the reading that keeps a line beside the character.
    kept_margin: float = 0.4
