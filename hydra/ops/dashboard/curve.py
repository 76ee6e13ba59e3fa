"""The account's worth over time, in as many points as a screen can show: pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

POINTS_MAX = 2_000
"""Of what is looked at every five seconds these are three hours; then they lie further apart."""
GROUP = 4


class Curve:
    """Points of one account, oldest first: when (market time, ISO 8601) and what it was worth.

    Where there are too many, of four that follow one another the lowest and the highest are kept:
    no peak and no fall is smoothed away.
    """

    def __init__(self) -> None:
        self._points: list[tuple[str, str]] = []
        self._of = ""

    @property
    def points(self) -> Sequence[tuple[str, str]]:
        """When, and how much."""
        return self._points

    def take(self, of: str, at: str, equity: str) -> None:
        """A look at the account `of` that name. The same moment again is none, and one that lies
        before the last begins a new curve: it is another market.
        """
        try:
            if not Decimal(equity).is_finite():
                return
        except InvalidOperation:
            return
        if of != self._of or (self._points and at < self._points[-1][0]):
            self._of, self._points = of, []
        if self._points and at == self._points[-1][0]:
            return
        self._points.append((at, equity))
        if len(self._points) > POINTS_MAX:
            self._points = thinned(self._points)


def thinned(points: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """About half of them, with every extreme, the first and the last."""
    kept = {0, len(points) - 1}
    for start in range(0, len(points), GROUP):
        group = range(start, min(start + GROUP, len(points)))
        kept.add(min(group, key=lambda place: Decimal(points[place][1])))
        kept.add(max(group, key=lambda place: Decimal(points[place][1])))
    return [points[place] for place in sorted(kept)]
