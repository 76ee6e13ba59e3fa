from decimal import Decimal
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from hydra.trading.orders import Denial
from hydra.trading.risk_checks import first_denial
from hydra.trading.sane_numbers import numbers_are_sane
from hydra.trading.situation import PriceStep, Situation
from tests.trading.situations import ENTRY, EXIT, FLATTEN, PARTS, changed

D = Decimal

HINTS = {
    name: hint
    for value in (ENTRY, *(getattr(ENTRY, part) for part in PARTS))
    for name, hint in get_type_hints(type(value)).items()
    if name not in PARTS or type(value) is not Situation
}
"""Every field of a situation and of its parts, as it is declared: a new one is here by itself."""


def fields_of(kind: type) -> list[str]:
    return [name for name, hint in HINTS.items() if hint is kind or kind in get_args(hint)]


DECIMALS, WHOLES = fields_of(Decimal), fields_of(int)
OPTIONAL = [name for name in (*DECIMALS, *WHOLES) if NoneType in get_args(HINTS[name])]
SIGNED = ["bot_position", "account_position", "bot_left", "bucket_left", "day_left"]
SIGNED += ["equity", "day_start", "peak", "cash"]
MAY_BE_ZERO = [*SIGNED, "bot_reducing_live", "account_reducing_live", "loss_at_stop", "heat_after"]
MAY_BE_ZERO += ["symbol_exposure_after", "bot_exposure_after", "gross_exposure_after"]
MAY_BE_ZERO += ["notional_in_window", "notional_today", "buying_after", "shorts_after"]
MAY_BE_ZERO += ["pct", "uncovered_ns"]
MAY_BE_ZERO += [name for name in WHOLES if not name.endswith(("_max", "_min", "_ns"))]

NO_DECIMAL: list[Any] = [
    D("NaN"),
    D("-NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-Infinity"),
    D("1E+30"),
    D("-1E+30"),
    D("1E-61"),
    D("1.0000000000000000000000000000000000000000000000000000000000000"),
    float("nan"),
    float("inf"),
    1.0,
    1,
    True,
    False,
    "10",
]
NO_WHOLE: list[Any] = [
    D(1),
    D("NaN"),
    1.0,
    float("nan"),
    float("inf"),
    True,
    False,
    -1,
    2**63,
    10**5_000,
    "10",
]


def test_the_situation_has_all_these_numbers_i34() -> None:
    assert (len(DECIMALS), len(WHOLES), len(OPTIONAL)) == (42, 30, 23)


@pytest.mark.parametrize("fine", [ENTRY, EXIT, FLATTEN])
@pytest.mark.parametrize("field", DECIMALS)
def test_what_is_no_exact_decimal_in_range_is_refused_in_every_field_i34(
    fine: Situation, field: str
) -> None:
    for bad in NO_DECIMAL:
        denial = first_denial(changed(fine, **{field: bad}))

        assert denial is not None, bad
        assert (denial.check, f"{field} is " in denial.reason) == ("numbers_are_sane", True)


@pytest.mark.parametrize("fine", [ENTRY, EXIT, FLATTEN])
@pytest.mark.parametrize("field", WHOLES)
def test_what_is_no_whole_number_in_range_is_refused_in_every_field_i34(
    fine: Situation, field: str
) -> None:
    for bad in NO_WHOLE:
        denial = first_denial(changed(fine, **{field: bad}))

        assert denial is not None, bad
        assert (denial.check, f"{field} is " in denial.reason) == ("numbers_are_sane", True)


@pytest.mark.parametrize("field", [*DECIMALS, *WHOLES])
def test_none_zero_and_less_pass_only_where_they_can_be_meant_i34_i40(field: str) -> None:
    zero, less = (D(0), D(-1)) if field in DECIMALS else (0, -1)

    def is_refused(value: object) -> bool:
        return numbers_are_sane(changed(ENTRY, **{field: value})) is not None

    assert is_refused(None) is (field not in OPTIONAL)
    assert is_refused(zero) is (field not in MAY_BE_ZERO)
    assert is_refused(less) is (field not in SIGNED)


LIMITS = [name for name in HINTS if name in type(ENTRY.limits).__struct_fields__]
NUMBERS = [name for name in LIMITS if name not in ("symbols", "option_roots")]


@pytest.mark.parametrize("field", NUMBERS)
def test_no_limit_is_none_zero_or_beyond_all_sense_i40(field: str) -> None:
    number = type(getattr(ENTRY.limits, field))

    for unlimited in (None, number(0), number(-1), number(10**30)):
        assert first_denial(changed(ENTRY, **{field: unlimited})) is not None


@pytest.mark.parametrize("field", NUMBERS)
def test_limits_that_only_equal_sane_ones_are_refused_i34(field: str) -> None:
    """A float or a decimal may equal the number that it is not."""
    assert numbers_are_sane(ENTRY) is None
    number = getattr(ENTRY.limits, field)
    equal = float(number) if isinstance(number, Decimal) else Decimal(number)

    assert equal == number
    assert numbers_are_sane(changed(ENTRY, **{field: equal})) is not None


@pytest.mark.parametrize(
    ("field", "last", "beyond"),
    [
        ("quantity", "1000000000000", "1000000000000.000000001"),
        ("quantity", "0.000000001", "0.0000000010"),
        ("quantity", "0.000000001", "0.0000000009"),
        ("bot_position", "-1000000000000", "-1000000000000.000000001"),
        ("bot_position", "0E-9", "0.0000000001"),
        ("account_reducing_live", "1000000000000", "1000000000000.1"),
        ("price", "1000000000", "1000000000.01"),
        ("price", "1E-30", "1E-31"),
        ("heat_after", "1E+15", "1000000000000000.01"),
        ("heat_after", "1E-60", "1E-61"),
        ("day_left", "-1E+15", "-1000000000000000.01"),
        ("price_collar_pct", "100", "100.000000001"),
        ("price_collar_pct", "0.000000001", "0.0000000001"),
        ("gross_exposure_pct_max", "10000", "10000.1"),
        ("gap_factor", "1", "0.999999999"),
        ("gap_factor", "100", "100.1"),
        ("order_notional_usd_max", "1E+15", "1000000000000000.01"),
    ],
)
def test_a_decimal_may_reach_its_range_and_not_pass_it_i34(
    field: str, last: str, beyond: str
) -> None:
    assert numbers_are_sane(changed(ENTRY, **{field: D(last)})) is None
    assert numbers_are_sane(changed(ENTRY, **{field: D(beyond)})) is not None


@pytest.mark.parametrize(
    ("field", "first", "last"),
    [
        ("at", 0, 2**63 - 1),
        ("decided_at", 0, 2**63 - 1),
        ("last_entry_at", 0, 2**63 - 1),
        ("entries_today", 0, 10**9),
        ("entries_per_minute_max", 1, 10_000),
        ("similar_order_ns", 1, 366 * 86_400 * 10**9),
    ],
)
def test_a_whole_number_may_reach_its_range_and_not_pass_it_i34(
    field: str, first: int, last: int
) -> None:
    assert numbers_are_sane(changed(ENTRY, **{field: first})) is None
    assert numbers_are_sane(changed(ENTRY, **{field: last})) is None
    assert numbers_are_sane(changed(ENTRY, **{field: first - 1})) is not None
    assert numbers_are_sane(changed(ENTRY, **{field: last + 1})) is not None


@pytest.mark.parametrize(
    "step",
    [
        PriceStep(D("NaN"), D("0.01")),
        PriceStep(D(-1), D("0.01")),
        PriceStep(D(0), D(0)),
        PriceStep(D(0), D("NaN")),
        PriceStep(D(0), 0.01),  # type: ignore[arg-type]
    ],
)
def test_the_steps_of_prices_are_sane_too_i34(step: PriceStep) -> None:
    steps = (PriceStep(D(0), D("0.01")), step)

    denial = first_denial(changed(ENTRY, price_steps=steps))

    assert denial is not None
    assert denial.check == "numbers_are_sane"


def test_limits_of_ever_more_bots_are_looked_at_one_by_one() -> None:
    """The last sane ones of each are known again, by which they are."""
    for number in range(1_500):
        sane = changed(ENTRY, bot=f"bot-{number % 1_200}", order_notional_usd_max=D(number + 1))
        equal = changed(sane, order_notional_usd_max=float(number + 1))
        assert (numbers_are_sane(sane), numbers_are_sane(sane)) == (None, None)

        assert equal == sane
        assert numbers_are_sane(equal) is not None
        assert numbers_are_sane(changed(sane, order_notional_usd_max=None)) is not None


def test_steps_that_only_equal_sane_ones_are_refused_i34() -> None:
    """The last ones that were sane are known again, by which they are."""
    sane = (PriceStep(D(0), D(1)),)
    equal = (PriceStep(D(0), 1),)  # type: ignore[arg-type]  # no Decimal: that is the point
    assert numbers_are_sane(changed(ENTRY, price_steps=sane)) is None

    assert equal == sane
    assert numbers_are_sane(changed(ENTRY, price_steps=equal)) is not None


def test_steps_that_can_change_are_looked_through_each_time_i34() -> None:
    steps = [PriceStep(D(0), D("0.01"))]
    assert numbers_are_sane(changed(ENTRY, price_steps=steps)) is None

    steps.append(PriceStep(D(1), D("NaN")))

    assert numbers_are_sane(changed(ENTRY, price_steps=steps)) is not None


@pytest.mark.parametrize(
    ("field", "bad", "reason"),
    [
        (
            "quantity",
            D("NaN"),
            (
                "proposal.quantity is NaN, wanted "
                "a decimal above 0 and up to 1e+12 of at most 9 places"
            ),
        ),
        (
            "bot_position",
            1.5,
            "book.bot_position is 1.5, wanted a decimal within 1e+12 of at most 9 places",
        ),
        (
            "heat_after",
            D(-1),
            "book.heat_after is -1, wanted a decimal from 0 to 1e+15 of at most 60 places, or none",
        ),
        (
            "entries_per_day_max",
            True,
            "entries_per_day_max is True, wanted a whole number from 1 to 10000",
        ),
        (
            "decided_at",
            2**200,
            (
                "proposal.decided_at is an integer of 201 bits, "
                "wanted a whole number from 0 to 9223372036854775807"
            ),
        ),
        (
            "price",
            D("1" * 100),
            (
                f"market.price is {'1' * 60}…, "
                "wanted a decimal above 0 and up to 1e+9 of at most 30 places, or none"
            ),
        ),
    ],
)
def test_the_reason_says_what_was_found_and_what_was_wanted_i34(
    field: str, bad: object, reason: str
) -> None:
    assert first_denial(changed(ENTRY, **{field: bad})) == Denial("numbers_are_sane", reason)


def test_numbers_are_judged_before_anything_is_compared_i34() -> None:
    """Nothing else is wrong with it; and a NaN is within no limit and beyond none."""
    for field in DECIMALS:
        denial = first_denial(changed(ENTRY, **{field: D("NaN")}, session_open=False))

        assert denial is not None
        assert denial.check == "numbers_are_sane"
