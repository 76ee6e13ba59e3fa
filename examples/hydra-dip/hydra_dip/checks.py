"""not_at_lunch: no entry between noon and one in New York.

A check answers None, or the reason why not. It is asked about entries, behind Hydra's own checks,
and can only deny: what they refuse it never sees.
"""

from hydra.trading.sessions import Window
from hydra.trading.situation import Situation

LUNCH = Window.parse("12:00", "13:00", "America/New_York")


def not_at_lunch(situation: Situation) -> str | None:
    """The good case first, and everything else is a reason."""
    if not LUNCH.contains(situation.at):
        return None
    return "it is between 12:00 and 13:00 in New York, when nothing is entered"
