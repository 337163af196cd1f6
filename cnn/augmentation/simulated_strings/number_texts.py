"""Texts of simulated numbers: years, dates, amounts and times."""

import numpy as np

from cnn.augmentation.simulated_strings.character_pool import CharacterPool


def sample_year(rng: np.random.Generator) -> str:
    """Samples a year from 1750 to 1999."""
    return str(rng.integers(1750, 2000))


def sample_text_with_separators(rng: np.random.Generator, pool: CharacterPool) -> str:
    """Samples a date, an amount, a time, a range or a negative number."""
    kinds = (_sample_date, _sample_amount, _sample_time, _sample_dashes)
    return str(kinds[rng.integers(len(kinds))](rng, pool))


def _sample_date(rng: np.random.Generator, _: CharacterPool) -> str:
    day, month = int(rng.integers(1, 32)), int(rng.integers(1, 13))
    year = int(rng.integers(1900, 2040))
    dates = (
        f"{day}.{month}.{year}",
        f"{day:02}.{month:02}.{year}",
        f"{day:02}.{month:02}.{year % 100:02}",
        f"{day}/{month}/{year % 100:02}",
        f"{month:02}/{day:02}/{year}",
        f"{year}-{month:02}-{day:02}",
    )
    return dates[rng.integers(len(dates))]


def _sample_amount(rng: np.random.Generator, _: CharacterPool) -> str:
    value = float(np.exp(rng.uniform(np.log(1), np.log(99_999))))
    amounts = (
        f"{value:.2f}",
        f"{value:.2f}".replace(".", ","),
        f"{value:,.2f}",
        f"{value:.1f}",
        f"{1000 * value:,.0f}",
    )
    return amounts[rng.integers(len(amounts))]


def _sample_time(rng: np.random.Generator, _: CharacterPool) -> str:
    hour, minute, second = rng.integers(0, [24, 60, 60]).tolist()
    times = (f"{hour}:{minute:02}", f"{hour:02}:{minute:02}:{second:02}")
    return times[rng.integers(len(times))]


def _sample_dashes(rng: np.random.Generator, pool: CharacterPool) -> str:
    left, right = (pool.draw_text(rng, int(n)) for n in rng.integers(1, 5, 2))
    texts = (f"-{left}", f"{left}-{right}", f"{left}/{right}")
    return texts[rng.integers(len(texts))]
