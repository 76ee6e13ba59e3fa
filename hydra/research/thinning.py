"""Fewer points for the same picture: what a line over a million points shows, from some thousand.

The points are put into columns, as a screen would. Of each column the first, the lowest, the
highest and the last point are kept, which is all that a line drawn through all of them can show
there: no peak and no fall is smoothed away.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hydra.research.equity import Floats

Places: TypeAlias = NDArray[np.intp]

KEPT = 4
"""Points of a column."""


def kept(values: Floats, columns: int) -> Places:
    """The places of the points to draw, ascending; all of them if they are few."""
    if len(values) <= KEPT * columns:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), columns + 1).astype(np.intp)
    places = [
        place
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        for place in (
            start,
            start + int(values[start:end].argmin()),
            start + int(values[start:end].argmax()),
            end - 1,
        )
    ]
    return np.unique(np.array(places, np.intp))


def first_of_each_column(places: Places, length: int, columns: int) -> Places:
    """Of marks at these places of a line of this length, which to draw: one of each column.

    Gives the numbers of the marks. Others of the same column would lie on it.
    """
    column = places.astype(np.int64) * columns // max(length, 1)
    _, first = np.unique(column, return_index=True)
    return np.sort(first)
