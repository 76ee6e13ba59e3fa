"""Fees: how far they may explain what the account no longer has, and no further."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.differences import ACCOUNT, CASH, Difference, DifferenceKind
from hydra.trading.exact import add, subtract, total
from hydra.trading.fees import (
    ALPACA_FEES,
    CENT,
    COIN_INCREMENT,
    NO_FEES,
    USD,
    Fee,
    FeeAct,
    FeeBasis,
    FeeBooking,
    FeeChange,
    FeeObservation,
    FeePart,
    FeeRate,
    FeeRecord,
    FeeSchedule,
    booked_more,
    expected_fee,
    explained,
    regulatory_most,
    seen,
    spread,
)
from hydra.trading.orders import Fill, Side
from hydra.trading.venue_view import VenueFee

BTC = "BTC/USD"
BOT = "coins"


def fill(**changes: object) -> Fill:
    """An eightieth of a coin, as in the recorded execution."""
    fine = Fill(
        execution_id="x-1",
        client_order_id="o-1",
        symbol=BTC,
        side=Side.BUY,
        quantity=Decimal("0.0125"),
        price=Decimal("61249.1"),
        at=1_000,
    )
    return structs.replace(fine, **changes)


def fee(number: int = 1, **changes: object) -> Fee:
    """What is accrued for it: 0.00003125 of the coin."""
    name = f"{number}"
    execution = fill(execution_id=f"x-{name}", client_order_id=f"o-{name}", at=number)
    found = expected_fee(execution, BOT, ALPACA_FEES)
    assert found is not None
    return structs.replace(found, **changes)


def usd_fee(number: int = 1) -> Fee:
    """Of the sale of as much: 1.9140343750 USD."""
    name = f"{number}"
    execution = fill(
        execution_id=f"x-{name}", client_order_id=f"o-{name}", side=Side.SELL, at=number
    )
    found = expected_fee(execution, BOT, ALPACA_FEES)
    assert found is not None
    return found


def charge(amount: str, *, asset: str = BTC, symbol: str = BTC, number: int = 1) -> VenueFee:
    """An activity of coins."""
    return VenueFee(
        activity_id=f"a-{number}",
        asset=asset,
        symbol=symbol,
        amount=Decimal(amount),
        at=number,
        is_of_coins=True,
    )


def apart(
    amount: str, kind: DifferenceKind = DifferenceKind.POSITION, subject: str = BTC
) -> Difference:
    return Difference(kind=kind, subject=subject, found="", wanted="", amount=Decimal(amount))


def record(*fees: Fee, held: str = "1", **changes: object) -> FeeRecord:
    return structs.replace(FeeRecord(fees=fees, held={(BOT, BTC): Decimal(held)}), **changes)


def change(number: int, amount: str, dust: str = "0") -> FeeChange:
    return FeeChange(
        client_order_id=f"o-{number}",
        execution_id=f"x-{number}",
        amount=Decimal(amount),
        dust=Decimal(dust),
    )


def part(number: int, amount: str) -> FeePart:
    return FeePart(
        client_order_id=f"o-{number}", execution_id=f"x-{number}", amount=Decimal(amount)
    )


def test_a_coins_buyer_pays_in_the_coin_and_its_seller_in_usd() -> None:
    bought, sold = fee(), usd_fee()

    assert (bought.asset, bought.amount) == (BTC, Decimal("0.00003125"))
    assert bought.most == Decimal("0.000031251")
    assert (sold.asset, sold.amount) == (USD, Decimal("1.914034375"))
    assert sold.most == Decimal("1.924034375")


def test_what_is_accrued_is_rounded_up_so_that_no_more_is_sold_than_there_is() -> None:
    tiny = expected_fee(fill(quantity=Decimal("0.000000001")), BOT, ALPACA_FEES)

    assert tiny is not None
    assert (tiny.amount, tiny.most) == (COIN_INCREMENT, 2 * COIN_INCREMENT)


@pytest.mark.parametrize("symbol", ["AAPL", "AAPL261218C00200000"])
def test_nothing_is_accrued_for_shares_and_options(symbol: str) -> None:
    assert expected_fee(fill(symbol=symbol), BOT, ALPACA_FEES) is None


def test_a_venue_without_a_schedule_keeps_nothing() -> None:
    assert expected_fee(fill(), BOT, NO_FEES) is None


def test_the_rate_is_that_of_the_executions_date() -> None:
    schedule = FeeSchedule(
        (FeeRate(since=100, coin_bps=Decimal(25)), FeeRate(since=200, coin_bps=Decimal(40)))
    )

    assert [schedule.coin_share(at) for at in (99, 100, 199, 200)] == [
        Decimal(0),
        Decimal("0.0025"),
        Decimal("0.0025"),
        Decimal("0.0040"),
    ]


quantities = st.decimals("0.000000001", "1000", places=9)
prices = st.decimals("0.01", "100000", places=2)


@st.composite
def accrued(draw: st.DrawFn) -> tuple[Fee, ...]:
    """Fees of one asset, each booked up to somewhere."""
    side = draw(st.sampled_from(Side))
    found = []
    for number in range(draw(st.integers(1, 5))):
        one = expected_fee(
            fill(
                execution_id=f"x-{number}",
                side=side,
                quantity=draw(quantities),
                price=draw(prices),
            ),
            BOT,
            ALPACA_FEES,
        )
        assert one is not None
        booked = draw(st.sampled_from([Decimal(0), one.amount / 2, one.amount]))
        found.append(structs.replace(one, booked=booked))
    return tuple(found)


def missing_at_most(fees: Sequence[Fee]) -> Decimal:
    return total(each.room for each in fees)


def back_at_most(fees: Sequence[Fee]) -> Decimal:
    return total(each.unbooked for each in fees)


@given(accrued(), st.data())
def test_within_the_bound_the_fees_explain_the_difference_exactly_and_each_stays_in_its_own(
    fees: tuple[Fee, ...], data: st.DataObject
) -> None:
    lowest, highest = missing_at_most(fees).copy_negate(), back_at_most(fees)
    found_apart = data.draw(
        st.decimals(lowest, highest, places=20).filter(lambda each: lowest <= each <= highest)
    )

    found = spread(fees, found_apart)

    assert found is not None
    before, after = (total(each.amount for each in some) for some in (fees, found))
    assert subtract(before, after) == found_apart
    assert all(each.booked <= each.amount <= each.most for each in found)
    assert [
        structs.replace(new, amount=old.amount) for old, new in zip(fees, found, strict=True)
    ] == [*fees]


@given(
    fees=accrued(),
    beyond=st.decimals("0.000000000001", "1000000", places=12),
    is_missing=st.booleans(),
)
def test_beyond_the_bound_they_explain_nothing(
    fees: tuple[Fee, ...], beyond: Decimal, *, is_missing: bool
) -> None:
    if is_missing:
        assert spread(fees, add(missing_at_most(fees), beyond).copy_negate()) is None
    else:
        assert spread(fees, add(back_at_most(fees), beyond)) is None


@given(st.lists(quantities, min_size=1, max_size=5), st.decimals("0.00000001", "10", places=8))
def test_a_lost_part_of_a_position_is_never_hidden_behind_fees_that_were_taken_i29_i61(
    bought: list[Decimal], lost: Decimal
) -> None:
    """The venue took its fee of each purchase, at the dearest rate, and something else is gone."""
    fees = [expected_fee(fill(quantity=each), BOT, ALPACA_FEES) for each in bought]
    accrued_fees = tuple(each for each in fees if each is not None)
    gone = apart(str(lost.copy_negate()))

    acts = explained(record(*accrued_fees, held="10000"), (), [gone])

    hides_most = COIN_INCREMENT * len(bought)
    assert (acts == ()) is (lost > hides_most)


def test_the_first_comparison_shows_what_the_fee_is_and_the_next_one_cannot_change_it_i29() -> None:
    dearer = apart("-0.000000001")
    (observation,) = explained(record(fee()), (), [dearer])
    assert observation == FeeObservation(BTC, (change(1, "0.000031251"),))

    after = seen(fee(), Decimal("0.000031251"))

    assert after.basis is FeeBasis.OBSERVED
    assert explained(record(after), (), [dearer]) == ()
    assert explained(record(after), (), [apart("0.000000001")]) == ()


def test_a_comparison_that_finds_nothing_settles_what_was_accrued() -> None:
    assert explained(record(fee()), (), ()) == (FeeObservation(BTC, (change(1, "0.00003125"),)),)


def test_a_cheaper_fee_gives_coins_back_to_the_bot_that_holds_some() -> None:
    acts = explained(record(fee()), (), [apart("0.0000125")])

    assert acts == (FeeObservation(BTC, (change(1, "0.00001875"),)),)


def test_a_cheaper_fee_of_a_bot_that_sold_all_leaves_dust() -> None:
    acts = explained(record(fee(), held="0"), (), [apart("0.0000125")])

    assert acts == (FeeObservation(BTC, (change(1, "0.00001875", dust="0.0000125"),)),)


def test_a_dearer_fee_of_a_bot_that_sold_all_takes_dust_and_never_coins_that_are_not_there() -> (
    None
):
    dearer = apart("-0.000000001")
    dust = {BTC: Decimal("0.000000001")}

    assert explained(record(fee(), held="0"), (), [dearer]) == ()
    assert explained(record(fee(), held="0", excluded=dust), (), [dearer]) == (
        FeeObservation(BTC, (change(1, "0.000031251", dust="-0.000000001"),)),
    )


def test_an_activity_takes_the_place_of_what_was_accrued() -> None:
    told = charge("0.00003125")

    acts = explained(record(fee()), [told], ())

    assert acts == (FeeBooking(told, (part(1, "0.00003125"),)),)
    assert booked_more(fee(), Decimal("0.00003125")).basis is FeeBasis.BOOKED


def test_an_activity_counts_once() -> None:
    told = charge("0.00003125")

    assert explained(record(fee(), booked=frozenset({("a-1", BTC)})), [told], ()) == (
        FeeObservation(BTC, (change(1, "0.00003125"),)),
    )


def test_one_activity_may_be_for_several_executions_the_oldest_first() -> None:
    told = charge("0.00005")

    booking, *_ = explained(record(fee(1), fee(2)), [told], ())

    assert booking == FeeBooking(told, (part(1, "0.00003125"), part(2, "0.00001875")))


def test_a_cheaper_fee_that_is_booked_gives_the_rest_back() -> None:
    told = charge("0.00001875")

    acts = explained(record(fee()), [told], [apart("0.0000125")])

    assert acts == (
        FeeBooking(told, (part(1, "0.00001875"),)),
        FeeObservation(BTC, (change(1, "0.00001875"),)),
    )


def test_a_fee_that_is_taken_late_is_taken_up_when_it_is_booked_and_seen() -> None:
    """The position was gross when it was first compared."""
    (first,) = explained(record(fee()), (), [apart("0.00003125")])
    assert first == FeeObservation(BTC, (change(1, "0E-8"),))
    taken_for_none = seen(fee(), Decimal(0))
    told = charge("0.00003125")

    assert explained(record(taken_for_none), [told], ()) == ()  # the account does not show it
    assert explained(record(taken_for_none), [told], [apart("-0.00003125")]) == (
        FeeObservation(BTC, (change(1, "0.00003125"),)),
        FeeBooking(told, (part(1, "0.00003125"),)),
    )


def test_a_late_fee_leaves_one_that_was_not_seen_yet_open() -> None:
    taken_for_none, unseen = seen(fee(1), Decimal(0)), fee(2)
    told = charge("0.0000625")
    less = apart("-0.00002125")  # the late one came, and the new one is 0.00001 less

    acts = explained(record(taken_for_none, unseen), [told], [less])

    assert acts == ()  # it names more than the account shows
    told = charge("0.0000525")
    assert explained(record(taken_for_none, unseen), [told], [less]) == (
        FeeObservation(BTC, (change(1, "0.00002125"),)),
        FeeBooking(told, (part(1, "0.00002125"), part(2, "0.00003125"))),
    )


def test_an_activity_beyond_the_bound_stays_a_difference_i29() -> None:
    told = charge("0.00005")

    assert explained(record(fee()), [told], [apart("-0.00001875")]) == ()


def test_a_fee_of_something_that_we_did_not_trade_is_not_ours() -> None:
    assert explained(record(), [charge("0.00003125")], [apart("-0.00003125")]) == ()


def test_the_fee_of_a_sale_is_taken_for_what_the_cash_shows_to_a_cent() -> None:
    rounded = explained(record(usd_fee()), (), [apart("-0.005965625", DifferenceKind.CASH, CASH)])
    assert rounded == (FeeObservation(USD, (change(1, "1.920000000"),)),)

    assert explained(record(usd_fee()), (), [apart("-0.02", DifferenceKind.CASH, CASH)]) == ()


def of_the_day(amount: str, number: int = 1) -> VenueFee:
    return structs.replace(charge(amount, asset=USD, symbol="", number=number), is_of_coins=False)


def test_a_fee_of_the_day_is_the_accounts_as_far_as_the_cash_shows_it_and_trading_allows() -> None:
    told = of_the_day("0.05")
    shown = apart("-0.05", DifferenceKind.CASH, CASH)
    traded = record(regulatory_room=Decimal("0.05"))

    assert explained(traded, [told], [shown]) == (FeeBooking(told, ()),)
    assert FeeBooking(told, ()).of_the_account == Decimal("0.05")
    assert explained(traded, [told], ()) == ()
    assert explained(traded, [told], [apart("-0.04", DifferenceKind.CASH, CASH)]) == ()
    assert explained(record(regulatory_room=Decimal("0.049")), [told], [shown]) == ()


def test_of_two_fees_of_the_day_the_room_is_used_once() -> None:
    told = [of_the_day("0.03", 1), of_the_day("0.03", 2)]
    shown = apart("-0.06", DifferenceKind.CASH, CASH)

    assert explained(record(regulatory_room=Decimal("0.05")), told, [shown]) == (
        FeeBooking(told[0], ()),
    )


def test_while_orders_differ_nothing_is_explained() -> None:
    other = Difference(
        kind=DifferenceKind.FILL_NOT_AT_VENUE, subject="o-1/x-1", found="", wanted=""
    )

    assert explained(record(fee()), [charge("0.00003125")], [other]) == ()


def test_while_the_venue_has_not_heard_of_an_execution_nothing_is_explained_there() -> None:
    """The snapshot is older than a small sale; its coins must not pass for a fee that was less."""
    before_the_sale = [apart("0.00001"), apart("-0.61", DifferenceKind.CASH, CASH)]
    late = record(fee(1), usd_fee(2), unheard=frozenset({BTC}))

    assert explained(late, (), before_the_sale) == ()
    assert explained(late, [charge("0.00004")], [apart("-0.00001")])[:1] == ()


def test_what_cannot_be_read_explains_nothing() -> None:
    unreadable = Difference(kind=DifferenceKind.POSITION, subject=BTC, found="NaN", wanted="")

    assert explained(record(fee()), (), [unreadable]) == ()
    blocked = Difference(kind=DifferenceKind.ACCOUNT_BLOCKED, subject=ACCOUNT, found="", wanted="")
    assert explained(record(fee()), (), [blocked]) == ()


def test_what_regulators_may_charge_is_a_little_of_what_was_traded_and_nothing_of_coins() -> None:
    shares = fill(symbol="AAPL", quantity=Decimal(100), price=Decimal(50))
    options = fill(symbol="AAPL261218C00200000", quantity=Decimal(2), price=Decimal(3))

    assert regulatory_most([fill()]) == 0
    assert regulatory_most([shares]) == Decimal("0.5") + Decimal("0.1") + CENT
    assert regulatory_most([options]) == Decimal("0.06") + Decimal("0.40") + CENT


@given(st.lists(st.sampled_from(["0.00001", "0.00003125", "0.00005", "0.0001"]), max_size=6))
def test_whatever_is_booked_no_fee_exceeds_its_bound(amounts: list[str]) -> None:
    fees = {(each.client_order_id, each.execution_id): each for each in (fee(1), fee(2), fee(3))}
    told = [charge(amount, number=number) for number, amount in enumerate(amounts, 1)]

    for act in explained(record(*fees.values()), told, [apart("-0.000000002")]):
        _carry_out(fees, act)

    for each in fees.values():
        assert 0 <= each.booked <= each.amount <= each.most


def _carry_out(fees: dict[tuple[str, str], Fee], act: FeeAct) -> None:
    if isinstance(act, FeeBooking):
        for one in act.parts:
            key = (one.client_order_id, one.execution_id)
            fees[key] = booked_more(fees[key], one.amount)
    else:
        for each in act.changes:
            key = (each.client_order_id, each.execution_id)
            fees[key] = seen(fees[key], each.amount)
