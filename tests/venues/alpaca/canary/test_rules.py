"""The rules for orders as data: what is sent goes by them, and what tries them cannot trade."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.coin_orders import CoinTerms
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.situation import PriceStep
from hydra.venues.alpaca.canary.desk import PREFIX
from hydra.venues.alpaca.canary.probing import probe_of
from hydra.venues.alpaca.canary.reading import Market
from hydra.venues.alpaca.order_matrix import (
    PROBED,
    TAKEN,
    AssetKind,
    Extra,
    OrderRule,
    Portion,
    times_in_force,
)
from hydra.venues.alpaca.sending import NAME, order_body, unsendable

COIN = CoinTerms(
    quantity_step=Decimal("0.000000001"), price_steps=(PriceStep(Decimal(0), Decimal("0.01")),)
)
MARKETS = {
    AssetKind.EQUITY: Market(symbol="HYDR", bid=Decimal("41.27"), terms=CoinTerms()),
    AssetKind.CRYPTO: Market(symbol="BTC/USD", bid=Decimal("61247.9"), terms=COIN),
}
OF_THE_MATRIX = [rule for rule in PROBED if rule.extra is Extra.NONE]

rules = st.sampled_from(PROBED)


def bids(kind: AssetKind) -> st.SearchStrategy[Decimal]:
    least = "5" if kind is AssetKind.EQUITY else "0.1"
    return st.decimals(least, "250000", places=4)


@given(data=st.data(), rule=rules)
def test_whatever_is_tried_buys_the_least_far_below_what_is_bid(
    data: st.DataObject, rule: OrderRule
) -> None:
    bid = data.draw(bids(rule.kind))
    market = Market(symbol=MARKETS[rule.kind].symbol, bid=bid, terms=MARKETS[rule.kind].terms)

    order = probe_of(rule, market, f"{PREFIX}run-{rule.name}").order

    assert (order.side, order.order_type) == (Side.BUY, OrderType.LIMIT)
    assert order.limit_price is not None and 0 < order.limit_price < Decimal("0.71") * bid
    is_coin = rule.kind is AssetKind.CRYPTO
    assert order.quantity * order.limit_price <= (13 + bid * COIN.quantity_step if is_coin else bid)
    assert order.client_order_id.startswith(PREFIX)


@pytest.mark.parametrize("rule", OF_THE_MATRIX, ids=lambda rule: rule.name)
def test_what_is_tried_is_the_request_that_the_engine_would_send_or_would_not(
    rule: OrderRule,
) -> None:
    probe = probe_of(rule, MARKETS[rule.kind], f"{PREFIX}run-{rule.name}")

    if rule.refused is None:
        assert json.loads(probe.body) == json.loads(order_body(probe.order, Role.ENTRY))
    else:
        assert unsendable(probe.order) is not None


@pytest.mark.parametrize(
    "extra", [Extra.BETWEEN_PRICES, Extra.LONG_NAME], ids=lambda extra: extra.name
)
def test_what_else_the_broker_refuses_the_engine_does_not_send_either(extra: Extra) -> None:
    (rule,) = (each for each in PROBED if each.extra is extra)

    assert unsendable(probe_of(rule, MARKETS[rule.kind], f"{PREFIX}x").order) is not None


def test_each_rule_has_a_name_of_its_own_that_fits_into_an_orders() -> None:
    names = [rule.name for rule in PROBED]

    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(f"{PREFIX}20261123T101500Z-abcd-{name}") for name in names)


def test_what_is_not_named_in_the_matrix_is_not_sent() -> None:
    assert (AssetKind.OPTION, Portion.FRACTION) not in TAKEN
    nothing: frozenset[TimeInForce] = frozenset()
    assert times_in_force(AssetKind.OPTION, Portion.FRACTION, OrderType.LIMIT) == nothing
    assert times_in_force(AssetKind.CRYPTO, Portion.WHOLE, OrderType.STOP) == nothing
