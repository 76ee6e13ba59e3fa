"""What is written down of how orders get done, and of regimes: a part of the vocabulary."""

from messages.event_kinds import EXECUTION, EventKind

EXECUTION_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "execution_measuring",
        EXECUTION,
        "From here on it is measured how well orders get done. What was before counts no more.",
        {},
    ),
    EventKind(
        "router_changed",
        EXECUTION,
        "The way of orders is worth more, or less, than it was.",
        {
            "state": "good, untried (too few orders to say), degraded (a score below a half) or "
            "idle (orders are out, and nothing is heard)",
            "was": "the state before",
            "score": "from 0 to 1; null: too few orders",
            "orders": "of how many orders",
        },
    ),
    EventKind(
        "execution_measured",
        EXECUTION,
        "How the last orders of one symbol got done. Told now and then, after there were some.",
        {
            "symbol": "what was traded",
            "score": "from 0 to 1; null: too few orders",
            "orders": "of how many orders all of this is",
            "filled": "how many of them completely",
            "rejected": "how many the venue refused",
            "unknown": "of how many it was not known what came of them",
            "slippage_bps": "basis points that executions cost more than the price that was "
            "decided on; null: not measured",
            "slippage_usd": "the same in USD",
            "latency_ms": "the median from approval to acceptance (machine time); null: none",
            "fill_rate": "from 0 to 1, of market orders that are over; null: none",
            "reject_rate": "from 0 to 1, of orders that were answered; null: none",
        },
    ),
    EventKind(
        "regime_changed",
        EXECUTION,
        "A market is more restless, or calmer, than it was.",
        {
            "symbol": "whose",
            "regime": "low, normal, elevated or high",
            "was": "the regime before, or null",
        },
    ),
)
