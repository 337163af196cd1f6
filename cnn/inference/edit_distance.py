"""How many characters of a text are wrong."""


def edit_distance(text: str, truth: str) -> int:
    """Returns the smallest number of insertions, deletions and substitutions.

    Source: R. Wagner, M. Fischer, "The string-to-string correction problem", 1974.

    Example:
      >>> edit_distance("1203", "123"), edit_distance("", "42")
      (1, 2)
    """
    # Distances between the characters of `text` so far and each beginning of `truth`.
    distances = list(range(len(truth) + 1))
    for row, letter in enumerate(text, start=1):
        diagonal, distances[0] = distances[0], row
        for column, expected in enumerate(truth, start=1):
            distance = min(
                distances[column] + 1,
                distances[column - 1] + 1,
                diagonal + (letter != expected),
            )
            diagonal, distances[column] = distances[column], distance
    return distances[-1]
