"""The file of an outside strategy: each line is one signal or is set aside, and none is two."""

import json
import random
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.store.followed_file import FollowedFile, FollowedLine
from hydra.trading.trade_signals import (
    LINE_BYTES_MAX,
    BadLine,
    SignalAction,
    TradeSignal,
    number_of,
    signal_in,
)
from tests.fuzz.spoiling import json_lines
from tests.fuzz.target import Target, Verdict, require

BUY = {
    "id": "a-1",
    "symbol": "AAPL",
    "action": "buy",
    "at": "2016-04-15T13:40:00Z",
    "quantity": 10,
    "limit_price": 112.5,
    "stop_price": "110.25",
    "expires_at": "2016-04-15T09:45:00-04:00",
    "reason": "a test",
}
WORTH = {"id": "a-2", "symbol": "BRK.B", "action": "buy", "at": BUY["at"], "notional_usd": 2500.5}
SALE = {"id": "a-3", "symbol": "AAPL", "action": "sell", "at": BUY["at"]}
WORDS = (*BUY, *WORTH, "buy", "sell", "AAPL", "a-1", "1970-01-01T00:00:00Z")
SEEDS = (
    b"".join(json.dumps(each).encode() + b"\n" for each in (BUY, WORTH, SALE)),
    json.dumps(BUY).encode() + b"\n\n" + json.dumps(BUY).encode() + b"\n",
)


HUGE = (
    lambda: b"x" * 5_000_000 + b"\n" + SEEDS[0],
    lambda: SEEDS[0] * 500,
    lambda: b"[" * 16_000 + b"\n" + b'{"a":' * 3_000 + b"\n",
    lambda: b'{"id":"a","quantity":' + b"9" * 16_000 + b"}\n",
    lambda: b"\n" * 100_000,
)


@contextmanager
def signals(folder: Path) -> Iterator[Target]:
    """The file's content, followed as the bridge follows it, in two pieces."""
    path = folder / "signals.jsonl"

    def feed(data: bytes) -> Verdict:
        lines = _followed(path, data)
        _require_whole(data, lines)
        told: dict[str, TradeSignal] = {}
        for line in lines:
            if line.is_whole and line.content.strip():
                with suppress(BadLine):
                    signal = signal_in(line.content)
                    _require_as_written(line.content, signal)
                    told.setdefault(signal.id, signal)
        names = [number_of(name) for name in told]
        require(len(set(names)) == len(names), "two signals make one decision")
        return Verdict.ACCEPTED if told else Verdict.REFUSED

    yield Target(name="signals", feed=feed, seeds=SEEDS, spoil=_spoil, huge=HUGE)


def _spoil(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.02:
        return data + b'{"reason":"' + b"x" * LINE_BYTES_MAX + b'"}\n' + data
    return json_lines(WORDS)(data, dice)


def _followed(path: Path, data: bytes) -> list[FollowedLine]:
    """Read in two pieces that break anywhere, as a writer may be half-way through a line."""
    cut = len(data) * 2 // 3
    path.write_bytes(data[:cut])
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    file = FollowedFile(path, None, LINE_BYTES_MAX)
    try:
        lines = file.read()
        with path.open("ab") as more:
            more.write(data[cut:])
        before = None
        while file.place != before:  # within a line that is far too long, a look tells nothing
            before = file.place
            lines += file.read()
    finally:
        file.close()
    return lines


def _require_whole(data: bytes, lines: list[FollowedLine]) -> None:
    """Every line of the file once and in order; of one that is too long, that it was there."""
    wanted = data.split(b"\n")[:-1]
    rest = data.rpartition(b"\n")[2]
    told = [each.content for each in lines if each.number <= len(wanted)]
    require(told == [each[:LINE_BYTES_MAX] for each in wanted], "the lines are others")
    require([each.number for each in lines] == list(range(1, len(lines) + 1)), "odd numbers")
    require(len(lines) - len(wanted) == (len(rest) > LINE_BYTES_MAX), "a line without an end")
    for line in lines:
        require(line.is_whole or len(line.content) == LINE_BYTES_MAX, "not whole, and not too long")


def _require_as_written(line: bytes, signal: TradeSignal) -> None:
    """Read again by another reader, key for key and to the last digit."""
    seen: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        seen.extend(name for name, _ in found)
        return dict(found)

    tree = json.loads(line, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=pairs)
    require(len(set(seen)) == len(seen), "a key stands there twice")
    require(set(tree) <= set(BUY) | set(WORTH), f"a key that is not known: {sorted(tree)}")
    require(tree["id"] == signal.id and tree["symbol"] == signal.symbol, "another name")
    require(tree["action"] == signal.action.value, "another action")
    for name in ("quantity", "notional_usd", "limit_price", "stop_price"):
        written, read = tree.get(name), getattr(signal, name)
        if read is None:
            require(written is None, f"{name} was left out")
            continue
        require(Decimal(written) == read, f"{name} {written} was read as {read}")
        require(0 < read <= 10_000_000, f"{name} is {read}")
    if signal.action is SignalAction.BUY:
        sizes = [signal.quantity, signal.notional_usd]
        require(sizes.count(None) == 1, "a buy of two sizes or of none")
    require(signal.expires_at is None or signal.expires_at > signal.at, "expired before it began")
