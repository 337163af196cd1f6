"""Thresholds of `cnn.preprocessing.components` and `printed_components`."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ComponentThresholds:
    """Thresholds that select the components of the character.

    Lengths are fractions of the image's side in the same direction, unless a comment
    names another unit. The main component is the one with the largest weight.
    """

    # Labeling.

    # Dilation before labeling, in pixels. Components up to twice as far apart are
    # one, because thin strokes break.
    label_gap: int = 1

    # Main component.

    # Smallest rise at a component's edge per pixel, as a fraction of its mean level.
    # Ink is sharper, and shadows are less sharp.
    min_sharpness: float = 0.15
    # Smallest factor of the sharpness, before it is squared.
    min_sharpness_factor: float = 0.02
    # Factor of a printed component.
    printed_factor: float = 0.01
    # Factor of a component that touches the image border.
    border_factor: float = 0.4
    # Factor of a flat component.
    flat_factor: float = 0.01
    # Largest ratio of width to height of a character. Flatter components are dashes.
    max_aspect_ratio: float = 3
    # Loss of weight from the center of the image to its border.
    border_loss: float = 0.8
    # Exponent of the weight by distance from the center.
    centrality_exponent: float = 0.7
    # Smallest sharpness of any component, as a fraction of the main one's.
    min_relative_sharpness: float = 0.5

    # Parts of the character.

    # Largest gap between a part and the main component, as a fraction of the latter's
    # longer side.
    max_part_gap: float = 0.25
    # Smallest mass of a part, as a fraction of the main component's. Less is a speck.
    min_part_mass: float = 0.04
    # Largest mass of a part that touches the image border, as a fraction of the main
    # component's.
    max_border_part_mass: float = 0.5
    # Number of image edges from which a component that touches them is no part.
    max_part_contacts: int = 2

    # Other characters.

    # Smallest mass of another character, as a fraction of the main component's.
    min_other_mass: float = 0.25
    # Smallest height of another character, as a fraction of the main component's.
    min_other_height: float = 0.5
    # Smallest gap to a neighbor, as a fraction of the main component's height. It is
    # negative because slanted neighbors overlap.
    min_neighbor_gap: float = -0.1
    # Smallest number of rows shared with a neighbor, as a fraction of the higher one.
    min_neighbor_overlap: float = 0.6
    # Largest side of a full stop, as a fraction of the main component's height.
    max_full_stop_side: float = 0.3
    # Leftmost column of a full stop, as a fraction of the main component's width.
    min_full_stop_left: float = 0.9
    # Topmost row of a full stop, as a fraction of the main component's height.
    min_full_stop_top: float = 0.6

    # Printed bars and lines.

    # Smallest length of a bar along an image edge.
    min_bar_length: float = 0.7
    # Largest width of a bar, as a fraction of the image's longer side.
    max_bar_width: float = 0.35
    # Smallest share of a bar's bounding box that it fills.
    min_bar_fill: float = 0.6
    # Smallest number of image edges that a bar touches.
    min_bar_contacts: int = 2
    # Distance from an image edge within which long, thin components are lines.
    border_zone: float = 0.15
    # Smallest ratio of length to width of a line near an image edge.
    min_line_aspect_ratio: float = 8
    # Smallest length of a line near an image edge.
    min_border_line_length: float = 0.5
    # Smallest length of a line anywhere in the image.
    min_crossing_line_length: float = 0.75
    # Largest width of a line anywhere in the image.
    max_crossing_line_width: float = 0.08

    # Drawn boxes.

    # Smallest side of a box, as a fraction of the image's shorter side.
    min_box_side: float = 0.3
    # Largest share of a box's bounding box that it fills.
    max_box_fill: float = 0.5
    # Smallest share of the bounding box's border that an upright box covers.
    min_box_border_share: float = 0.8
    # Smallest share of its outline that a tilted box covers.
    min_box_outline_share: float = 0.8
    # Smallest height of a component in a box, as a fraction of the box's. A box
    # without such a component may be the character 0.
    min_boxed_height: float = 0.2
