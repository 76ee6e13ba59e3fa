import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.durations import SECOND
from hydra.trading.option_rules import (
    RULES,
    ChainContract,
    ChainQuery,
    ChainRules,
    choose_contract,
)
from hydra.trading.option_symbols import Right, parsed
from hydra.trading.quotes import Quote
from hydra.trading.sessions import SessionTable
from tests.trading.coverage_parts import NOW, SESSIONS, instant, session
from tests.trading.market_data import rows_of

D = Decimal
SPY_OPTIONS = "options_eod/SPY_options_eod_2021-01-04_2021-08-31.csv.gz"

CHAIN_RULES = ChainRules(
    dte_min=7,
    dte_max=45,
    delta_min=D("0.25"),
    delta_max=D("0.60"),
    spread_pct_max=D(5),
    open_interest_min=D(100),
    quote_age_ns_max=15 * SECOND,
)
QUERY = ChainQuery(
    underlying="SPY",
    underlying_price=D("550"),
    right=Right.CALL,
    rules=CHAIN_RULES,
    sessions=SESSIONS,
    premium_usd_max=D(1000),
    at=NOW,
)


def contract(strike: str = "552", expires: str = "2024-07-19", **changes: Any) -> ChainContract:
    """A call on SPY, 17 days before it expires, that meets every rule."""
    right = changes.get("right", Right.CALL)
    day = date.fromisoformat(expires)
    symbol = f"SPY{day:%y%m%d}{right.name[0]}{int(D(strike) * 1000):08}"
    made = ChainContract(
        symbol=symbol,
        underlying="SPY",
        expiration=day,
        right=right,
        strike=D(strike),
        multiplier=D(100),
        tradable=True,
        open_interest=D(1000),
        quote=quote(symbol),
        delta=0.45,
        implied_volatility=0.2,
    )
    return structs.replace(made, **changes)


def quote(symbol: str, bid: float = 4.9, ask: float = 5.0, **changes: Any) -> Quote:
    made = Quote(symbol=symbol, at=NOW, bid=bid, ask=ask, bid_size=10, ask_size=10)
    return structs.replace(made, **changes)


FINE = contract()


def quoted(bid: float, ask: float, **changes: Any) -> ChainContract:
    return structs.replace(FINE, quote=quote(FINE.symbol, bid, ask, **changes))


def rule_against(found: ChainContract, query: ChainQuery = QUERY) -> str | None:
    choice = choose_contract([found], query)
    if choice.chosen is not None:
        assert choice.rejected == ()
        return None
    (only,) = choice.rejected
    assert only.reason
    return only.rule


def test_a_contract_that_meets_every_rule_is_chosen() -> None:
    choice = choose_contract([FINE], QUERY)

    assert (choice.chosen, choice.eligible, choice.rejected) == (FINE, (FINE.symbol,), ())


@pytest.mark.parametrize(
    ("found", "rule"),
    [
        (structs.replace(FINE, strike=D(553)), "is_what_it_is_called"),
        (structs.replace(FINE, strike=D("NaN")), "is_what_it_is_called"),
        (structs.replace(FINE, symbol="SPY"), "is_what_it_is_called"),
        (structs.replace(FINE, symbol="SPY1240719C00552000"), "is_what_it_is_called"),
        (contract(right=Right.PUT, delta=-0.45), "is_wanted"),
        (structs.replace(FINE, tradable=False), "is_standard_and_trades"),
        (structs.replace(FINE, multiplier=D(10)), "is_standard_and_trades"),
        (structs.replace(FINE, multiplier=D("NaN")), "is_standard_and_trades"),
        (contract(expires="2024-07-08"), "expires_in_time"),
        (contract(expires="2024-08-16"), "expires_in_time"),
        (contract(expires="2024-08-17"), "expires_in_time"),
        (contract(expires="2024-07-01"), "expires_in_time"),
        (structs.replace(FINE, delta=None), "delta_is_in_range"),
        (structs.replace(FINE, delta=math.nan), "delta_is_in_range"),
        (structs.replace(FINE, delta=0.24999), "delta_is_in_range"),
        (structs.replace(FINE, delta=0.25), None),
        (structs.replace(FINE, delta=0.60), None),
        (structs.replace(FINE, delta=0.60001), "delta_is_in_range"),
        (structs.replace(FINE, delta=-0.45), "delta_is_in_range"),
        (structs.replace(FINE, implied_volatility=None), "volatility_is_known"),
        (structs.replace(FINE, implied_volatility=0.0), "volatility_is_known"),
        (structs.replace(FINE, implied_volatility=math.nan), "volatility_is_known"),
        (structs.replace(FINE, implied_volatility=math.inf), "volatility_is_known"),
        (structs.replace(FINE, open_interest=None), "open_interest_is_enough"),
        (structs.replace(FINE, open_interest=D(99)), "open_interest_is_enough"),
        (structs.replace(FINE, open_interest=D(100)), None),
        (structs.replace(FINE, open_interest=D("NaN")), "open_interest_is_enough"),
        (structs.replace(FINE, quote=None), "quote_is_fresh"),
        (structs.replace(FINE, quote=quote("SPY240719C00553000")), "quote_is_fresh"),
        (quoted(4.9, 5.0, at=NOW - 15 * SECOND), None),
        (quoted(4.9, 5.0, at=NOW - 15 * SECOND - 1), "quote_is_fresh"),
        (quoted(4.9, 5.0, at=NOW + 1), "quote_is_fresh"),
        (quoted(0.0, 5.0), "quote_has_two_sides"),
        (quoted(1e-140, 5.0), "quote_has_two_sides"),
        (quoted(4.9, 0.0), "quote_has_two_sides"),
        (quoted(5.0, 4.9), "quote_has_two_sides"),
        (quoted(5.0, 5.0), "quote_has_two_sides"),
        (quoted(math.nan, 5.0), "quote_has_two_sides"),
        (quoted(4.9, math.inf), "quote_has_two_sides"),
        (quoted(4.9, 5.0, bid_size=0), "quote_has_two_sides"),
        (quoted(4.75, 5.0), None),
        (quoted(4.74, 5.0), "spread_is_narrow"),
        (contract("500"), "quote_is_possible"),
        (contract("545"), None),
        (contract("544.99"), "quote_is_possible"),
        (quoted(9.9, 10.0), None),
        (quoted(9.9, 10.01), "premium_is_affordable"),
    ],
)
def test_each_rule_rejects_with_its_reason_i34_i46(found: ChainContract, rule: str | None) -> None:
    assert rule_against(found) == rule


@pytest.mark.parametrize("price", [None, D(0), D(-1), D("NaN"), D("Infinity")])
def test_without_a_price_of_the_underlying_nothing_is_eligible_i35(price: Decimal | None) -> None:
    query = structs.replace(QUERY, underlying_price=price)

    assert rule_against(FINE, query) == "quote_is_possible"


@pytest.mark.parametrize("budget", [D(0), D(-1), D("NaN")])
def test_without_a_premium_budget_nothing_is_eligible_i40(budget: Decimal) -> None:
    query = structs.replace(QUERY, premium_usd_max=budget)

    assert rule_against(FINE, query) == "premium_is_affordable"


def test_a_put_has_a_delta_below_zero_and_is_worth_its_strike_at_most() -> None:
    query = structs.replace(QUERY, right=Right.PUT)
    put = contract("548", right=Right.PUT, delta=-0.45)

    assert rule_against(put, query) is None
    assert rule_against(structs.replace(put, delta=0.45), query) == "delta_is_in_range"
    assert rule_against(contract("556", right=Right.PUT, delta=-0.45), query) == "quote_is_possible"
    cheap = contract("4", right=Right.PUT, delta=-0.45)
    assert rule_against(cheap, query) == "quote_is_possible"


def test_a_share_with_a_dot_has_contracts_whose_symbols_have_none() -> None:
    berkshire = structs.replace(QUERY, underlying="BRK.B")
    symbol = FINE.symbol.replace("SPY", "BRKB")
    listed = structs.replace(FINE, symbol=symbol, underlying="BRK.B", quote=quote(symbol))
    adjusted = FINE.symbol.replace("SPY", "BRKB1")

    assert rule_against(listed, berkshire) is None
    assert rule_against(structs.replace(listed, symbol=adjusted), berkshire) == (
        "is_what_it_is_called"
    )


def test_where_the_calendar_ends_before_the_expiration_there_is_no_entry() -> None:
    short = structs.replace(QUERY, sessions=SessionTable((session(date(2024, 7, 2)),)))

    assert rule_against(FINE, short) == "expires_in_time"


def test_an_empty_chain_and_one_without_a_fit_give_none() -> None:
    assert choose_contract([], QUERY).chosen is None
    assert choose_contract([structs.replace(FINE, delta=None)], QUERY).chosen is None


def test_a_symbol_that_is_listed_twice_is_not_eligible() -> None:
    choice = choose_contract([FINE, contract("553"), FINE], QUERY)

    assert choice.eligible == (contract("553").symbol,)
    assert [each.rule for each in choice.rejected] == ["is_listed_once"] * 2


def test_ties_are_broken_by_delta_spread_interest_expiration_and_symbol() -> None:
    best = contract("551", delta=0.425)
    narrow = contract("552", delta=0.40, quote=quote("SPY240719C00552000", 4.95))
    liked = contract("553", delta=0.45, open_interest=D(2000))
    early = contract("554", expires="2024-07-18", delta=0.40)
    first, second = contract("555", delta=0.45), contract("556", delta=0.40)
    ordered = [best, narrow, liked, early, first, second]

    assert choose_contract(ordered[::-1], QUERY).eligible == tuple(c.symbol for c in ordered)


@pytest.mark.parametrize(
    "changes",
    [
        {"dte_min": 0},
        {"dte_min": 46},
        {"dte_min": 7.0},
        {"delta_min": D(0)},
        {"delta_min": D("0.61")},
        {"delta_max": D("1.01")},
        {"delta_max": D("NaN")},
        {"spread_pct_max": D(0)},
        {"spread_pct_max": D(100)},
        {"open_interest_min": D(0)},
        {"quote_age_ns_max": 0},
    ],
)
def test_rules_that_limit_nothing_are_refused_i40(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        structs.replace(CHAIN_RULES, **changes)


ANY_FLOAT = st.none() | st.floats(0, 1) | st.floats()
# What one contract in three has instead of what is fine.
ODDITIES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda value: {"delta": value}, ANY_FLOAT),
    st.builds(lambda value: {"implied_volatility": value}, ANY_FLOAT),
    st.builds(lambda value: {"open_interest": value}, st.none() | st.decimals()),
    st.builds(lambda bid, ask: {"quote": quote("SPY", bid, ask)}, st.floats(0, 9), st.floats()),
    st.sampled_from([{"quote": None}, {"tradable": False}, {"underlying": "QQQ"}]),
)


@st.composite
def contracts(draw: st.DrawFn) -> ChainContract:
    """Fine ones for the most part, each of its own worth, and some with one oddity."""
    day = date(2024, 7, 2) + timedelta(days=draw(st.integers(5, 24)))
    made = contract(
        str(draw(st.integers(546, 560))),
        expires=day.isoformat(),
        right=draw(st.sampled_from([Right.CALL] * 9 + [Right.PUT])),
        delta=draw(st.floats(0.2, 0.65)),
        open_interest=D(draw(st.integers(90, 500))),
    )
    bid = draw(st.integers(450, 500)) / 100
    made = structs.replace(made, quote=quote(made.symbol, bid, bid + 0.2))
    odd = draw(st.none() | st.none() | ODDITIES) or {}
    if odd.get("quote") is not None:
        odd = {"quote": structs.replace(odd["quote"], symbol=made.symbol)}
    return structs.replace(made, **odd)


CHAINS = st.lists(contracts(), max_size=8)


@given(CHAINS, st.randoms(use_true_random=False))
def test_every_contract_is_eligible_or_rejected_and_the_order_of_the_list_is_nothing(
    chain: list[ChainContract], rng: Any
) -> None:
    choice = choose_contract(chain, QUERY)
    shuffled = list(chain)
    rng.shuffle(shuffled)

    assert choose_contract(shuffled, QUERY).eligible == choice.eligible
    judged = [*choice.eligible, *(each.symbol for each in choice.rejected)]
    assert sorted(judged) == sorted(each.symbol for each in chain)
    assert all(each.reason for each in choice.rejected)
    if choice.chosen is None:
        assert choice.eligible == ()
    else:
        assert choice.eligible[0] == choice.chosen.symbol
        assert [rule(choice.chosen, QUERY) for rule in RULES] == [None] * len(RULES)


@given(CHAINS, CHAINS)
def test_what_is_chosen_of_two_chains_is_the_better_of_what_is_chosen_of_each(
    one: list[ChainContract], other: list[ChainContract]
) -> None:
    symbols = {each.symbol for each in one}
    other = [each for each in other if each.symbol not in symbols]
    of_each = [choose_contract(chain, QUERY).chosen for chain in (one, other)]

    winners = [each for each in of_each if each is not None]
    assert choose_contract([*one, *other], QUERY).chosen == choose_contract(winners, QUERY).chosen


def test_of_a_real_chain_one_contract_is_chosen_within_all_rules() -> None:
    chain = list(real_chain("2021-01-04"))
    at = instant("2021-01-04 15:59")
    days = (date(2021, 1, 4) + timedelta(days=n) for n in range(60))
    query = structs.replace(
        QUERY,
        underlying_price=D("368.79"),
        right=Right.PUT,
        sessions=SessionTable(tuple(session(day) for day in days if day.weekday() < 5)),
        at=at,
        rules=structs.replace(CHAIN_RULES, dte_min=7, dte_max=45),
    )

    choice = choose_contract(chain, query)

    assert choice.chosen is not None and choice.chosen.delta is not None
    assert 0.25 <= -choice.chosen.delta <= 0.60
    assert len(choice.eligible) + len(choice.rejected) == len(chain)


def real_chain(day: str) -> Iterator[ChainContract]:
    at = instant(f"{day} 15:59")
    for row in rows_of(SPY_OPTIONS):
        if row["date"] != day:
            continue
        symbol = row["occ_symbol"]
        says = parsed(symbol)
        assert says is not None
        yield ChainContract(
            symbol=symbol,
            underlying=says.root,
            expiration=says.expiration,
            right=says.right,
            strike=says.strike,
            multiplier=D(100),
            tradable=True,
            open_interest=D(row["open_interest"]),
            quote=quote(symbol, float(row["bid"]), float(row["ask"]), at=at),
            delta=float(row["delta"]),
            implied_volatility=float(row["iv"]),
        )
