"""The market of a run that is given no data: generated, of what the enabled bots would trade."""

from __future__ import annotations

from pathlib import Path

from hydra.settings import Settings
from hydra.terms import traded_symbols
from hydra.venues.simulated.market_data import MarketData, generated


def generated_market(
    settings: Settings, seed: int, cache_dir: Path | None, *, is_virtual: bool
) -> MarketData:
    """The same for the same settings and seed: who looks after a run that has ended makes it again.

    In virtual time the venue has no options, so nobody wants their underlyings.
    """
    return generated(traded_symbols(settings, with_options=not is_virtual), seed, cache_dir)
