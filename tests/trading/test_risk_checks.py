import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from hydra.trading.orders import Denial, Role, Side
from hydra.trading.risk_checks import CHECKS, Situation, first_denial
from hydra.trading.trading_state import TradingState

D = Decimal
NS = 1_000_000_000

FINE = Situation(
    trading_state=TradingState.ACTIVE,
    cause_codes=(),
    role=Role.ENTRY,
    side=Side.BUY,
    quantity=D(10),
    reference_price=D("112.13"),
    symbol="AAPL",
    symbols_allowed=frozenset({"AAPL", "MSFT"}),
    position=D(0),
    reducing_quantity_live=D(0),
    notional_usd_max=D(5000),
    at=1_000 * NS,
    decided_at=999 * NS,
    decision_age_ns_max=30 * NS,
    session_open=True,
    window_open=True,
)
"""A bot would like to buy 10 AAPL, and may."""

EXIT = replace(FINE, role=Role.EXIT, side=Side.SELL, position=D(10))
"""It would like to sell the 10 that it has, and may."""

SHORT_EXIT = replace(EXIT, side=Side.BUY, position=D(-10))
CLOSE_ONLY = replace(EXIT, trading_state=TradingState.CLOSE_ONLY, cause_codes=("daily_loss",))
HALTED = replace(FINE, trading_state=TradingState.HALTED, cause_codes=("kill_switch", "feed_stale"))

SANE_QUANTITY = "a decimal within 1e+12 of at most 9 places"
SANE_PRICE = "a decimal above zero and within 1e+9"


@pytest.mark.parametrize(
    "situation",
    [
        FINE,
        EXIT,
        SHORT_EXIT,
        CLOSE_ONLY,
        replace(FINE, quantity=D("0.000000001")),
        replace(FINE, quantity=D(50), reference_price=D(100)),
        replace(FINE, decided_at=FINE.at),
        replace(FINE, decided_at=FINE.at - 30 * NS),
        replace(EXIT, window_open=False),
        replace(EXIT, reference_price=None),
        # A position that was bought near the limit and rose must still be sold.
        replace(EXIT, notional_usd_max=D(1)),
        replace(EXIT, quantity=D(4), reducing_quantity_live=D(6)),
        # An entry against the position, in CLOSE_ONLY: it reduces, and that is what counts.
        replace(CLOSE_ONLY, role=Role.ENTRY),
    ],
)
def test_a_fine_situation_is_approved(situation: Situation) -> None:
    assert first_denial(situation) is None


@pytest.mark.parametrize(
    ("situation", "denial"),
    [
        (HALTED, Denial("trading_is_open", "trading is halted (kill_switch, feed_stale)")),
        (
            replace(EXIT, trading_state=TradingState.HALTED),
            Denial("trading_is_open", "trading is halted (no cause given)"),
        ),
        (
            replace(CLOSE_ONLY, role=Role.ENTRY, side=Side.BUY, position=D(0)),
            Denial(
                "trading_is_open",
                "only orders that reduce a position may pass (daily_loss): "
                "buy 10 AAPL on a position of 0 with 0 more being closed",
            ),
        ),
        (
            replace(CLOSE_ONLY, reducing_quantity_live=D(1)),
            Denial(
                "trading_is_open",
                "only orders that reduce a position may pass (daily_loss): "
                "sell 10 AAPL on a position of 10 with 1 more being closed",
            ),
        ),
        (
            replace(FINE, quantity=D(0)),
            Denial("numbers_are_sane", f"quantity is 0, wanted {SANE_QUANTITY} and above zero"),
        ),
        (
            replace(FINE, quantity=D("NaN")),
            Denial("numbers_are_sane", f"quantity is NaN, wanted {SANE_QUANTITY} and above zero"),
        ),
        (
            replace(FINE, quantity=D("1.0000000001")),
            Denial(
                "numbers_are_sane",
                f"quantity is 1.0000000001, wanted {SANE_QUANTITY} and above zero",
            ),
        ),
        (
            replace(FINE, position=D("Infinity")),
            Denial("numbers_are_sane", f"position is Infinity, wanted {SANE_QUANTITY}"),
        ),
        (
            replace(FINE, reducing_quantity_live=D(-1)),
            Denial(
                "numbers_are_sane",
                f"live reducing quantity is -1, wanted {SANE_QUANTITY} and not below zero",
            ),
        ),
        (
            replace(FINE, reference_price=D(0)),
            Denial("numbers_are_sane", f"reference price is 0, wanted {SANE_PRICE}"),
        ),
        (
            replace(FINE, notional_usd_max=D(0)),
            Denial("numbers_are_sane", "notional limit is 0, wanted a decimal above 0"),
        ),
        (
            replace(FINE, symbol="TSLA"),
            Denial("symbol_is_allowed", "TSLA is not among the 2 symbols allowed"),
        ),
        (
            replace(FINE, decided_at=FINE.at - 30 * NS - 1),
            Denial("decision_is_fresh", "decision is 30.000000001 s old, at most 30 s allowed"),
        ),
        (
            replace(FINE, decided_at=FINE.at + NS // 2),
            Denial("decision_is_fresh", "decision is 0.5 s from the future, at most 30 s allowed"),
        ),
        (
            replace(EXIT, session_open=False),
            Denial("session_is_open", "no exchange session for AAPL at this time"),
        ),
        (
            replace(FINE, window_open=False),
            Denial("window_is_open", "an entry outside the bot's trade window"),
        ),
        (
            replace(EXIT, quantity=D("10.000000001")),
            Denial(
                "exit_reduces_position",
                "an exit that does not reduce the position: "
                "sell 10.000000001 AAPL on a position of 10 with 0 more being closed",
            ),
        ),
        (
            replace(EXIT, side=Side.BUY),
            Denial(
                "exit_reduces_position",
                "an exit that does not reduce the position: "
                "buy 10 AAPL on a position of 10 with 0 more being closed",
            ),
        ),
        (
            replace(SHORT_EXIT, position=D(0)),
            Denial(
                "exit_reduces_position",
                "an exit that does not reduce the position: "
                "buy 10 AAPL on a position of 0 with 0 more being closed",
            ),
        ),
        (
            replace(FINE, reference_price=None),
            Denial("notional_is_within_limit", "no price for AAPL"),
        ),
        (
            replace(FINE, quantity=D(50), reference_price=D("100.01")),
            Denial(
                "notional_is_within_limit",
                "order is worth 5000.50 USD, at most 5000 USD allowed",
            ),
        ),
        (
            # 28 digits, the usual context of a thread, would round this down to the limit.
            replace(FINE, quantity=D("0.5"), reference_price=D(f"10000.{'0' * 27}1")),
            Denial(
                "notional_is_within_limit",
                f"order is worth 5000.{'0' * 28}5 USD, at most 5000 USD allowed",
            ),
        ),
    ],
)
def test_each_check_denies_with_its_reason(situation: Situation, denial: Denial) -> None:
    assert first_denial(situation) == denial


def test_the_checks_are_asked_in_this_order() -> None:
    assert [check.__name__ for check in CHECKS] == [
        "trading_is_open",
        "numbers_are_sane",
        "symbol_is_allowed",
        "decision_is_fresh",
        "session_is_open",
        "window_is_open",
        "exit_reduces_position",
        "notional_is_within_limit",
        "trading_is_open",
    ]


BAD_NUMBERS: list[Any] = [
    D("NaN"),
    D("-NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-Infinity"),
    D("1E+30"),
    float("nan"),
    float("inf"),
    1.0,
    True,
    False,
    "10",
]
DECIMAL_FIELDS = (
    "quantity",
    "reference_price",
    "position",
    "reducing_quantity_live",
    "notional_usd_max",
)
TIME_FIELDS = ("at", "decided_at", "decision_age_ns_max")


@pytest.mark.parametrize("fine", [FINE, EXIT, SHORT_EXIT, CLOSE_ONLY])
@pytest.mark.parametrize(
    ("field", "bad"),
    [(field, bad) for field in DECIMAL_FIELDS + TIME_FIELDS for bad in BAD_NUMBERS]
    + [(field, D("1E-31")) for field in DECIMAL_FIELDS if field != "notional_usd_max"],
    ids=repr,
)
def test_a_number_that_is_not_sane_is_never_approved_i34(
    fine: Situation, field: str, bad: object
) -> None:
    denial = first_denial(replace(fine, **{field: bad}))

    assert denial is not None
    assert denial.check in {"numbers_are_sane", "trading_is_open"}


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("trading_state", 0),
        ("trading_state", False),
        ("trading_state", None),
        ("role", None),
        ("role", "exit"),
        ("session_open", None),
        ("session_open", "no"),
        ("session_open", 1),
        ("window_open", None),
        ("window_open", "no"),
        ("symbol", None),
    ],
)
def test_what_nobody_thought_of_is_denied(field: str, odd: object) -> None:
    assert first_denial(replace(FINE, **{field: odd})) is not None


DECIMALS = (
    st.decimals(allow_nan=True, allow_infinity=True)
    | st.decimals(min_value=-20, max_value=20, places=0)
    | st.decimals(min_value=-20, max_value=20, places=9)
    | st.sampled_from([D(0), D(10), D(-10), D("sNaN"), D("1E+12"), D("1E-9"), D("1E-10")])
)
TIMES = st.integers(-(10**20), 10**20) | st.integers(990, 1_010).map(lambda second: second * NS)
SITUATIONS = st.builds(
    Situation,
    trading_state=st.sampled_from(TradingState),
    cause_codes=st.just(()),
    role=st.sampled_from(Role),
    side=st.sampled_from(Side),
    quantity=DECIMALS,
    reference_price=st.none() | DECIMALS,
    symbol=st.sampled_from(["AAPL", "TSLA"]),
    symbols_allowed=st.just(frozenset({"AAPL"})),
    position=DECIMALS,
    reducing_quantity_live=DECIMALS,
    notional_usd_max=DECIMALS,
    at=TIMES,
    decided_at=TIMES,
    decision_age_ns_max=TIMES,
    session_open=st.booleans(),
    window_open=st.booleans(),
)
# As above, but with few enough oddities that a good part is approved.
LIKELY = st.builds(
    lambda fine, changes, names: replace(
        fine, **{name: value for name, value in asdict(changes).items() if name in names}
    ),
    st.sampled_from([FINE, EXIT, SHORT_EXIT, CLOSE_ONLY]),
    SITUATIONS,
    st.sets(st.sampled_from([*DECIMAL_FIELDS, "trading_state", "role", "side"]), max_size=3),
)


@given(situation=SITUATIONS | LIKELY)
def test_every_situation_is_answered_and_only_a_sane_one_approved(situation: Situation) -> None:
    if first_denial(situation) is None:
        numbers = [getattr(situation, name) for name in DECIMAL_FIELDS]
        assert all(number is None or number.is_finite() for number in numbers)
        assert situation.quantity > 0
        assert situation.trading_state is not TradingState.HALTED
        assert 0 <= situation.at - situation.decided_at <= situation.decision_age_ns_max
        assert situation.symbol in situation.symbols_allowed
        assert situation.session_open


@given(situation=LIKELY)
def test_while_halted_nothing_is_approved(situation: Situation) -> None:
    assert first_denial(replace(situation, trading_state=TradingState.HALTED)) is not None


@given(situation=LIKELY)
def test_in_close_only_no_approved_order_enlarges_or_flips_the_position(
    situation: Situation,
) -> None:
    situation = replace(situation, trading_state=TradingState.CLOSE_ONLY)

    if first_denial(situation) is None:
        assert never_grows_or_flips(situation)


@given(situation=LIKELY)
def test_no_exit_ever_enlarges_or_flips_the_position(situation: Situation) -> None:
    situation = replace(situation, role=Role.EXIT)

    if first_denial(situation) is None:
        assert never_grows_or_flips(situation)


def never_grows_or_flips(situation: Situation) -> bool:
    """Whether the position stays on its side of zero however many reducing orders are filled."""
    filled = [situation.quantity, situation.quantity + situation.reducing_quantity_live]
    before = situation.position
    afterwards = [before + situation.side.sign * quantity for quantity in filled]
    return all(
        abs(after) < abs(before) and (after == 0 or (after > 0) == (before > 0))
        for after in afterwards
    )


@given(situation=LIKELY)
def test_an_approved_entry_is_inside_its_window_and_its_limit(situation: Situation) -> None:
    situation = replace(situation, role=Role.ENTRY)

    if first_denial(situation) is None:
        assert situation.window_open
        assert situation.reference_price is not None
        notional_usd = situation.quantity * situation.reference_price
        assert notional_usd <= situation.notional_usd_max


def test_in_a_hundred_thousand_steps_of_close_only_no_position_grows_or_changes_sign_i09() -> None:
    """I09: two bots ask for orders, which are filled in parts and canceled in any order."""
    chance = random.Random(9)
    positions = [D(1_000), D(-1_000)]
    # What an approved order would do to the position: signed, so that a wrong side would show.
    live: list[list[Decimal]] = [[], []]
    approved = 0
    for _ in range(100_000):
        bot = chance.randrange(2)
        before, orders = positions[bot], live[bot]
        match chance.randrange(4):
            case 0 | 1:
                wish = replace(
                    CLOSE_ONLY,
                    role=chance.choice(list(Role)),
                    side=chance.choice(list(Side)),
                    quantity=D(chance.randrange(1, 80)),
                    position=before,
                    reducing_quantity_live=sum(map(abs, orders), start=D(0)),
                )
                if first_denial(wish) is None:
                    orders.append(wish.side.sign * wish.quantity)
                    approved += 1
            case 2 if orders:
                order = orders.pop(chance.randrange(len(orders)))
                part = D(chance.randrange(1, int(abs(order)) + 1)).copy_sign(order)
                positions[bot] += part
                if part != order:
                    orders.append(order - part)
            case _ if orders:
                orders.pop(chance.randrange(len(orders)))
            case _:
                pass
        after = positions[bot]
        assert abs(after) <= abs(before)
        assert after * before >= 0
        if after == 0:
            # Flat: begin anew, long or short.
            positions[bot] = D(chance.choice((1_000, -1_000)))
    assert approved > 5_000
