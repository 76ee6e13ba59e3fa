from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hydra.research.thinning import KEPT, first_of_each_column, kept

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=300)


@given(VALUES, st.integers(1, 20))
def test_no_peak_and_no_end_is_lost_and_there_are_never_too_many_points(
    values: list[float], columns: int
) -> None:
    line = np.array(values, np.float64)

    places = kept(line, columns)

    assert len(places) <= min(len(line), KEPT * columns)
    assert places.tolist() == sorted(set(places.tolist()))
    if values:
        drawn = line[places]
        assert (drawn.min(), drawn.max()) == (line.min(), line.max())
        assert (drawn[0], drawn[-1]) == (line[0], line[-1])


@given(VALUES, st.integers(1, 20))
def test_each_column_keeps_its_own_highest_and_lowest(values: list[float], columns: int) -> None:
    line = np.array(values, np.float64)
    places = kept(line, columns)
    edges = np.linspace(0, len(line), columns + 1).astype(int)

    for start, end in pairwise(edges.tolist()):
        if end > start:
            drawn = line[places[(places >= start) & (places < end)]]
            assert (drawn.min(), drawn.max()) == (line[start:end].min(), line[start:end].max())


def test_a_short_line_is_drawn_as_it_is() -> None:
    assert kept(np.array([3.0, 1.0, 2.0]), 1).tolist() == [0, 1, 2]


def test_of_marks_in_one_column_the_first_is_drawn() -> None:
    places = np.array([90, 3, 0, 55, 9])

    assert first_of_each_column(places, 100, 10).tolist() == [0, 1, 3]
