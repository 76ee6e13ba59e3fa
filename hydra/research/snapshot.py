"""What a replay decided and what came of it, as one plain value that can be compared and read.

Prices are written with four decimals, quantities in the steps of their symbol: whole shares, and
billionths of a coin. What does not fit its step is written in full, since that is worth seeing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from hydra.ops.artefacts.entries import DENIED
from hydra.research.replay_data import ReplayData
from hydra.research.scratch_replay import ScratchReplay
from hydra.store.tables import OrderRecord
from hydra.trading.bars import Bar
from hydra.trading.exact import plain, subtract, total
from hydra.trading.instruments import is_crypto
from hydra.trading.sub_ledgers import BotInventory
from hydra.venues.bar_rows import shown_time
from messages.orders import OrderIntent

Snapshot: TypeAlias = dict[str, Any]
"""As it is read from JSON, so that an old one can be compared whatever is added later."""

INTENTS, EXECUTIONS, POSITIONS = "order_intents", "executions", "positions"

_PRICE_STEP = Decimal("0.0001")
_SHARE_STEP, _COIN_STEP = Decimal(1), Decimal("0.000000001")


def snapshot_of(played: ScratchReplay, data: ReplayData, starting_cash: Decimal) -> Snapshot:
    """All intents in the order of judging, executions, FIFO positions, and P&L after fees."""
    done = played.replayed
    prices = _last_closes(data.market.bars)
    held = [_position(each, prices) for each in played.held]
    realised = {each.bot: each.realised for each in played.money}
    snapshot: Snapshot = msgspec.to_builtins(
        {
            "window": data.window.facts,
            INTENTS: list(_intents(played)),
            EXECUTIONS: list(_executions(played)),
            POSITIONS: held,
            "pnl": {
                "realised": plain(total(realised.values())),
                "realised_by_bot": {bot: plain(made) for bot, made in realised.items()},
                "unrealised": plain(total(each["unrealised"] for each in held)),
                "total": None
                if done.equity is None
                else plain(subtract(done.equity, starting_cash)),
            },
            "denials": dict(done.summary.denials),
            "standing": [cause.code for cause in done.standing],
        }
    )
    return snapshot


def quantised(value: Decimal, step: Decimal) -> Decimal:
    """The same number with the decimals of the step; in full where it has more of them."""
    rounded = value.quantize(step)
    return rounded if rounded == value else plain(value)


def _intents(played: ScratchReplay) -> Iterator[Mapping[str, object]]:
    orders = {each.state.order.client_order_id: each for each in played.orders}
    for line in played.story:
        if line["event"] == "order_approved":
            intent = msgspec.convert(line["intent"], OrderIntent)
            yield _intent(intent) | _order(orders[line["client_order_id"]])
        elif line["event"] == "order_denied":
            intent = msgspec.convert(line["intent"], OrderIntent)
            why = f"{line['check']}: {line['reason']}"
            yield _intent(intent) | {"status": DENIED, "status_reason": why}


def _intent(intent: OrderIntent) -> dict[str, object]:
    decision = intent.decision
    return {
        "at": shown_time(intent.decided_at),
        "bot": decision.bot,
        "symbol": decision.symbol,
        "session": decision.session,
        "signal": decision.signal,
        "role": decision.role,
        "side": intent.side,
        "quantity": _quantity(decision.symbol, intent.quantity),
        "order_type": intent.order_type,
        "time_in_force": intent.time_in_force,
        "limit_price": _price(intent.limit_price),
        "stop_price": _price(intent.stop_price),
        "reference_price": _price(intent.reference_price),
        "protective_stop": _price(intent.protective_stop),
        "reason": intent.reason,
    }


def _order(order: OrderRecord) -> dict[str, object]:
    state = order.state
    return {
        "client_order_id": state.order.client_order_id,
        "status": state.status,
        "status_reason": state.reason,
        "filled_quantity": _quantity(state.order.symbol, state.filled_quantity),
    }


def _executions(played: ScratchReplay) -> Iterator[Mapping[str, object]]:
    for each in played.replayed.fills:
        fill, fee = each.fill, each.fee
        yield {
            "at": shown_time(fill.at),
            "bot": each.bot,
            "symbol": fill.symbol,
            "side": fill.side,
            "quantity": _quantity(fill.symbol, fill.quantity),
            "price": _price(fill.price),
            "fee": None if fee is None else f"{plain(fee.amount):f} {fee.asset}",
            "client_order_id": fill.client_order_id,
        }


def _position(held: BotInventory, prices: Mapping[str, Decimal]) -> dict[str, Any]:
    inventory = held.inventory
    average = inventory.average_price
    assert average is not None, "nothing that was closed is among them"
    return {
        "bot": held.bot,
        "symbol": inventory.symbol,
        "quantity": _quantity(inventory.symbol, inventory.position),
        "average_price": average.quantize(_PRICE_STEP),
        "unrealised": plain(inventory.unrealised(prices[inventory.symbol])),
    }


def _last_closes(bars: tuple[Bar, ...]) -> dict[str, Decimal]:
    return {bar.symbol: Decimal(repr(bar.close)) for bar in bars}


def _quantity(symbol: str, quantity: Decimal) -> Decimal:
    return quantised(quantity, _COIN_STEP if is_crypto(symbol) else _SHARE_STEP)


def _price(price: Decimal | None) -> Decimal | None:
    return None if price is None else quantised(price, _PRICE_STEP)
