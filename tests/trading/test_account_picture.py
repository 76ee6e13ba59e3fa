"""A reading of the account, rolled on to now by what is on record since."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.account_picture import Execution, KnownOrder, as_of, by_symbol
from hydra.trading.fees import Fee
from hydra.trading.order_life import Accepted, Attempted, Canceled, OrderState, OrderStatus, after
from hydra.trading.orders import Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.venue_view import VenueSnapshot
from tests.trading.coverage_parts import NOW, account, decision, order

D = Decimal
LATER = NOW + 5_000_000_000


def fill(name: str, quantity: str = "1", side: Side = Side.BUY, at: int = LATER) -> Fill:
    return Fill(
        execution_id=name,
        client_order_id="entry-1",
        symbol="AAPL",
        side=side,
        quantity=D(quantity),
        price=D(100),
        at=at,
    )


def known(name: str, *events: object, changed_at: int = LATER) -> KnownOrder:
    content = Order(
        client_order_id=name,
        symbol="AAPL",
        side=Side.SELL,
        quantity=D(3),
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_price=D(90),
    )
    state = after(OrderState(order=content), Attempted())
    for event in events:
        state = after(state, event)  # type: ignore[arg-type]
    return KnownOrder(decision=decision("one", Role.PROTECT), state=state, changed_at=changed_at)


def held(snapshot: VenueSnapshot) -> dict[str, Decimal]:
    return {each.symbol: each.quantity for each in snapshot.positions}


def test_without_news_it_is_the_reading_itself_of_now() -> None:
    reading = account({"AAPL": "3"}, order(Side.SELL, "3"))

    assert as_of(LATER, reading, {}, ()) == structs.replace(reading, at=LATER)


def test_an_execution_that_the_reading_has_counts_once_i23() -> None:
    reading = structs.replace(account({"AAPL": "3"}), fills=(fill("a", "3"),))

    picture = as_of(LATER, reading, {}, [Execution(fill("a", "3")), Execution(fill("b", "2"))])

    assert held(picture) == {"AAPL": D(5)}


def test_one_execution_id_at_two_orders_is_two_executions_i23() -> None:
    reading = structs.replace(account({"AAPL": "3"}), fills=(fill("a", "3"),))
    of_another = structs.replace(fill("a", "2"), client_order_id="entry-2")

    picture = as_of(LATER, reading, {}, [Execution(fill("a", "3")), Execution(of_another)])

    assert held(picture) == {"AAPL": D(5)}


def test_what_is_older_than_the_reading_need_not_be_listed_in_it() -> None:
    reading = structs.replace(account({"AAPL": "3"}), since=NOW)

    assert held(as_of(LATER, reading, {}, [Execution(fill("a", at=NOW - 1))])) == {"AAPL": D(3)}


def test_a_fee_in_the_coin_is_not_held() -> None:
    fee = Fee(
        client_order_id="entry-1",
        execution_id="a",
        bot="one",
        symbol="AAPL",
        asset="AAPL",
        amount=D("0.1"),
        most=D("0.1"),
        at=LATER,
    )

    assert held(as_of(LATER, account({}), {}, [Execution(fill("a"), fee)])) == {"AAPL": D("0.9")}


def test_an_order_that_was_accepted_since_is_there_and_one_that_ended_is_not() -> None:
    reading = account({"AAPL": "3"}, order(Side.SELL, "3", "old"))
    orders = {
        "new": known("new", Accepted("v-new")),
        "old": known("old", Accepted("venue-old"), Canceled()),
        "attempted": known("attempted"),
    }

    picture = as_of(LATER, reading, orders, ())

    assert {each.order.client_order_id: each.status for each in picture.orders} == {
        "old": OrderStatus.CANCELED,
        "new": OrderStatus.ACCEPTED,
    }


def test_an_order_that_the_reading_should_have_shown_and_did_not_is_lost_i30() -> None:
    lost = {"lost": known("lost", Accepted("v"), changed_at=NOW - 1)}

    assert as_of(LATER, account({"AAPL": "3"}), lost, ()).orders == ()


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 9), st.booleans()), max_size=12))
def test_the_picture_is_what_the_venue_has_wherever_it_was_read_i30(
    trades: list[tuple[Side, int, bool]],
) -> None:
    """However many of the executions the reading has already: with the others it is the same."""
    fills = [fill(str(n), str(size), side) for n, (side, size, _) in enumerate(trades)]
    seen = [each for each, (_, _, is_seen) in zip(fills, trades, strict=True) if is_seen]
    before = sum((each.quantity * each.side.sign for each in seen), D(0))
    all_of_it = sum((each.quantity * each.side.sign for each in fills), D(0))
    reading = structs.replace(account({"AAPL": str(before)}), fills=tuple(seen))

    picture = as_of(LATER, reading, {}, [Execution(each) for each in fills])

    assert held(picture).get("AAPL", D(0)) == all_of_it


def test_by_symbol_each_part_shows_what_the_reading_shows_of_it() -> None:
    stop, other = order(Side.SELL, "3"), order(Side.SELL, "2", "other", symbol="TSLA")
    reading = account({"AAPL": "3", "MSFT": "1"}, stop, other)
    reading = structs.replace(reading, fills=(fill("a", "3"),))
    aapl, msft = reading.positions

    assert by_symbol(reading) == {
        "AAPL": structs.replace(reading, positions=(aapl,), orders=(stop,)),
        "MSFT": structs.replace(reading, positions=(msft,), orders=(), fills=()),
        "TSLA": structs.replace(reading, positions=(), orders=(other,), fills=()),
    }
