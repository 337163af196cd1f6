"""Simulated numbers: digits of one hand in a row, on paper, in forms and on pages."""

from cnn.augmentation.simulated_strings.number_pages import (
    KINDS_WITHOUT_NUMBERS,
    NUMBER_PAGE_KINDS,
    simulate_number_page,
)
from cnn.augmentation.simulated_strings.page_drafts import (
    PageNumber,
    SimulatedNumberPage,
)
from cnn.augmentation.simulated_strings.simulated_line import SimulatedLine
from cnn.augmentation.simulated_strings.string_kinds import STRING_KINDS, simulate_line

__all__ = [
    "KINDS_WITHOUT_NUMBERS",
    "NUMBER_PAGE_KINDS",
    "STRING_KINDS",
    "PageNumber",
    "SimulatedLine",
    "SimulatedNumberPage",
    "simulate_line",
    "simulate_number_page",
]
