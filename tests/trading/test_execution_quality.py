import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.durations import MILLISECOND, MINUTE, SECOND
from hydra.trading.execution_quality import (
    EARLY_MAX,
    Accepted,
    End,
    Ended,
    Event,
    Filled,
    Latency,
    Quality,
    QualityState,
    QualityTerms,
    RouterState,
    Sent,
    Slippage,
    Withheld,
    after,
    executions_of,
    quality,
    router_state,
    score,
)
from hydra.trading.orders import Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL

TERMS = QualityTerms(
    orders_max=50,
    symbols_max=8,
    orders_min=4,
    slippage_bps_half=D(20),
    latency_ns_half=2 * SECOND,
    idle_ns=30 * SECOND,
    lasts_ns=3600 * SECOND,
)
NOTHING_PAID = Slippage(orders=0, cost=D(0), notional=D(0))


def sent(name: str = "one", side: Side = BUY, **changes: Any) -> Sent:
    """Ten AAPL, decided on at 100 at 1 s, sent 5 ms later with a quote of 99.98 to 100.02."""
    made = Sent(
        name=name,
        symbol="AAPL",
        side=side,
        quantity=D(10),
        decided_at=SECOND,
        at=SECOND + 5 * MILLISECOND,
        reference_price=D(100),
        bid=D("99.98"),
        ask=D("100.02"),
    )
    return structs.replace(made, **changes)


def accepted(name: str = "one", at: int = SECOND + 25 * MILLISECOND) -> Accepted:
    return Accepted(name=name, symbol="AAPL", at=at)


def filled(quantity: str, price: str, name: str = "one", at: int = 2 * SECOND) -> Filled:
    return Filled(name=name, symbol="AAPL", quantity=D(quantity), price=D(price), at=at)


def ended(how: End, name: str = "one", at: int = 3 * SECOND) -> Ended:
    return Ended(name=name, symbol="AAPL", how=how, at=at)


def told(*events: Event, terms: QualityTerms = TERMS) -> QualityState:
    state = QualityState()
    for event in events:
        state = after(state, event, terms)
    return state


def quality_of(*events: Event) -> Quality:
    return quality(executions_of(told(*events)))


def latency(*times: int) -> Latency:
    ordered = sorted(times)
    return Latency(
        orders=len(times), total=sum(times), most=ordered[-1], median=ordered[len(times) // 2]
    )


def test_every_figure_of_one_order_is_exact() -> None:
    found = quality_of(sent(), accepted(), filled("4", "100.03"), filled("3", "100.05"))

    cost = D("4") * D("0.03") + D("3") * D("0.05")
    from_quote = D("4") * D("0.01") + D("3") * D("0.03")
    assert found == Quality(
        orders=1,
        answered=1,
        filled=0,
        partial=1,
        rejected=0,
        canceled=0,
        unknown=0,
        failed=0,
        ordered_quantity=D(0),
        filled_quantity=D(0),
        from_reference=Slippage(orders=1, cost=cost, notional=D(700)),
        from_quote=Slippage(orders=1, cost=from_quote, notional=D("700.14")),
        to_send=latency(5 * MILLISECOND),
        to_accept=latency(20 * MILLISECOND),
        to_fill=latency(995 * MILLISECOND),
    )
    assert found.from_reference.bps == D("3.86")  # 0.27 of 700 is 3.857…, rounded to the worse


def test_a_sale_below_the_price_decided_on_is_slippage_and_one_above_is_none() -> None:
    worse = quality_of(sent(side=SELL), filled("10", "99.90"))
    better = quality_of(sent(side=SELL), filled("10", "100.10"))

    assert worse.from_reference.bps == D(10)
    assert worse.from_quote == Slippage(orders=1, cost=D("0.80"), notional=D("999.80"))
    assert better.from_reference.bps == D(-10)


@pytest.mark.parametrize(
    "quote",
    [
        {"bid": None},
        {"ask": None},
        {"bid": D("100.02")},
        {"bid": D(0)},
        {"ask": D("NaN")},
        {"ask": D("Infinity")},
    ],
)
def test_a_quote_that_is_none_measures_nothing_i46(quote: dict[str, Decimal | None]) -> None:
    without = structs.replace(sent(), **quote)

    assert quality_of(without, filled("10", "101")).from_quote == NOTHING_PAID


def test_without_a_reference_or_an_execution_no_slippage_is_measured() -> None:
    assert quality_of(sent(reference_price=None), filled("1", "9")).from_reference == NOTHING_PAID
    assert quality_of(sent(), accepted()).from_reference == NOTHING_PAID
    assert NOTHING_PAID.bps is None


def test_outcomes_are_counted_by_what_was_said_of_each_order() -> None:
    found = quality_of(
        sent("whole"),
        filled("10", "100", "whole"),
        sent("part"),
        filled("4", "100", "part"),
        ended(End.CANCELED, "part"),
        sent("none"),
        ended(End.EXPIRED, "none"),
        sent("refused"),
        ended(End.REJECTED, "refused"),
        sent("lost"),
        ended(End.UNKNOWN, "lost"),
        sent("found"),
        ended(End.UNKNOWN, "found"),
        ended(End.REJECTED, "found"),
        sent("silent"),
    )

    counts = (found.orders, found.answered, found.filled, found.partial)
    assert counts == (7, 6, 1, 1)
    assert (found.rejected, found.canceled, found.unknown, found.failed) == (2, 2, 2, 3)
    assert (found.ordered_quantity, found.filled_quantity) == (D(30), D(14))
    assert found.fill_rate is not None and round(found.fill_rate, 10) == D("0.4666666667")
    assert found.reject_rate is not None and round(found.reject_rate, 10) == D("0.3333333333")


def test_an_order_that_is_meant_to_rest_is_not_held_to_be_filled() -> None:
    resting = quality_of(sent(rests=True), accepted(), ended(End.CANCELED))

    assert (resting.fill_rate, resting.canceled) == (None, 1)
    assert quality_of(sent(), ended(End.CANCELED)).fill_rate == 0


def test_a_clock_that_goes_backwards_measures_no_latency_i49() -> None:
    found = quality_of(sent(), accepted(at=SECOND))

    assert found.to_accept == Latency(orders=0, total=0, most=None, median=None)


# The score.


def fine(count: int, price: str = "100", late: int = 0) -> list[Event]:
    """So many orders that were accepted and filled."""
    events: list[Event] = []
    for number in range(count):
        name = f"fine-{number}"
        events += [
            sent(name, bid=None),
            accepted(name, at=SECOND + 5 * MILLISECOND + late),
            filled("10", price, name),
        ]
    return events


def score_of(*events: Event) -> Decimal | None:
    return score(quality_of(*events), TERMS)


def test_perfect_orders_score_one_and_too_few_score_nothing() -> None:
    assert score_of(*fine(4)) == 1
    assert score_of(*fine(3)) is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (fine(4, price="100.20"), "0.5"),  # 20 bps
        (fine(4, price="100.60"), "0.25"),  # 60 bps
        (fine(4, price="99"), "1"),
        (fine(4, late=2 * SECOND), "0.5"),
        (fine(4, price="100.20", late=2 * SECOND), "0.25"),
        ([*fine(3), sent("bad"), ended(End.REJECTED, "bad")], "0.75"),
        ([*fine(3), sent("bad"), ended(End.UNKNOWN, "bad")], "0.75"),
        ([*fine(3), sent("bad"), ended(End.UNKNOWN, "bad"), ended(End.REJECTED, "bad")], "0.75"),
        ([*fine(2), *[e for n in "ab" for e in (sent(n), ended(End.CANCELED, n))]], "0.75"),
        ([e for n in "abcd" for e in (sent(n), ended(End.REJECTED, n))], "0"),
        ([e for n in "abcd" for e in (sent(n), ended(End.CANCELED, n))], "0.5"),
    ],
)
def test_each_factor_lowers_the_score_as_documented(events: list[Event], expected: str) -> None:
    assert score_of(*events) == D(expected)


def test_below_a_half_is_degraded_and_a_half_is_not() -> None:
    def state_of(price: str) -> RouterState:
        return router_state(executions_of(told(*fine(4, price=price))), TERMS, at=MINUTE)

    assert state_of("100.20") is RouterState.GOOD
    assert state_of("100.21") is RouterState.DEGRADED
    assert router_state((), TERMS, at=MINUTE) is RouterState.UNTRIED


def test_orders_out_and_no_word_of_any_is_idle_until_one_is_heard() -> None:
    out = sent("late", at=10 * SECOND)
    silent = executions_of(told(*fine(4), out))
    heard = executions_of(told(*fine(4), out, sent("other"), accepted("other", at=30 * SECOND)))
    answered = executions_of(told(*fine(4), out, accepted("late", at=11 * SECOND)))

    assert router_state(silent, TERMS, at=40 * SECOND) is RouterState.GOOD
    assert router_state(silent, TERMS, at=40 * SECOND + 1) is RouterState.IDLE
    assert router_state(heard, TERMS, at=60 * SECOND) is RouterState.GOOD
    assert router_state(heard, TERMS, at=60 * SECOND + 1) is RouterState.IDLE
    assert router_state(answered, TERMS, at=10 * MINUTE) is RouterState.GOOD


# What is remembered.


def test_memory_is_bounded_by_orders_and_symbols_the_oldest_go_first_i71() -> None:
    terms = structs.replace(TERMS, orders_max=3, symbols_max=2)
    events = [sent(f"{symbol}{n}", symbol=symbol) for symbol in ("A", "B", "C") for n in range(5)]

    state = told(*events, accepted("A4"), terms=terms)

    assert list(state.orders) == ["B", "C"]
    assert [each.sent.name for each in state.orders["C"]] == ["C2", "C3", "C4"]
    assert state.unmatched == 1


def test_a_symbol_that_is_traded_again_is_not_the_oldest() -> None:
    terms = structs.replace(TERMS, symbols_max=2)
    again = [sent(f"{symbol}{n}", symbol=symbol) for n, symbol in enumerate("ABAC")]

    assert sorted(told(*again, terms=terms).orders) == ["A", "C"]


def test_an_order_that_is_told_twice_is_sent_once() -> None:
    assert told(sent(), accepted(), sent()) == told(sent(), accepted())


@pytest.mark.parametrize("name", structs.fields(QualityTerms))
def test_no_limit_may_be_zero_i40(name: Any) -> None:
    zero = D(0) if name.type is Decimal else 0
    with pytest.raises(ValueError, match=name.name):
        structs.replace(TERMS, **{name.name: zero})
    with pytest.raises(ValueError, match=name.name):
        structs.replace(TERMS, **{name.name: 1.5})


NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TIMES = st.integers(0, 60 * SECOND)
EVENTS = st.lists(
    st.one_of(
        st.builds(accepted, NAMES, TIMES),
        st.builds(
            lambda quantity, cents, name, at: filled(
                str(quantity), str(D(cents).scaleb(-2)), name, at
            ),
            st.integers(1, 9),
            st.integers(9_000, 11_000),
            NAMES,
            TIMES,
        ),
        st.builds(ended, st.sampled_from(End), NAMES, TIMES),
    ),
    max_size=25,
)
SENDS = [sent(name, side) for name, side in zip("abcde", (BUY, SELL, BUY, SELL, BUY), strict=True)]


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_what_is_told_changes_nothing_i24(
    events: list[Event], rng: random.Random
) -> None:
    shuffled = list(events)
    rng.shuffle(shuffled)
    for send in reversed(SENDS):  # in their order, but anywhere between what came of them
        first = min((n for n, e in enumerate(shuffled) if isinstance(e, Sent)), default=None)
        shuffled.insert(rng.randint(0, len(shuffled) if first is None else first), send)

    one, other = told(*shuffled), told(*SENDS, *events)
    assert (one.orders, one.unmatched) == (other.orders, other.unmatched)


def test_so_many_orders_of_which_only_the_end_is_known_are_kept_in_mind_i71() -> None:
    state = told(*(accepted(f"old {n}") for n in range(EARLY_MAX + 1)))

    assert list(state.early) == [f"old {n}" for n in range(1, EARLY_MAX + 1)]


@given(EVENTS)
def test_scores_and_rates_are_from_zero_to_one_and_counts_add_up(events: list[Event]) -> None:
    found = quality_of(*SENDS, *events)
    value = score(found, structs.replace(TERMS, orders_min=1))

    assert value is None if not found.answered else value is not None and 0 <= value <= 1
    assert found.fill_rate is None or 0 <= found.fill_rate <= 1
    assert found.reject_rate is None or 0 <= found.reject_rate <= 1
    assert max(found.rejected, found.unknown) <= found.failed <= found.answered <= found.orders
    assert found.filled + found.partial + found.rejected <= found.answered


@given(EVENTS, st.integers(1, 10))
def test_worse_prices_never_raise_the_score(events: list[Event], cents: int) -> None:
    def made_worse(event: Event) -> Event:
        if not isinstance(event, Filled):
            return event
        side = {each.name: each.side for each in SENDS}.get(event.name, BUY)
        return structs.replace(event, price=event.price + side.sign * D(cents).scaleb(-2))

    terms = structs.replace(TERMS, orders_min=1)
    before = score(quality_of(*SENDS, *events), terms)
    worse = score(quality_of(*SENDS, *map(made_worse, events)), terms)

    if before is None or worse is None:
        assert before is worse
    else:
        assert worse <= before


def test_slippage_of_contracts_is_in_usd() -> None:
    call = "SPY240719C00552000"
    found = quality_of(
        sent(symbol=call, reference_price=D("2.00"), bid=D("1.95"), ask=D("2.05"), quantity=D(3)),
        structs.replace(filled("3", "2.10"), symbol=call),
    )

    assert found.from_reference == Slippage(orders=1, cost=D(30), notional=D(600))
    assert found.from_reference.bps == 500


def test_an_order_that_was_withheld_was_never_sent() -> None:
    state = told(sent("one"), sent("two"), Withheld(name="one", symbol="AAPL"))

    assert [each.sent.name for each in executions_of(state)] == ["two"]


def test_what_was_sent_too_long_ago_says_nothing_of_now() -> None:
    rejected = [event for name in "abcdef" for event in (sent(name), ended(End.REJECTED, name))]
    executions = executions_of(told(*rejected))
    last = executions[0].sent.at + TERMS.lasts_ns

    assert router_state(executions, TERMS, last) is RouterState.DEGRADED
    assert router_state(executions, TERMS, last + 1) is RouterState.UNTRIED
