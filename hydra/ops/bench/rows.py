"""What a measurement gives: figures, each beside a bound taken in the same run, and its bar.

A figure alone says little on a machine that is busy or slow. So every one has a bound: what the
bare machinery (a deque, a queue between two threads, one sync of the disk) needed meanwhile.
"""

from collections.abc import Callable

import msgspec


class CouldNotMeasure(Exception):
    """Something that the measurement rests on did not happen; the text says what."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure must keep, all of it. An empty bar is kept by anything: information only.

    The ratios are about value over bound; `ratio_text` is how people write the least ("1/8").
    """

    at_most: float | None = None
    at_least: float | None = None
    ratio_at_least: float | None = None
    ratio_text: str = ""
    ratio_at_most: float | None = None

    def is_kept_by(self, value: float, ratio: float) -> bool:
        """Stated positively, so that a figure that is not a number keeps no bar."""
        return (
            (self.at_most is None or value <= self.at_most)
            and (self.at_least is None or value >= self.at_least)
            and (self.ratio_at_least is None or ratio >= self.ratio_at_least)
            and (self.ratio_at_most is None or ratio <= self.ratio_at_most)
        )

    def __str__(self) -> str:
        parts = []
        if self.at_most is not None:
            parts.append(f"<= {self.at_most:,g}")
        if self.at_least is not None:
            parts.append(f">= {self.at_least:,.10g}")
        if self.ratio_at_least is not None:
            parts.append(f">= {self.ratio_text or self.ratio_at_least} of the bound")
        if self.ratio_at_most is not None:
            parts.append(f"<= {self.ratio_at_most:g} of the bound")
        return " and ".join(parts)


NO_BAR = Bar()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one row is about. `what` says precisely what is counted, from where to where."""

    name: str
    unit: str
    what: str
    bound: str
    bar: Bar = NO_BAR
    aim: str = ""


class Measured(msgspec.Struct, frozen=True):
    """One figure's value and its bound's, in the same unit."""

    value: float
    bound_value: float


class Effort(msgspec.Struct, frozen=True):
    """How much is done: `rounds` of which the median counts, each of `scale` times the full size.

    Percentiles are of all samples; those too are scaled.
    """

    rounds: int
    scale: float

    def count(self, full: int, *, least: int = 1) -> int:
        """A number of repetitions."""
        return max(least, round(full * self.scale))


FULL = Effort(rounds=7, scale=1.0)
QUICK = Effort(rounds=3, scale=0.1)


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is done and the figures it gives, in their order.

    `take` raises `CouldNotMeasure` when it has nothing to say.
    """

    name: str
    figures: tuple[Figure, ...]
    take: Callable[[Effort], tuple[Measured, ...]]


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"passed": "pass"}):
    """One line of the answer. `ratio` is value over bound; None where nothing could be measured."""

    name: str
    value: float | None
    unit: str
    bound: str
    bound_value: float | None
    ratio: float | None
    bar: str
    passed: bool


def row_of(figure: Figure, measured: Measured) -> Row:
    """The figure held against its bound and its bar."""
    ratio = measured.value / measured.bound_value if measured.bound_value else float("nan")
    return Row(
        name=figure.name,
        value=measured.value,
        unit=figure.unit,
        bound=figure.bound,
        bound_value=measured.bound_value,
        ratio=ratio if ratio == ratio else None,  # JSON has no word for "not a number"
        bar=str(figure.bar),
        passed=figure.bar.is_kept_by(measured.value, ratio),
    )


def missing_row(figure: Figure) -> Row:
    """A figure that could not be taken. Its bar is not kept."""
    return Row(
        name=figure.name,
        value=None,
        unit=figure.unit,
        bound=figure.bound,
        bound_value=None,
        ratio=None,
        bar=str(figure.bar),
        passed=False,
    )
