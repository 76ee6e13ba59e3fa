"""What the logs of both faces of the venue have in common: when a line was written, and one kind.

The other kinds are rightly two, though some bear the same name. How a venue begins and is taken up
differs (a seed and faults on the one side, a market's terms and a clock that is set on the other),
and a request is an engine's order on the one side and whatever a client may ask on the other.
"""

import msgspec


class DatedLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line that was written at market time `at`, which was `wall_ns` (UTC ns) by the machine.

    `events` is how many events of the market had happened by then.
    """

    at: int
    wall_ns: int
    events: int


class MarketMoved(DatedLine, frozen=True, kw_only=True, tag="market"):
    """The market or the hour did something to an order, and somebody is going to be told.

    So a restart must come at least this far. `executions` counts all there were.
    """

    executions: int
