"""Simulated numbers: digits of one hand in a row, on paper, in forms and on pages."""

from cnn.augmentation.simulated_strings.simulated_line import SimulatedLine
from cnn.augmentation.simulated_strings.string_kinds import STRING_KINDS, simulate_line

__all__ = ["STRING_KINDS", "SimulatedLine", "simulate_line"]
