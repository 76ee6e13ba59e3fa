"""Where a day is played: with which settings, on which market, and who watches the actors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hydra.actor import ChildSpec
from hydra.proving import scene
from hydra.proving.option_market import OptionMarket
from hydra.proving.plan import DayPlan
from hydra.settings import Settings
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData

Dressed = Callable[[ChildSpec], ChildSpec]
"""The engine's tree as it is started, made of the tree as it is assembled."""


class Stage:
    """That of the proof: our own bots, on a market as it is every day."""

    def settings_in(self, folder: Path, plan: DayPlan) -> Settings:
        """What the engine is configured to; the day's files are in the folder."""
        return scene.settings_in(folder, plan.premium_usd)

    def market_of(self, plan: DayPlan) -> tuple[MarketData, OptionMarket | None]:
        """The day's market, and what is traded of contracts in it."""
        if plan.has_options:
            return scene.option_market_of(plan.market, plan.minutes)
        return scene.market_of(plan.market, plan.minutes), None

    def dressed(self, exchange: SimulatedExchange) -> Dressed:
        """What is made of each process's tree, on that venue."""
        return lambda tree: tree


PROOF = Stage()
