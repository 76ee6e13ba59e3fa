import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from hydra.ops.drill.own_bot import (
    BOT_ID,
    CANDIDATES,
    notional_of,
    section_of,
    signal_line,
    ticker_of,
    with_own_bot,
)
from hydra.settings import load_settings
from hydra.terms import traded_symbols
from hydra.trading.durations import SECOND
from hydra.trading.trade_signals import signal_in
from tests.ops.sessions import HOME

OPEN_AT, CLOSE_AT = 1_767_623_400 * SECOND, 1_767_646_800 * SECOND  # 2026-01-05, 14:30 and 21:00
SECTION = section_of("NVDA", "America/Los_Angeles", Path("/x/signals.jsonl"), OPEN_AT, CLOSE_AT)
SHIPPED = (HOME / "config" / "bots.yaml").read_text()


@pytest.mark.parametrize(
    "given",
    [
        SHIPPED,
        SHIPPED.rstrip("\n"),
        SHIPPED[: SHIPPED.index("# The signal bridge")] + SHIPPED[SHIPPED.index("# Strategy") :],
        SHIPPED.replace("\ncryptobot:", "\n\n\ncryptobot:"),
    ],
    ids=["shipped", "without a last line feed", "without a bridge", "with more blank lines"],
)
def test_the_drills_bot_takes_the_place_of_the_bridge_and_nothing_else_changes(given: str) -> None:
    before, after = yaml.safe_load(given), yaml.safe_load(with_own_bot(given, SECTION))

    assert after.pop("signalbot")["bot_id"] == BOT_ID
    before.pop("signalbot", None)
    assert after == before


def test_with_it_the_shipped_configuration_is_a_configuration(tmp_path: Path) -> None:
    config = Path(shutil.copytree(HOME / "config", tmp_path / "config"))
    shipped = load_settings(config)
    (config / "bots.yaml").write_text(with_own_bot(SHIPPED, SECTION))

    settings = load_settings(config)

    assert set(traded_symbols(settings)) == {*traded_symbols(shipped), "NVDA"}
    assert settings.risk == shipped.risk
    assert settings.guards == shipped.guards
    assert str(settings.signalbot.session.trade_start) in ("06:30", "06:30:00")


def test_it_trades_a_share_that_nobody_else_does() -> None:
    settings = load_settings(HOME / "config")

    assert ticker_of(settings) not in traded_symbols(settings)
    bots = tuple(
        settings.momentum_bots[0].model_copy(update={"ticker": ticker}) for ticker in CANDIDATES
    )
    with pytest.raises(LookupError, match="found every one of NVDA, MSFT"):
        ticker_of(settings.model_copy(update={"momentum_bots": bots}))


def test_an_order_of_it_keeps_to_every_limit_on_a_single_one() -> None:
    settings = load_settings(HOME / "config")
    pace = settings.guards.pace.model_copy(update={"max_notional_per_day_usd": Decimal(300)})
    tight = settings.model_copy(
        update={"guards": settings.guards.model_copy(update={"pace": pace})}
    )

    assert notional_of(settings) == 1000
    assert notional_of(tight) == 300


def test_its_wish_is_a_signal() -> None:
    line = signal_line(2, "NVDA", Decimal(1000), OPEN_AT + 5)

    signal = signal_in(line.rstrip(b"\n"))

    assert (signal.id, signal.symbol, signal.at) == ("drill-2", "NVDA", OPEN_AT)
