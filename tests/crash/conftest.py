"""The market that killed engines trade on, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.venues.market_sessions import exchange_sessions
from hydra.venues.simulated.market_data import GENERATED_DATE, MarketData
from tests.crash.installed import Installed
from tests.crash.trading import SHORT_COOL_OFFS, SYMBOLS, Trader, generated_market, served_market

MakeTrader = Callable[..., Trader]


@pytest.fixture(scope="session")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of the exchange's sessions: to compute them takes longer than a run."""
    cache = tmp_path_factory.mktemp("calendar")
    exchange_sessions(GENERATED_DATE, GENERATED_DATE, cache)
    return cache


@pytest.fixture(scope="session")
def market(calendar: Path) -> MarketData:
    return generated_market(SYMBOLS, calendar)


@pytest.fixture
def trader(tmp_path: Path, market: MarketData, calendar: Path) -> Trader:
    return Trader(tmp_path, market, calendar)


@pytest.fixture(scope="session")
def served(calendar: Path) -> MarketData:
    """The same market, for runs on threads: their venue asks more of the calendar."""
    return served_market(SYMBOLS, calendar)


@pytest.fixture
def installed(tmp_path: Path, served: MarketData, calendar: Path) -> Installed:
    """The installed program with an account of its own."""
    return Installed(tmp_path, served, calendar, settings=SHORT_COOL_OFFS)
