"""Which bots a replay plays: those that were named, whoever brought them."""

from decimal import Decimal
from types import MappingProxyType

import pytest

from hydra.plugins import INERT
from hydra.research.selection import BadSelection, bots_in, with_bots, with_strategy
from hydra.settings import Settings
from hydra.settings.outside_sections import PluginBotSettings
from tests.engine.scenery import settings_with

DIP = PluginBotSettings.model_validate(
    {
        "bot_id": "dip",
        "enabled": True,
        "kind": INERT,
        "bucket": "momentum",
        "symbols": ("AAPL",),
        "session": {"trade_start": "06:35", "trade_end": "12:00", "manage_until": "12:50"},
        "execution": {"default_notional_usd": Decimal(500)},
        "params": MappingProxyType({}),
    }
)
ASLEEP = DIP.model_copy(update={"bot_id": "asleep", "enabled": False})


def enabled(settings: Settings) -> set[str]:
    """Every bot that may enter, by its name."""
    return {bot.bot_id for bot in bots_in(settings) if bot.enabled}


@pytest.fixture
def settings() -> Settings:
    return settings_with({"plugin_bots": (DIP, ASLEEP), "signalbot.enabled": True})


@pytest.mark.parametrize("bots", [("mom_AAPL",), ("dip",), ("dip", "crypto_core"), ("signal_bot",)])
def test_bots_that_are_named_are_played_and_no_other(
    bots: tuple[str, ...], settings: Settings
) -> None:
    assert {"mom_AAPL", "dip", "crypto_core", "opt_core", "signal_bot"} <= enabled(settings)

    whole = settings.digest
    found = with_bots(settings, bots)

    assert enabled(found) == set(bots)
    assert found.digest != whole


@pytest.mark.parametrize(
    ("bot", "why"),
    [("asleep", "which is not enabled"), ("mom_TSLA", "which is not enabled"), ("x", "no bot")],
)
def test_a_bot_that_is_not_there_or_not_enabled_is_refused_with_those_that_are(
    bot: str, why: str, settings: Settings
) -> None:
    with pytest.raises(BadSelection, match=why) as refused:
        with_bots(settings, (bot,))

    assert "dip" in str(refused.value)
    assert "asleep" not in str(refused.value).partition("wanted")[2]


def test_a_strategy_by_itself_has_no_bot_beside_it(settings: Settings) -> None:
    found = with_strategy(settings, "moving_average_cross", {}, ("AAPL", "MSFT"))

    assert enabled(found) == {"replay_AAPL", "replay_MSFT"}


def test_a_strategy_is_played_also_where_a_mode_switches_bots_off_by_name() -> None:
    """None of those is beside it; what a mode takes from all bots it takes from this one too."""
    names = ("mom_AAPL", "opt_core", "dip")
    settings = settings_with(
        {
            "plugin_bots": (DIP,),
            "modes.fallback.bots_off": names[:1],
            "modes.conservative.bots_off": names,
        }
    )

    found = with_strategy(settings, "moving_average_cross", {}, ("AAPL",))

    assert enabled(found) == {"replay_AAPL"}
    assert found.modes.conservative == settings.modes.conservative.model_copy(
        update={"bots_off": ()}
    )
