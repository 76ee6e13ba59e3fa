"""A data set of a coin alone, made by hand: small, and without the calendar of an exchange."""

from datetime import UTC, datetime
from itertools import accumulate, pairwise
from pathlib import Path

from hydra.research.dataset import SHIPPED
from hydra.trading.durations import MINUTE, SECOND

START = 1_767_618_000_000_000_000
"""2026-01-05T13:00:00Z."""
STEPS = [0] * 12 + [30] * 10 + [-60] * 12 + [0] * 12 + [40] * 8
"""How the price moves from minute to minute: one trade is stopped out, the next one stays."""

FACTS = """\
start: "2026-01-05"
end: "2026-01-06"
timezone: UTC
starting_cash: 100000
slippage_bps: 2
crypto_fee_bps: 25
"""


def make_dataset(folder: Path, *, first: int = 60_000) -> Path:
    """The crypto bot of the data set that is shipped, and an hour of bars for it."""
    folder.mkdir()
    (folder / "dataset.yaml").write_text(FACTS)
    (folder / "settings.yaml").write_bytes((SHIPPED / "settings.yaml").read_bytes())
    bots = (SHIPPED / "bots.yaml").read_text("utf-8")
    shares, coins = bots.split("cryptobot:")
    shares = shares.replace("- bot_id: mom", "- bot_id: off")
    head, momentum = shares.split("momentum_bots:")
    momentum = momentum.replace("enabled: true", "enabled: false")
    (folder / "bots.yaml").write_text(f"{head}momentum_bots:{momentum}cryptobot:{coins}")
    write_bars(folder / "BTCUSD_1m.csv", first)
    return folder


def write_bars(path: Path, first: int) -> None:
    rows = ["ts_utc,open,high,low,close,volume"]
    closes = list(accumulate(STEPS, initial=first))
    for number, (before, after) in enumerate(pairwise(closes)):
        at = datetime.fromtimestamp((START + number * MINUTE) // SECOND, UTC)
        low, high = sorted((before, after))
        rows.append(f"{at.isoformat()},{before},{high},{low},{after},1000")
    path.write_text("\n".join(rows) + "\n")
