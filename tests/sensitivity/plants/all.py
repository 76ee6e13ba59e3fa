"""All planted bugs, in the order of docs/invariants.md."""

from tests.sensitivity.plants import (
    halts,
    limits,
    market_data,
    orders,
    process,
    record,
    surfaces,
)

ALL = (
    *halts.PLANTS,
    *orders.PLANTS,
    *limits.PLANTS,
    *market_data.PLANTS,
    *record.PLANTS,
    *process.PLANTS,
    *surfaces.PLANTS,
)
