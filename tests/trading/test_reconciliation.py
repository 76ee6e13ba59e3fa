"""Record and venue compared: what agrees, what is planted, and what nobody would plant."""

from collections import Counter
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.differences import Difference, DifferenceKind, describe
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.reconciliation import RecordView, compare, ended_by_exclusion, lapsed
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from tests.trading.coverage_parts import SESSIONS, instant
from tests.trading.reconciliation_plants import PLANTS, Named, Plant
from tests.trading.reconciliation_world import LATE, LIVES, World, other


def world() -> World:
    return World(LIVES, Decimal("1.5"), Decimal("187.30"))


def compared(world: World) -> tuple[Difference, ...]:
    return compare(world.record, world.snapshot)


def named(world: World) -> list[Named]:
    return [(each.kind, each.subject) for each in compared(world)]


WORLDS = st.builds(
    World,
    # Each life once, so that all plants have their place, and some of them again.
    st.lists(st.sampled_from(LIVES), max_size=5).flatmap(
        lambda again: st.permutations([*LIVES, *again])
    ),
    st.decimals(min_value=1, max_value=1_000, places=9),
    st.decimals(min_value=2, max_value=1_000, places=4),
)
SEVERAL = st.lists(
    st.sampled_from(PLANTS), unique_by=lambda plant: plant.place, min_size=2, max_size=8
)


@given(WORLDS)
def test_a_record_and_a_venue_that_agree_have_no_difference_i60(world: World) -> None:
    assert compared(world) == ()


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_each_planted_difference_is_named_and_nothing_else_i27_i29_i60_i62(plant: Plant) -> None:
    planted = world()
    expected = plant.plant(planted)

    assert named(planted) == list(expected)


def test_more_than_two_hundred_differences_of_all_kinds_are_planted_i60() -> None:
    kinds = Counter(kind for plant in PLANTS for kind, _ in plant.plant(world()))

    assert len({plant.name for plant in PLANTS}) == len(PLANTS) >= 200
    assert set(kinds) == set(DifferenceKind)


@given(WORLDS, SEVERAL)
def test_of_several_differences_each_is_named_in_order_and_nothing_else_i29_i60(
    world: World, plants: list[Plant]
) -> None:
    expected = set[Named]()
    for plant in plants:
        expected |= plant.plant(world)

    kinds = list(DifferenceKind)
    assert named(world) == sorted(expected, key=lambda name: (kinds.index(name[0]), name[1]))


@settings(max_examples=50)
@given(WORLDS, SEVERAL, st.randoms(use_true_random=False))
def test_the_order_of_what_is_listed_does_not_matter_i60_i62(
    world: World, plants: list[Plant], random: Random
) -> None:
    for plant in plants:
        plant.plant(world)

    assert compare(*shuffled(world.record, world.snapshot, random)) == compared(world)


def shuffled(
    record: RecordView, snapshot: VenueSnapshot, random: Random
) -> tuple[RecordView, VenueSnapshot]:
    def mixed(things: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample(things, len(things)))

    orders = dict(random.sample(list(record.orders.items()), len(record.orders)))
    return (
        structs.replace(record, fills=mixed(record.fills), orders=orders),
        structs.replace(
            snapshot,
            positions=mixed(snapshot.positions),
            orders=mixed(snapshot.orders),
            fills=mixed(snapshot.fills),
        ),
    )


def test_what_an_operator_excluded_by_name_is_left_out_unless_it_may_trade_i29() -> None:
    for plant in PLANTS:
        planted = world()
        expected = plant.plant(planted)
        ((kind, subject),) = expected
        planted.excluded_orders.add(subject)

        is_left_out = kind in SPEAK_OF_ORDERS and not may_trade(planted, subject)
        assert named(planted) == ([] if is_left_out else list(expected)), plant.name


SPEAK_OF_ORDERS = set(DifferenceKind) - {
    DifferenceKind.ACCOUNT_MISMATCH,
    DifferenceKind.ACCOUNT_BLOCKED,
    DifferenceKind.POSITION,
    DifferenceKind.CASH,
}


def may_trade(world: World, name: str) -> bool:
    """It is an order of ours, and the venue does not say that it is over."""
    over = ("filled", "canceled", "expired", "rejected", "replaced")
    return any(
        not case.listings or any(listing.status.value not in over for listing in case.listings)
        for case in world.cases
        if case.name == name
    )


def test_nobody_can_exclude_what_has_no_name_i29() -> None:
    nameless = world()
    nameless.others.append(other("", OrderStatus.ACCEPTED, ""))
    nameless.excluded_orders.add("")

    assert named(nameless) == [(DifferenceKind.FOREIGN_ORDER, "")]


def test_orders_of_others_without_a_name_are_one_difference_i29() -> None:
    nameless = world()
    nameless.others += [other("", OrderStatus.ACCEPTED, "b"), other("", OrderStatus.ACCEPTED, "a")]

    (difference,) = compared(nameless)
    assert difference.found == (
        "sell 7 AAPL, accepted, 0 filled, named a; sell 7 AAPL, accepted, 0 filled, named b"
    )


def test_refused_orders_without_a_name_of_the_venues_are_not_taken_for_one_i60() -> None:
    assert compared(World([*LIVES, "refused"], Decimal(1), Decimal(5))) == ()


def test_an_order_under_the_venues_name_of_another_is_listed_twice_i62() -> None:
    confused = world()
    first, second = confused.case("accepted"), confused.case("landed")
    second.list_as(venue_order_id=first.listing.venue_order_id)

    assert named(confused) == [
        (DifferenceKind.IMPOSSIBLE_ORDER, second.name),
        (DifferenceKind.IMPOSSIBLE_ORDER, first.name),
    ]


def test_two_listings_of_an_order_of_others_are_judged_by_the_worse_one_i29_i62() -> None:
    confused = world()
    confused.others += [
        other("v1", OrderStatus.FILLED),
        other("v1", OrderStatus.ACCEPTED),
        other("v2", OrderStatus.FILLED, "by hand"),
        other("v2", OrderStatus.FILLED, "hy1-20240101-0000000000000001-e"),
    ]

    assert named(confused) == [
        (DifferenceKind.FOREIGN_ORDER, "v1"),
        (DifferenceKind.UNRECORDED_ORDER, "v2"),
        (DifferenceKind.IMPOSSIBLE_ORDER, "v1"),
        (DifferenceKind.IMPOSSIBLE_ORDER, "v2"),
    ]


def test_an_order_that_is_open_in_one_of_its_listings_cannot_be_excluded_i29() -> None:
    confused = world()
    case = confused.case("canceled")
    case.listings.append(structs.replace(case.listing, status=OrderStatus.ACCEPTED))
    confused.excluded_orders.add(case.name)

    assert named(confused) == [(DifferenceKind.IMPOSSIBLE_ORDER, case.name)]


def test_an_order_that_is_excluded_has_ended_once_the_venue_says_that_it_is_over_i25_i29() -> None:
    impossible = world()
    accepted, partly = impossible.case("accepted"), impossible.case("partially filled")
    for case in (accepted, partly):
        impossible.excluded_orders.add(case.name)
        case.list_as(order=structs.replace(case.order, symbol="GLD"))
    while_open = ended_by_exclusion(impossible.record, impossible.snapshot)
    for case in (accepted, partly):
        case.list_as(status=OrderStatus.FILLED, filled_quantity=case.order.quantity + 2)

    assert while_open == ()
    assert ended_by_exclusion(impossible.record, impossible.snapshot) == (
        accepted.name,
        partly.name,
    )
    assert compared(impossible) == ()


@pytest.mark.parametrize("life", ["accepted", "partially filled"])
def test_an_order_that_is_not_excluded_or_not_listed_does_not_end_by_an_exclusion_i25_i29(
    life: str,
) -> None:
    impossible = world()
    case = impossible.case(life)
    case.list_as(status=OrderStatus.FILLED, filled_quantity=case.order.quantity + 2)
    not_excluded = ended_by_exclusion(impossible.record, impossible.snapshot)

    impossible.excluded_orders.add(case.name)
    of_another = structs.replace(impossible.record, account="PA0000000002")
    in_another = ended_by_exclusion(of_another, impossible.snapshot)
    case.listings = []

    assert not_excluded == in_another == ()
    assert ended_by_exclusion(impossible.record, impossible.snapshot) == ()


def test_what_is_over_on_record_does_not_end_again_by_an_exclusion_i22_i29() -> None:
    excluded = world()
    excluded.excluded_orders |= {case.name for case in excluded.cases if case.listings}

    ended = ended_by_exclusion(excluded.record, excluded.snapshot)

    # What the venue has ended is taken up before; here it is still open on record.
    assert set(ended) == {
        excluded.case(life).name for life in ("landed and canceled", "landed and rejected")
    }


def test_all_names_of_an_order_that_is_listed_again_are_told_in_their_order_i62() -> None:
    confused = world()
    case = confused.case("accepted")
    names = [f"v-{number}" for number in (5, 3, 1, 4, 2)]
    case.listings = [structs.replace(case.listing, venue_order_id=name) for name in names]

    (difference,) = compared(confused)
    assert difference.found == ("listed more than once, as v-1, v-2, v-3, v-4, v-5")


def test_an_execution_may_have_its_time_before_the_window_on_record_alone_i60() -> None:
    skewed = world()
    case = skewed.case("partially filled")
    case.at_venue.append(structs.replace(case.on_record[0], at=LATE))

    assert compared(skewed) == ()


def test_an_accepted_order_may_be_missing_whose_name_at_the_venue_was_never_heard_i60() -> None:
    missing = world()
    case = missing.case("partially filled")
    case.listings.clear()
    case.record_as(venue_order_id=None)

    (difference,) = compared(missing)
    assert difference.wanted == "partially filled, as none"


def test_what_a_venue_says_is_told_in_one_line_i60() -> None:
    odd = world()
    odd.venue = structs.replace(odd.venue, blocked="status\nCLOSED")

    assert [each.found for each in compared(odd)] == ["'status\\nCLOSED'"]


def test_nothing_that_contradicts_itself_is_told_by_its_place_in_a_list_i60() -> None:
    """Two odd executions, one of two wordings, and two orders of one name at the venue."""
    odd = world()
    filled, accepted, canceled = map(odd.case, ("filled", "accepted", "canceled unfilled"))
    filled.at_venue += [
        filled.fill("e7", Decimal("NaN"), Decimal(1), LATE),
        filled.fill("e7", Decimal("Infinity"), Decimal(1), LATE),
    ]
    accepted.on_record += [
        accepted.fill("e8", Decimal(1), Decimal(1), LATE),
        accepted.fill("e8", Decimal(2), Decimal(1), LATE),
    ]
    accepted.record_as(venue_order_id="venue-0")
    canceled.record_as(venue_order_id="venue-0")
    odd.others.append(other("venue-0", OrderStatus.FILLED))
    told = compared(odd)

    filled.at_venue.reverse()
    accepted.on_record.reverse()
    odd.cases.reverse()

    assert compared(odd) == told
    assert len(told) >= 3


def test_an_account_is_taken_as_it_is_when_it_is_first_compared_i60() -> None:
    first = world()
    first.account = first.opening = None
    first.venue = structs.replace(first.venue, account="any", cash=Decimal("-123.45"))

    assert compared(first) == ()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E+18"])
def test_cash_must_be_an_amount_even_when_it_is_first_compared_i60(number: str) -> None:
    first = world()
    first.opening = None
    first.venue = structs.replace(first.venue, cash=Decimal(number))

    assert named(first) == [(DifferenceKind.CASH, "cash")]


def test_sums_are_exact_beyond_the_28_digits_of_decimal_i60() -> None:
    large = world()
    tiny = Decimal("0.000000000000000001")
    large.opening, large.cash = Decimal("99999999999999.99"), tiny
    large.venue = structs.replace(large.venue, cash=Decimal("99999999999999.99"))

    (difference,) = compared(large)
    assert difference.amount == -tiny


TOLD: list[tuple[str, str, str, str | None]] = [
    ("account of somebody else", "account PA0000000002", "account PA0000000001", None),
    ("account without a name, at first", "account ''", "an account with a name", None),
    ("account blocked", "trading_blocked", "an account that may trade", None),
    (
        "foreign_order 'by hand' accepted",
        "sell 7 AAPL, accepted, 0 filled, named by hand",
        "only orders of ours",
        None,
    ),
    (
        "unrecorded_order 'hy1-20240101-000000000000006b-x' filled",
        "sell 7 AAPL, filled, 7 filled, named hy1-20240101-000000000000006b-x",
        "every order of ours (hy1-…) on record",
        None,
    ),
    (
        "an execution of ours that neither side has an order for",
        "executions of it, and not the order",
        "every order of ours (hy1-…) on record",
        None,
    ),
    ("missing_order gone: accepted", "not at the venue", "accepted, as venue-9", None),
    (
        "order_content symbol TSLA: accepted",
        "symbol is TSLA, sent was AAPL",
        "the order as it was sent",
        None,
    ),
    (
        "impossible_order said to be withheld: accepted",
        "said to be withheld, which is not for a venue to say",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order without the venue's name: accepted",
        "accepted, and without a name of the venue's",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order under another name of the venue's: accepted",
        "at the venue as venue-999, on record as venue-9",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order filled, with less: partially filled",
        "filled, with 3.0 of 4.5 filled",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order no number on record: accepted",
        "on record with NaN of 4.5 filled",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order no number in an execution on record: filled",
        "execution e0 is of NaN at 1",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order accepted again: canceled unfilled",
        "accepted at the venue, canceled on record",
        "a report that can be true",
        None,
    ),
    (
        "impossible_order under two names: accepted",
        "listed more than once, as venue-888, venue-9",
        "one, listed once",
        None,
    ),
    (
        "fill_not_at_venue lost: filled",
        "no such execution",
        "sell 1.5 AAPL at 187.30",
        "-1.5",
    ),
    (
        "fills_incomplete less filled: partially filled",
        "2.999999999 filled, and executions of 3.0",
        "executions of all that is filled",
        "-0.000000001",
    ),
    (
        "fills_incomplete one listed twice: partially filled",
        "listed more than once: e2",
        "every one once",
        None,
    ),
    (
        "fills_incomplete the order not listed: unknown",
        "executions of it, and not the order",
        "the order too",
        None,
    ),
    ("position TSLA 5", "5 held", "0 by our fills and 0 excluded", "5"),
    ("position AAPL by -1", "-0.5 held", "-1.5 by our fills and 2 excluded", "-1"),
    ("position GLD twice", "-1 and 0 held", "0 by our fills and -1 excluded", None),
    ("cash by -0.01", "10561.890", "10000.00 at first and 561.900 since", "-0.01"),
]


@pytest.mark.parametrize(("plant", "found", "wanted", "amount"), TOLD)
def test_a_difference_tells_what_was_found_what_was_wanted_and_how_much_it_is_i60(
    plant: str, found: str, wanted: str, amount: str | None
) -> None:
    planted = world()
    (chosen,) = (each for each in PLANTS if each.name == plant)
    ((kind, subject),) = chosen.plant(planted)

    assert compared(planted) == (
        Difference(
            kind=kind,
            subject=subject,
            found=found,
            wanted=wanted,
            amount=None if amount is None else Decimal(amount),
        ),
    )


NAMES = st.sampled_from(["", "hy1-a", "hy1-b", "by hand", "\x00\n", "AAPL"])
VENUE_NAMES = st.sampled_from(["", "venue-1", "venue-2", "venue\n3"])
NUMBERS = st.one_of(
    st.sampled_from(
        [Decimal(n) for n in ("0", "1", "-1", "2.5", "NaN", "sNaN", "-NaN7", "Infinity")]
        + [Decimal(n) for n in ("-Infinity", "1E+40", "1E-99", "0E+999", "0E-999", "-0")]
        + [Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("9" * 150)]
    ),
    st.decimals(allow_nan=True, allow_infinity=True),
)
TIMES = st.integers(-(2**63), 2**63 - 1)
ORDERS = st.builds(
    Order,
    client_order_id=NAMES,
    symbol=NAMES,
    side=st.sampled_from(Side),
    quantity=NUMBERS,
    order_type=st.sampled_from(OrderType),
    time_in_force=st.sampled_from(TimeInForce),
    limit_price=st.none() | NUMBERS,
    replaces=st.none() | NAMES,
)
FILLS = st.lists(
    st.builds(
        Fill,
        execution_id=NAMES,
        client_order_id=NAMES,
        symbol=NAMES,
        side=st.sampled_from(Side),
        quantity=NUMBERS,
        price=NUMBERS,
        at=TIMES,
    ),
    max_size=4,
).map(tuple)
STATES = st.builds(
    OrderState,
    order=ORDERS,
    status=st.sampled_from(OrderStatus),
    venue_order_id=st.none() | VENUE_NAMES,
    filled_quantity=NUMBERS,
)
RECORDS = st.builds(
    RecordView,
    account=st.none() | NAMES,
    opening_cash=st.none() | NUMBERS,
    cash=NUMBERS,
    orders=st.lists(STATES, max_size=4).map(
        lambda states: {state.order.client_order_id: state for state in states}
    ),
    fills=FILLS,
    positions=st.dictionaries(NAMES, NUMBERS, max_size=3),
    excluded_orders=st.frozensets(NAMES, max_size=2),
    excluded_positions=st.dictionaries(NAMES, NUMBERS, max_size=2),
)
SNAPSHOTS = st.builds(
    VenueSnapshot,
    at=TIMES,
    since=TIMES,
    account=st.builds(
        VenueAccount, account=NAMES, cash=NUMBERS, equity=st.none() | NUMBERS, blocked=NAMES
    ),
    positions=st.lists(st.builds(VenuePosition, symbol=NAMES, quantity=NUMBERS), max_size=4).map(
        tuple
    ),
    orders=st.lists(
        st.builds(
            VenueOrder,
            order=ORDERS,
            venue_order_id=VENUE_NAMES,
            status=st.sampled_from(OrderStatus),
            filled_quantity=NUMBERS,
            reason=NAMES,
            replaced_by=st.none() | NAMES,
        ),
        max_size=4,
    ).map(tuple),
    fills=FILLS,
)


@settings(max_examples=60)
@given(RECORDS, SNAPSHOTS, st.randoms(use_true_random=False))
def test_whatever_can_be_read_can_be_compared_and_told_i60(
    record: RecordView, snapshot: VenueSnapshot, random: Random
) -> None:
    record = msgspec.json.decode(msgspec.json.encode(record), type=RecordView)
    snapshot = msgspec.json.decode(msgspec.json.encode(snapshot), type=VenueSnapshot)

    differences = compare(record, snapshot)

    assert all(describe(difference).isprintable() for difference in differences)
    assert len({(each.kind, each.subject) for each in differences}) == len(differences)
    assert all(each.amount is None or each.amount.is_finite() for each in differences)
    assert compare(*shuffled(record, snapshot, random)) == differences


CONTRACT = "SPY240712C00550000"


@pytest.mark.parametrize(
    ("excluded", "held", "at", "found"),
    [
        (CONTRACT, None, "2024-07-12 16:00", (CONTRACT,)),
        (CONTRACT, 0, "2024-07-12 16:00", (CONTRACT,)),
        (CONTRACT, None, "2024-07-12 15:59", ()),  # somebody has sold it
        (CONTRACT, 2, "2024-07-15 09:30", ()),
        (CONTRACT, 1, "2024-07-15 09:30", ()),
        ("SPY", None, "2024-07-15 09:30", ()),
    ],
    ids=["gone", "none held", "in its last session", "still there", "a part of it", "shares"],
)
def test_what_is_left_alone_of_a_contract_lapses_when_it_is_over_and_gone_i29_i60(
    excluded: str, held: int | None, at: str, found: tuple[str, ...]
) -> None:
    fine = world()
    record = structs.replace(fine.record, excluded_positions={excluded: Decimal(2)})
    theirs = () if held is None else (VenuePosition(symbol=excluded, quantity=Decimal(held)),)
    snapshot = structs.replace(fine.snapshot, at=instant(at), positions=theirs)

    assert lapsed(record, snapshot, SESSIONS) == found
