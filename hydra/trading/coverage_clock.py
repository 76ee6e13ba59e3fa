"""Since when something is not covered, or too much is: what is so for a moment is no fault.

An entry that was just filled has to be protected first, and what closes a position twice for an
instant is one order that takes the place of another. For a repair time counts only while the market
of a symbol is open, since only then can anything be done. All times `now` are machine time (ns).
"""

from collections.abc import Iterator, Mapping

from hydra.trading.coverage import ExitCoverage
from hydra.trading.coverage_lines import Mismatch, MismatchKind
from hydra.trading.sessions import SessionTable, hours_of

EXCESSIVE = (MismatchKind.OVER_COVERED, MismatchKind.WRONG_SIDE)


class CoverageClock:
    """Told each coverage as it is found, in order."""

    def __init__(self) -> None:
        self._coverage: ExitCoverage | None = None
        """The last one that was told."""
        self._uncovered_since: dict[tuple[str, str], int] = {}
        self._open_since: dict[tuple[str, str], int] = {}
        self._excess_since: dict[tuple[str, ...], int] = {}

    def uncovered(self, coverage: ExitCoverage, now: int) -> Mapping[tuple[str, str], int]:
        """For how long each line, by bot and symbol, has not been covered whole.

        Of an account that is not seen nothing new is known: what was so stays so.
        """
        if coverage.is_known and coverage is not self._coverage:
            lines = [(line.bot, line.symbol) for line in coverage.lines if line.uncovered]
            self._uncovered_since = {
                place: self._uncovered_since.get(place, now) for place in lines
            }
        self._coverage = coverage
        return {place: now - since for place, since in self._uncovered_since.items()}

    def unrepaired(
        self, sessions: SessionTable, at: int, now: int
    ) -> Mapping[tuple[str, str], int]:
        """For how long of that its market has been open (it is at market time `at`)."""
        self._open_since = {
            place: self._open_since.get(place, now)
            for place in self._uncovered_since
            if hours_of(place[1], sessions).at(at) is not None
        }
        return {place: now - since for place, since in self._open_since.items()}

    def lasting(self, coverage: ExitCoverage, now: int, at_least: int) -> Iterator[Mismatch]:
        """What is too much and has been so for that long."""
        excess = {_name(each): each for each in coverage.mismatches if each.kind in EXCESSIVE}
        self._excess_since = {name: self._excess_since.get(name, now) for name in excess}
        for name, mismatch in excess.items():
            if now - self._excess_since[name] >= at_least:
                yield mismatch


def _name(mismatch: Mismatch) -> tuple[str, ...]:
    return (mismatch.kind.name, mismatch.symbol, mismatch.bot, mismatch.subject)
