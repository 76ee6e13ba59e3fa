"""What holds for every order, however odd, in every situation."""

from decimal import Context, localcontext

from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.checks.place import as_taken, first_refusal
from hydra.venues.simulated.brokerage.checks.replace import first_replace_refusal
from hydra.venues.simulated.brokerage.money import used_buying_power
from hydra.venues.simulated.brokerage.option_book import risk_of
from hydra.venues.simulated.brokerage.option_rules import lots_of
from hydra.venues.simulated.brokerage.requests import PlaceOrder, ReplaceOrder
from hydra.venues.simulated.brokerage.reserves import reserve_of
from hydra.venues.simulated.brokerage.view import OrderView
from tests.venues.simulated_broker.checks.draws import (
    SANE,
    changes_and_views,
    likely_orders,
    orders,
    views,
)

STATUS_OF_CODE = {40010001: 422, 42210000: 422, 40310000: 403, 40310100: 403}

ANY_CASE = (orders() | orders(SANE) | likely_orders()).flatmap(
    lambda order: st.tuples(st.just(order), views(order))
)
LIKELY_CASE = likely_orders().flatmap(lambda order: st.tuples(st.just(order), views(order)))


@given(ANY_CASE)
def test_every_order_is_taken_or_refused_in_the_brokers_words(
    case: tuple[PlaceOrder, OrderView],
) -> None:
    order, seen = case

    refusal = first_refusal(order, seen)

    if refusal is not None:
        assert refusal.status == STATUS_OF_CODE[refusal.code]
        assert "\n" not in refusal.message and len(refusal.message) < 200


@given(changes_and_views())
def test_every_change_is_taken_or_refused_in_the_brokers_words(
    case: tuple[ReplaceOrder, OrderView],
) -> None:
    change, seen = case

    refusal = first_replace_refusal(change, seen)

    if refusal is not None:
        assert refusal.status == STATUS_OF_CODE[refusal.code]


@given(LIKELY_CASE)
def test_the_answer_does_not_depend_on_the_threads_decimal_context(
    case: tuple[PlaceOrder, OrderView],
) -> None:
    order, seen = case

    with localcontext(Context(prec=3)):
        answer = first_refusal(order, seen)

    assert answer == first_refusal(order, seen)


@given(LIKELY_CASE)
def test_an_order_that_is_taken_ties_up_at_most_the_buying_power(
    case: tuple[PlaceOrder, OrderView],
) -> None:
    order, seen = case
    if first_refusal(order, seen) is not None:
        return

    reserve = reserve_of(as_taken(order, seen), seen)

    figures = seen.figures
    assert used_buying_power(reserve, figures.multiplier) <= figures.buying_power
    assert min(reserve.value, reserve.cash) >= 0
    if reserve.margin_pct == 100:
        assert reserve.cash <= figures.non_marginable_buying_power


@given(LIKELY_CASE)
def test_no_option_order_that_is_taken_leaves_a_call_naked(
    case: tuple[PlaceOrder, OrderView],
) -> None:
    order, seen = case
    lots = lots_of(order, seen)
    if not lots or first_refusal(order, seen) is not None:
        return
    book = seen.options

    after = risk_of((*book.held, *lots), shares=book.shares)

    assert after.naked_shares <= risk_of(book.held, shares=book.shares).naked_shares
