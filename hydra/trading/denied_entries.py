"""A denied entry is no trade of the day. So that it is not wished for and denied for ever, each
denial in a row doubles the time until the next wish.
"""

from hydra.trading.durations import MINUTE

FIRST_PAUSE = MINUTE
LONGEST_PAUSE = 16 * MINUTE
"""At most four wishes an hour go on; once the reason is gone nobody waits longer than this."""


class DeniedEntries:
    """Of one bot, or of one symbol of it. Times are market time (UTC ns)."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._again_at = 0

    def denied(self, at: int) -> None:
        """The guardian refused an entry at this time."""
        self._again_at = at + min(LONGEST_PAUSE, FIRST_PAUSE << min(self._in_a_row, 10))
        self._in_a_row += 1

    def passed(self) -> None:
        """One went on to the venue."""
        self._in_a_row = self._again_at = 0

    def why_not(self, at: int) -> str:
        """Why no entry is wished for now; "" if one may be."""
        if at >= self._again_at:
            return ""
        return f"its last entries were denied, {self._in_a_row} in a row"
