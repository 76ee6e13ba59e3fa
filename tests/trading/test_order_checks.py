from decimal import Decimal
from typing import Any

import pytest

from hydra.trading.option_prices import PENNY_STEPS
from hydra.trading.order_checks import symbol_is_allowed
from hydra.trading.orders import Denial, OrderType, Role, Side
from hydra.trading.risk_checks import first_denial
from hydra.trading.situation import PriceStep, Situation
from hydra.trading.trading_state import TradingState
from tests.trading.situations import (
    ENTRY,
    EXIT,
    FLATTEN,
    LIMIT_ENTRY,
    MS,
    NOW,
    SECOND,
    SHORT_ENTRY,
    SHORT_EXIT,
    STOP_ENTRY,
    STOP_EXIT,
    changed,
)

D = Decimal
CLOSE_ONLY, HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED
REDUCING = [EXIT, SHORT_EXIT, STOP_EXIT, FLATTEN]
EVERY_FINE_ONE = [ENTRY, LIMIT_ENTRY, STOP_ENTRY, SHORT_ENTRY, *REDUCING]


# --- The trading state


@pytest.mark.parametrize("fine", [ENTRY, LIMIT_ENTRY, SHORT_ENTRY])
def test_close_only_and_halted_pass_no_entry_i09(fine: Situation) -> None:
    closing = changed(fine, state=CLOSE_ONLY, cause_codes=("daily_loss",))
    halted = changed(fine, state=HALTED, cause_codes=("kill_switch", "feed_stale"))

    assert first_denial(closing) == Denial(
        "trading_is_open", "only orders that reduce a position may pass (daily_loss)"
    )
    assert first_denial(halted) == Denial(
        "trading_is_open", "trading is halted (kill_switch, feed_stale)"
    )


@pytest.mark.parametrize("fine", [EXIT, SHORT_EXIT, STOP_EXIT])
def test_close_only_passes_exits_and_halted_passes_none_i09(fine: Situation) -> None:
    assert first_denial(changed(fine, state=CLOSE_ONLY)) is None
    assert first_denial(changed(fine, state=HALTED)) == Denial(
        "trading_is_open", "trading is halted (no cause given)"
    )


@pytest.mark.parametrize("fine", [ENTRY, LIMIT_ENTRY, SHORT_ENTRY])
def test_an_entry_in_the_place_of_another_is_one_while_only_exits_pass_i09_i26(
    fine: Situation,
) -> None:
    replacing = changed(fine, state=CLOSE_ONLY, replaces="hy1-20240102-0123456789abcdef-e")

    assert first_denial(replacing) == Denial(
        "trading_is_open", "only orders that reduce a position may pass (no cause given)"
    )


def test_no_stop_comes_to_rest_beside_a_flatten_i10() -> None:
    protect = changed(STOP_EXIT, state=CLOSE_ONLY, role=Role.PROTECT)

    assert first_denial(changed(protect, cause_codes=("daily_loss",))) is None
    assert first_denial(changed(protect, cause_codes=("daily_loss", "flatten"))) == Denial(
        "trading_is_open", "a flatten takes out what rests (flatten)"
    )
    assert first_denial(changed(EXIT, state=CLOSE_ONLY, cause_codes=("flatten",))) is None


@pytest.mark.parametrize("state", TradingState)
def test_a_flatten_passes_in_every_state_and_only_reduces_i09(state: TradingState) -> None:
    flatten = changed(FLATTEN, state=state)

    assert first_denial(flatten) is None
    assert first_denial(changed(flatten, side=Side.BUY)) is not None
    assert first_denial(changed(flatten, quantity=D(11))) is not None


# --- Exits reduce, entries do not


@pytest.mark.parametrize("role", [Role.EXIT, Role.FLATTEN])
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"quantity": D("10.000000001")}, "sell 10.000000001 AAPL on the bot's 10 with 0"),
        ({"side": Side.BUY}, "buy 10 AAPL on the bot's 10 with 0"),
        ({"bot_position": D(0)}, "sell 10 AAPL on the bot's 0 with 0"),
        ({"bot_position": D(-10)}, "sell 10 AAPL on the bot's -10 with 0"),
        ({"bot_reducing_live": D("0.000000001")}, "sell 10 AAPL on the bot's 10 with 0.000000001"),
        (
            {"account_position": D("9.999999999")},
            "sell 10 AAPL on the account's 9.999999999 with 0",
        ),
        ({"account_position": D(0)}, "sell 10 AAPL on the account's 0 with 0"),
        ({"account_position": D(-10)}, "sell 10 AAPL on the account's -10 with 0"),
        (
            {"account_reducing_live": D("0.000000001")},
            "sell 10 AAPL on the account's 10 with 0.000000001",
        ),
    ],
    ids=repr,
)
def test_an_exit_that_could_pass_through_zero_is_denied_i09(
    role: Role, changes: dict[str, Any], found: str
) -> None:
    assert first_denial(changed(EXIT, role=role, **changes)) == Denial(
        "exit_reduces_position", f"does not reduce the position: {found} more being closed"
    )


def test_a_short_position_is_closed_by_a_buy_and_no_further_i09() -> None:
    short = changed(
        SHORT_EXIT, bot_position=D(-30), account_position=D(-30), bot_reducing_live=D(5)
    )

    assert first_denial(changed(short, quantity=D(25))) is None
    assert first_denial(changed(short, quantity=D("25.000000001"))) == Denial(
        "exit_reduces_position",
        "does not reduce the position: buy 25.000000001 AAPL on the bot's -30 with 5 more being "
        "closed",
    )


def test_exits_that_together_close_all_that_the_account_has_pass_i09() -> None:
    last_of_three = changed(
        EXIT,
        quantity=D(2),
        bot_reducing_live=D(8),
        account_position=D(25),
        account_reducing_live=D(23),
    )

    assert first_denial(last_of_three) is None
    assert first_denial(changed(last_of_three, account_reducing_live=D("23.1"))) is not None


@pytest.mark.parametrize(
    ("fine", "against", "words"),
    [(ENTRY, D("-0.000000001"), "buy"), (SHORT_ENTRY, D("0.000000001"), "sell")],
)
@pytest.mark.parametrize(
    ("field", "whose"), [("bot_position", "bot"), ("account_position", "account")]
)
def test_an_entry_against_a_position_is_denied_and_one_along_it_passes_i09(
    fine: Situation, against: Decimal, words: str, field: str, whose: str
) -> None:
    assert first_denial(changed(fine, **{field: against})) == Denial(
        "entry_does_not_oppose_position",
        f"an entry to {words} against the {whose}'s position of {against:f}",
    )
    assert first_denial(changed(fine, **{field: -against})) is None


# --- Symbol, session, window, age


def test_a_symbol_that_is_not_on_the_list_can_be_left_but_not_entered_i42() -> None:
    assert first_denial(changed(ENTRY, symbol="TSLA")) == Denial(
        "symbol_is_allowed", "TSLA is not among the 2 symbols that mom_AAPL may enter"
    )
    for fine in REDUCING:
        assert first_denial(changed(fine, symbols=frozenset({("mom_AAPL", "MSFT")}))) is None


def test_a_symbol_is_entered_only_by_the_bots_that_it_is_configured_for_i42() -> None:
    allowed = frozenset({("mom_AAPL", "MSFT"), ("mom_MSFT", "AAPL")})

    denial = first_denial(changed(ENTRY, symbols=allowed))

    assert denial == Denial(
        "symbol_is_allowed", "AAPL is not among the 1 symbols that mom_AAPL may enter"
    )
    assert first_denial(changed(ENTRY, symbols=allowed | {("mom_AAPL", "AAPL")})) is None


@pytest.mark.parametrize(
    ("roots", "reason"),
    [
        (set(), "options on SPY are not among what mom_AAPL may trade"),
        ({(ENTRY.proposal.bot, "QQQ")}, "options on SPY are not among what mom_AAPL may trade"),
        ({("opt_core", "SPY")}, "options on SPY are not among what mom_AAPL may trade"),
        ({(ENTRY.proposal.bot, "SPY")}, None),
    ],
)
def test_a_contract_is_entered_only_by_the_bot_that_trades_its_underlying_i42(
    roots: set[tuple[str, str]], reason: str | None
) -> None:
    wish = changed(ENTRY, symbol="SPY260206C00101000", option_roots=frozenset(roots))

    found = symbol_is_allowed(wish)

    assert found == (None if reason is None else reason.replace("mom_AAPL", ENTRY.proposal.bot))
    assert symbol_is_allowed(changed(EXIT, symbol="SPY260206C00101000")) is None


@pytest.mark.parametrize("fine", EVERY_FINE_ONE)
def test_nothing_is_sent_outside_the_exchanges_session_i43(fine: Situation) -> None:
    assert first_denial(changed(fine, session_open=False)) == Denial(
        "session_is_open", "no exchange session for AAPL at this time"
    )


def test_a_bot_enters_only_in_its_window_and_leaves_at_any_time_i43() -> None:
    assert first_denial(changed(ENTRY, window_open=False)) == Denial(
        "window_is_open", "an entry outside the bot's trade window"
    )
    for fine in REDUCING:
        assert first_denial(changed(fine, window_open=False)) is None


@pytest.mark.parametrize(
    ("age_ns", "words"),
    [
        (30 * SECOND, None),
        (0, None),
        (30 * SECOND + 1, "30.000000001 s old"),
        (-1, "0.000000001 s from the future"),
    ],
)
def test_an_entry_is_decided_just_now_and_not_tomorrow_i48(age_ns: int, words: str | None) -> None:
    denial = first_denial(changed(ENTRY, decided_at=NOW - age_ns))

    wanted = Denial("decision_is_fresh", f"decision is {words}, at most 30 s allowed")
    assert denial == (wanted if words else None)


def test_a_decision_to_leave_does_not_age_i43() -> None:
    for fine in REDUCING:
        assert first_denial(changed(fine, decided_at=0)) is None


# --- Prices


@pytest.mark.parametrize(
    ("order_type", "limit", "stop"),
    [
        (OrderType.MARKET, D(112), None),
        (OrderType.MARKET, None, D(112)),
        (OrderType.LIMIT, None, None),
        (OrderType.LIMIT, None, D(112)),
        (OrderType.LIMIT, D(112), D(112)),
        (OrderType.STOP, None, None),
        (OrderType.STOP, D(112), None),
        (OrderType.STOP, D(112), D(112)),
    ],
)
@pytest.mark.parametrize("fine", [ENTRY, EXIT])
def test_an_order_has_the_prices_of_its_type_and_no_others_i35(
    fine: Situation, order_type: OrderType, limit: Decimal | None, stop: Decimal | None
) -> None:
    odd = changed(fine, order_type=order_type, limit_price=limit, stop_price=stop)

    assert first_denial(odd) == Denial(
        "prices_fit_order_type",
        f"order type {order_type.value} with limit price {limit} and stop price {stop}",
    )


@pytest.mark.parametrize("fine", [ENTRY, LIMIT_ENTRY, STOP_ENTRY, SHORT_ENTRY, STOP_EXIT])
def test_what_is_judged_by_the_market_is_denied_without_a_price_of_it_i35(fine: Situation) -> None:
    assert first_denial(changed(fine, price=None)) == Denial("price_is_known", "no price for AAPL")


def test_an_entry_that_was_decided_on_no_price_is_denied_i35() -> None:
    assert first_denial(changed(ENTRY, reference_price=None)) == Denial(
        "price_is_known", "an entry that was decided on no price"
    )
    assert first_denial(changed(EXIT, reference_price=None)) is None
    assert first_denial(changed(STOP_EXIT, reference_price=None)) is None


@pytest.mark.parametrize("fine", [EXIT, SHORT_EXIT, FLATTEN])
def test_one_can_leave_at_the_market_when_nobody_knows_the_price_i35(fine: Situation) -> None:
    assert first_denial(changed(fine, price=None, reference_price=None, price_at=0)) is None


@pytest.mark.parametrize("fine", [ENTRY, LIMIT_ENTRY, STOP_EXIT])
@pytest.mark.parametrize(
    ("age_ns", "words"),
    [
        (15 * SECOND, None),
        (0, None),
        (15 * SECOND + 1, "15.000000001 s old"),
        (-1, "0.000000001 s from the future"),
    ],
)
def test_a_price_that_is_old_or_of_the_future_is_none_i35_i45(
    fine: Situation, age_ns: int, words: str | None
) -> None:
    denial = first_denial(changed(fine, price_at=NOW - age_ns))

    wanted = Denial("price_is_fresh", f"price of AAPL is {words}, at most 15 s allowed")
    assert denial == (wanted if words else None)


@pytest.mark.parametrize(
    ("fine", "field", "name"),
    [
        (LIMIT_ENTRY, "limit_price", "limit price"),
        (STOP_ENTRY, "stop_price", "stop price"),
        (STOP_EXIT, "stop_price", "stop price"),
        (ENTRY, "reference_price", "price decided on"),
    ],
)
def test_a_price_is_held_to_the_collar_to_the_last_step_i35(
    fine: Situation, field: str, name: str
) -> None:
    fine = changed(fine, price=D("100.00"), reference_price=D(100), protective_stop=None)

    for allowed in ("95.00", "95.01", "104.99", "105.00"):
        assert first_denial(changed(fine, **{field: D(allowed)})) is None
    for denied in ("94.99", "105.01"):
        assert first_denial(changed(fine, **{field: D(denied)})) == Denial(
            "prices_are_within_collar",
            f"{name} {denied} is 5.01 from the market at 100.00, at most 5 % allowed",
        )


CALL = "SPY160513C00101000"
QUOTED = {"symbol": CALL, "price": D("1.20"), "bid": D("1.05"), "ask": D("1.35")}
LIMIT_EXIT = changed(EXIT, **QUOTED, order_type=OrderType.LIMIT, price_steps=PENNY_STEPS)


@pytest.mark.parametrize(
    ("fine", "allowed", "denied"),
    [
        (LIMIT_EXIT, ("1.00", "1.05", "1.10"), ("0.99", "1.11", "1.20")),
        (
            changed(LIMIT_EXIT, side=Side.BUY, bot_position=D(-10), account_position=D(-10)),
            ("1.29", "1.35", "1.41"),
            ("1.20", "1.28", "1.42"),
        ),
        (
            changed(LIMIT_EXIT, price=D("0.44"), bid=D("0.43"), ask=D("0.45")),
            ("0.38", "0.40", "0.48"),
            ("0.37", "0.49"),
        ),
        (changed(LIMIT_EXIT, bid=None, ask=None), ("1.14", "1.26"), ("1.05", "1.13", "1.27")),
    ],
    ids=["sold, a step", "bought, percent", "cheap", "not quoted"],
)
def test_what_leaves_a_contract_is_held_against_the_side_that_it_would_meet_i35(
    fine: Situation, allowed: tuple[str, ...], denied: tuple[str, ...]
) -> None:
    for price in allowed:
        assert first_denial(changed(fine, limit_price=D(price))) is None
    for price in denied:
        denial = first_denial(changed(fine, limit_price=D(price)))
        assert denial is not None
        assert denial.check == "prices_are_within_collar"


def test_a_limit_far_from_the_bid_is_denied_with_what_was_allowed_i35() -> None:
    assert first_denial(changed(LIMIT_EXIT, limit_price=D("0.90"))) == Denial(
        "prices_are_within_collar",
        "limit price 0.90 is 0.15 from the bid at 1.05, at most 5 % or 0.05 allowed",
    )


def test_what_enters_a_contract_is_held_against_the_middle_i35() -> None:
    entry = changed(LIMIT_ENTRY, price=D(120), bid=D(105), ask=D(135), protective_stop=None)
    entry = changed(entry, reference_price=D(120))

    assert first_denial(changed(entry, limit_price=D(126))) is None
    assert first_denial(changed(entry, limit_price=D(135))) == Denial(
        "prices_are_within_collar",
        "limit price 135 is 15 from the market at 120, at most 5 % allowed",
    )


def test_it_makes_no_difference_to_an_exit_what_price_it_was_decided_on_i35() -> None:
    for fine in REDUCING:
        assert first_denial(changed(fine, reference_price=D("0.01"))) is None


def test_the_collar_is_reckoned_exactly_i35() -> None:
    # 28 digits, the usual context of a thread, would round this down to the collar.
    market, price = D(100), D(f"105.{'0' * 27}1")
    steps = (PriceStep(D(0), D(1).scaleb(-28)),)

    entry = changed(LIMIT_ENTRY, price=market, reference_price=market, protective_stop=None)
    denial = first_denial(changed(entry, limit_price=price, price_steps=steps))

    assert denial is not None
    assert denial.check == "prices_are_within_collar"


@pytest.mark.parametrize(
    ("price", "step"),
    [("112.001", "0.01"), ("1.0001", "0.01"), ("0.99995", "0.0001")],
)
@pytest.mark.parametrize(
    ("fine", "field", "name"),
    [(LIMIT_ENTRY, "limit_price", "limit"), (STOP_EXIT, "stop_price", "stop")],
)
def test_a_price_between_two_steps_was_not_rounded_and_is_denied_i35(
    fine: Situation, field: str, name: str, price: str, step: str
) -> None:
    odd = changed(fine, price=D(price), protective_stop=None, **{field: D(price)})

    assert first_denial(odd) == Denial(
        "prices_are_on_step", f"{name} price {price} is not a multiple of {step}"
    )


@pytest.mark.parametrize("price", ["112.00", "112.01", "1", "1.00", "1.0100", "0.9999", "0.0001"])
def test_a_price_on_a_step_passes_i35(price: str) -> None:
    order = changed(LIMIT_ENTRY, price=D(price), limit_price=D(price), reference_price=D(price))

    assert first_denial(changed(order, protective_stop=None)) is None


def test_a_step_holds_from_its_price_on_i35() -> None:
    steps = (PriceStep(D(0), D("0.01")), PriceStep(D("112.01"), D("0.05")))

    def is_denied(price: str) -> bool:
        order = changed(LIMIT_ENTRY, limit_price=D(price), price_steps=steps)
        return first_denial(order) is not None

    prices = ("112.00", "112.01", "112.04", "112.05")
    assert [is_denied(price) for price in prices] == [False, True, True, False]


@pytest.mark.parametrize("steps", [(), (PriceStep(D(500), D("0.01")),)])
def test_a_price_is_denied_where_its_step_is_not_known_i35(steps: tuple[PriceStep, ...]) -> None:
    assert first_denial(changed(LIMIT_ENTRY, price_steps=steps)) == Denial(
        "prices_are_on_step", "limit price 112.00, but the price steps of AAPL are not known"
    )
    assert first_denial(changed(ENTRY, price_steps=steps)) is None


@pytest.mark.parametrize(
    ("fine", "price", "on_the_other_side"),
    [
        (ENTRY, D("112.13"), D("112.12")),
        (LIMIT_ENTRY, D("112.00"), D("111.99")),
        (STOP_ENTRY, D("113.00"), D("112.99")),
        (SHORT_ENTRY, D("112.13"), D("112.14")),
    ],
)
def test_an_entry_is_given_up_only_at_a_loss_i35(
    fine: Situation, price: Decimal, on_the_other_side: Decimal
) -> None:
    words = fine.proposal.side.value

    assert first_denial(changed(fine, protective_stop=on_the_other_side)) is None
    assert first_denial(changed(fine, protective_stop=None)) is None
    assert first_denial(changed(fine, protective_stop=price)) == Denial(
        "protective_stop_is_behind_price",
        f"{words} at {price} would be given up at {price}, which is no loss",
    )


# --- Beside our own other orders


@pytest.mark.parametrize("fine", EVERY_FINE_ONE)
def test_nothing_is_sent_that_could_trade_against_our_own_i42(fine: Situation) -> None:
    assert first_denial(changed(fine, opposing=("hy1-a", "hy1-b"))) == Denial(
        "no_order_opposes",
        "could trade against our own hy1-a, hy1-b: cancel, wait, then send",
    )


def test_no_entry_is_sent_beside_an_order_of_unknown_outcome_i19() -> None:
    unknown = ("hy1-a", "hy1-b", "hy1-c", "hy1-d", "hy1-e")

    assert first_denial(changed(ENTRY, unknown=unknown)) == Denial(
        "no_outcome_is_unknown", "outcome unknown of hy1-a, hy1-b, hy1-c and 2 more in AAPL"
    )
    for fine in REDUCING:
        assert first_denial(changed(fine, unknown=unknown)) is None


# --- What nobody thought of


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("state", 0),
        ("state", False),
        ("state", None),
        ("state", "active"),
        ("role", None),
        ("role", "exit"),
        ("side", None),
        ("side", "buy"),
        ("order_type", None),
        ("order_type", "market"),
        ("session_open", None),
        ("session_open", "no"),
        ("session_open", 1),
        ("window_open", None),
        ("window_open", "no"),
        ("window_open", 1),
        ("symbol", None),
    ],
)
def test_what_nobody_thought_of_is_denied_i34(field: str, odd: object) -> None:
    assert first_denial(changed(ENTRY, **{field: odd})) is not None


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("state", None),
        ("role", None),
        ("role", "exit"),
        ("side", None),
        ("side", "sell"),
        ("order_type", "market"),
        ("session_open", 1),
    ],
)
def test_what_nobody_thought_of_is_no_exit_i34(field: str, odd: object) -> None:
    assert first_denial(changed(EXIT, **{field: odd})) is not None


def test_times_in_reasons_are_written_out() -> None:
    old = changed(ENTRY, decided_at=NOW - 31 * SECOND - 5 * MS)

    assert first_denial(old) == Denial(
        "decision_is_fresh", "decision is 31.005 s old, at most 30 s allowed"
    )
