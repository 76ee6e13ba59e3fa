"""Which symbols can be relied on, whether the feed can, and what makes that so again."""

from typing import Any

import pytest

from hydra.trading.bars import Bar
from hydra.trading.price_watch import LOST_MAX, NONSENSE_MAX, Change, PriceWatch
from hydra.trading.quotes import Quote
from hydra.trading.symbol_prices import Unready
from hydra.trading.venue_clock import SKEW

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
AGE_MAX, LATE_MAX = 15 * SECOND, 150 * SECOND
MARKET = 1_700_000_000 * SECOND
"""Market time is so far ahead of machine time."""
CONFIRMED = "is believed once it is confirmed"


class Watched:
    """A watch and the clocks; `AAPL` and `NOVA` are on one stream, `BTC/USD` on another."""

    def __init__(self) -> None:
        self.now = 0
        self.watch = PriceWatch(
            {"stocks": ("AAPL", "NOVA"), "coins": ("BTC/USD",)},
            age_max=AGE_MAX,
            late_max=LATE_MAX,
        )
        self.watch.session(self.now, is_open=True)
        self.why: dict[str, Unready | None] = {}
        self._look()

    def connect(self, stream: str = "stocks", connection: int = 1) -> None:
        self.watch.stream_began(stream, connection, MARKET + self.now)
        self._look()

    def lose(self, stream: str = "stocks", *, is_refused: bool = False) -> None:
        self.watch.stream_ended(stream, "cut", is_refused, self.now)
        self._look()

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)
        self._look()

    def quote(
        self, symbol: str = "AAPL", bid: float = 100.0, *, seconds: float = 0.0, at: int = 0
    ) -> str | None:
        """So many seconds later, by default of that very moment."""
        self.wait(seconds)
        quote = Quote(symbol, at or MARKET + self.now, bid, bid + 0.01, 1.0, 1.0)
        fault = self.watch.quote(quote, self.now, MARKET + self.now)
        self._look()
        return fault

    def bar(self, price: float = 100.0, *, volume: float, begun: int) -> str | None:
        bar = Bar("AAPL", begun, begun + MINUTE, price, price, price, price, volume)
        fault = self.watch.bar(bar, self.now)
        self._look()
        return fault

    def status(self, *, trades: bool, at: int = 0) -> None:
        at = at or MARKET + self.now
        self.watch.status("AAPL", trades, "H T1", at, MARKET + self.now)
        self._look()

    def _look(self) -> None:
        self.changes = self.watch.changes(self.now)
        self.why.update({change.symbol: change.why for change in self.changes})


@pytest.fixture
def it() -> Watched:
    return Watched()


@pytest.fixture
def live(it: Watched) -> Watched:
    """Everything is connected and has had a price."""
    it.connect()
    it.connect("coins")
    for symbol in ("AAPL", "NOVA", "BTC/USD"):
        assert it.quote(symbol, seconds=0.1) is None
    return it


def test_nothing_is_ready_before_its_stream_is_connected_and_a_price_has_come_i45(
    it: Watched,
) -> None:
    at_first = dict(it.why)
    it.connect()
    connected = dict(it.why)
    it.quote(seconds=1)

    assert set(at_first.values()) == {Unready.LOST}
    assert connected == {
        "AAPL": Unready.UNKNOWN,
        "NOVA": Unready.UNKNOWN,
        "BTC/USD": Unready.LOST,
    }
    assert it.why["AAPL"] is None
    assert it.watch.unready == {"BTC/USD": "lost", "NOVA": "unknown"}


def test_each_change_is_told_once_with_its_reason_i45(live: Watched) -> None:
    live.wait(16)

    assert live.changes == tuple(
        Change(symbol, Unready.STALE, f"the newest price is {old} s old, at most 15 s allowed")
        for symbol, old in (("AAPL", 16), ("NOVA", 16), ("BTC/USD", 16))
    )
    live.wait(1)
    assert live.changes == ()


def test_a_symbol_that_is_silent_is_stale_by_itself_and_the_feed_is_well_i45(
    live: Watched,
) -> None:
    for _ in range(20):
        live.quote("AAPL", seconds=1)
        live.quote("BTC/USD")

    assert live.why == {"AAPL": None, "NOVA": Unready.STALE, "BTC/USD": None}
    assert live.watch.fault(live.now) is None


def test_a_stream_that_is_connected_and_mute_makes_the_feed_unwell_i45(live: Watched) -> None:
    for _ in range(20):
        live.quote("BTC/USD", seconds=1)

    assert live.watch.fault(live.now) == "the stream stocks: the newest price is 20 s old"


def test_a_stream_that_never_had_a_price_is_not_said_to_have_an_old_one_i45(it: Watched) -> None:
    it.connect()
    it.connect("coins")
    for _ in range(16):
        it.quote("AAPL", seconds=1)

    assert it.watch.fault(it.now) == (
        "the stream coins: no price has come since it began; one has been due for 16 s"
    )


def test_prices_of_before_the_exchange_opened_are_not_called_younger_than_they_are_i45(
    live: Watched,
) -> None:
    live.watch.session(live.now, is_open=False)
    live.wait(3600)
    live.watch.session(live.now, is_open=True)
    for _ in range(16):
        live.quote("BTC/USD", seconds=1)

    assert live.watch.fault(live.now) == (
        "the stream stocks: no price has come since the market opened 16 s ago"
    )


def test_a_stream_that_is_connected_and_mute_is_named_once_a_minute_i45(live: Watched) -> None:
    named = []
    for _ in range(130):
        live.quote("BTC/USD", seconds=1)
        named.append(live.watch.mute(live.now))

    assert [number for number, each in enumerate(named) if each] == [61, 122]
    assert set(named) == {(), ("stocks",)}


@pytest.mark.parametrize("end", ["lost", "quoted", "closed", "begun anew"])
def test_one_that_is_away_or_speaks_or_has_no_reason_to_or_is_new_is_not_mute_i45(
    end: str, live: Watched
) -> None:
    live.wait(0)
    live.watch.mute(live.now)
    for _ in range(58):
        live.quote("BTC/USD", seconds=1)
    match end:
        case "lost":
            live.lose()
        case "quoted":
            live.quote("AAPL")
        case "closed":
            live.watch.session(live.now, is_open=False)
        case _:
            live.connect(connection=2)

    for _ in range(50):
        live.quote("BTC/USD", seconds=1)
        assert live.watch.mute(live.now) == ()


def test_a_price_that_comes_again_and_again_is_frozen_i45(live: Watched) -> None:
    for number in range(30):
        live.quote(bid=100 + number / 100, seconds=1)
    for _ in range(31):
        assert live.quote(bid=101, seconds=1) is None
    still_trusted = live.why["AAPL"]

    live.quote(bid=101, seconds=1)

    assert (still_trusted, live.why["AAPL"]) == (None, Unready.FROZEN)


def test_while_no_session_is_open_a_price_may_be_as_old_as_it_is_i45(live: Watched) -> None:
    live.watch.session(live.now, is_open=False)
    live.wait(12 * 3600)
    live.quote("BTC/USD", 100.5)  # coins have no night
    closed = (set(live.why.values()), live.watch.fault(live.now))
    live.watch.session(live.now, is_open=True)
    live.wait(14)
    just_open = set(live.why.values())
    live.wait(2)

    assert closed == ({None}, None)
    assert just_open == {None}
    assert set(live.why.values()) == {Unready.STALE}


def test_after_a_reconnect_only_a_price_of_later_counts_i47(live: Watched) -> None:
    before = MARKET + live.now
    live.lose()
    lost = live.why["AAPL"]
    live.wait(2)
    live.connect(connection=2)

    live.quote(at=before)
    with_an_old_one = live.why["AAPL"]
    live.quote(seconds=0.5)

    assert lost is Unready.LOST
    assert with_an_old_one is Unready.UNKNOWN
    assert live.why["AAPL"] is None


def test_bars_that_are_missing_keep_a_symbol_unready_whatever_else_comes_i47(
    live: Watched,
) -> None:
    live.watch.bars_missing(("AAPL", "XYZ"), "the stream was away")
    live.quote(seconds=1)
    missing = live.why["AAPL"]
    live.watch.bars_missing(("AAPL",), "")
    live.quote(seconds=1)

    assert (missing, live.why["AAPL"]) == (Unready.MISSING, None)


def test_a_stream_may_be_away_for_a_while_and_no_longer_i45(live: Watched) -> None:
    live.lose()
    live.lose("coins")
    live.wait(LOST_MAX / SECOND)
    assert live.watch.fault(live.now) is None

    live.lose()  # told at each attempt that fails
    live.wait(1)

    assert live.watch.fault(live.now) == "the stream stocks is lost for 11 s: cut"


def test_keys_that_are_refused_and_a_stream_that_never_came_count_at_once_i45(
    it: Watched,
) -> None:
    it.watch.session(it.now, is_open=False)
    never = it.watch.fault(it.now)
    it.lose(is_refused=True)

    assert never == "the stream stocks is not connected yet"
    assert it.watch.fault(it.now) == "the stream stocks is refused: cut"


def test_a_halted_symbol_is_ready_again_after_a_resume_and_a_price_of_later_i46(
    live: Watched,
) -> None:
    live.status(trades=False)
    live.quote(seconds=1)
    halted = live.why["AAPL"]
    live.wait(1)
    live.status(trades=True)
    resumed = live.why["AAPL"]
    live.quote(seconds=1)

    assert (halted, resumed, live.why["AAPL"]) == (Unready.HALTED, Unready.UNKNOWN, None)


def test_an_older_word_of_a_resume_ends_no_halt(live: Watched) -> None:
    before = MARKET + live.now
    live.wait(5)
    live.status(trades=False)

    live.status(trades=True, at=before)

    assert live.why["AAPL"] is Unready.HALTED


def test_a_resume_that_was_missed_is_seen_by_a_bar_that_traded_after_the_reconnect_i47(
    live: Watched,
) -> None:
    live.status(trades=False)
    live.lose()
    live.connect(connection=2)
    began = MARKET + live.now
    live.quote(seconds=1)
    with_a_quote = live.why["AAPL"]
    live.wait(60)
    live.bar(volume=0, begun=began)
    live.bar(volume=100, begun=began - 1)
    with_empty_or_earlier_bars = live.why["AAPL"]
    live.bar(volume=100, begun=began)

    assert (with_a_quote, with_empty_or_earlier_bars) == (Unready.HALTED, Unready.HALTED)
    assert live.why["AAPL"] is None


def test_halted_symbols_do_not_make_the_feed_unwell(live: Watched) -> None:
    for symbol in ("AAPL", "NOVA"):
        live.watch.status(symbol, False, "H T1", MARKET + live.now, MARKET + live.now)
    for _ in range(20):
        live.quote("BTC/USD", seconds=1)

    assert live.watch.fault(live.now) is None


def test_a_silent_option_is_stale_and_no_silence_of_its_stream_i45() -> None:
    option = "AAPL261218C00200000"
    watch = PriceWatch({"options": (option,)}, age_max=AGE_MAX, late_max=LATE_MAX)
    watch.session(0, is_open=True)
    watch.stream_began("options", 1, MARKET)
    watch.quote(Quote(option, MARKET + SECOND, 1.0, 1.1, 1.0, 1.0), SECOND, MARKET + SECOND)

    (change,) = watch.changes(60 * SECOND)

    assert (change.symbol, change.why) == (option, Unready.STALE)
    assert watch.fault(60 * SECOND) is None


def test_quotes_of_a_halted_symbol_are_no_sign_of_life_of_the_others_i45(live: Watched) -> None:
    live.status(trades=False)
    for _ in range(20):
        live.quote("AAPL", seconds=1)
        live.quote("BTC/USD")

    assert live.watch.fault(live.now) == "the stream stocks: the newest price is 20 s old"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"symbol": "XYZ"}, "unknown symbol"),
        ({"at": MARKET + SECOND + SKEW + 10**9}, "it is from the future"),
        ({"at": MARKET - LATE_MAX}, "it is too old to be a price of now"),
        ({"at": MARKET}, f"it is older than the last one, of {MARKET + 100_000_000}"),
        (
            {"bid": 200.0},
            f"found 200.0 to 200.01 after 100.005; a jump of more than 25% {CONFIRMED}",
        ),
        ({"bid": -1.0}, "found bid -1.0; wanted 0 or more"),
        ({"bid": 0.0}, "found bid 0.0 and ask 0.01; wanted both over 0"),
    ],
)
def test_an_odd_quote_is_told_and_is_no_sign_of_life_i46(
    live: Watched, change: dict[str, Any], fault: str
) -> None:
    live.wait(0.7)
    live.lose()
    live.connect(connection=2)

    found = live.quote(**change)

    assert found == fault
    assert live.why["AAPL"] is Unready.UNKNOWN


def test_too_much_nonsense_makes_the_feed_unwell_for_a_while_i46(live: Watched) -> None:
    for _ in range(NONSENSE_MAX - 1):
        live.quote("XYZ")
    assert live.watch.fault(live.now) is None

    live.watch.gap(live.now)
    fault = live.watch.fault(live.now)
    live.watch.session(live.now, is_open=False)
    live.wait(61)
    live.quote("BTC/USD")

    assert fault == "100 or more prices within 60 s that nobody can have meant"
    assert live.watch.fault(live.now) is None


def test_quotes_without_a_side_are_dropped_and_do_not_count_as_nonsense_i46(
    live: Watched,
) -> None:
    for _ in range(2 * NONSENSE_MAX):
        assert live.quote(bid=0.0) is not None

    assert live.watch.fault(live.now) is None


@pytest.mark.parametrize(("bid", "ask"), [(77.5, 122.5), (99.0, 160.0), (62.0, 101.0)])
def test_a_thin_market_that_is_quoted_wide_is_no_price_and_no_nonsense_i46(
    live: Watched, bid: float, ask: float
) -> None:
    found = set()
    for _ in range(2 * NONSENSE_MAX):
        live.now += 1_000_000
        quote = Quote("AAPL", MARKET + live.now, bid, ask, 1.0, 1.0)
        found.add(live.watch.quote(quote, live.now, MARKET + live.now))

    assert found == {f"found bid {bid} and ask {ask} around 100.005; wanted them closer together"}
    assert live.watch.fault(live.now) is None


def test_while_the_exchange_is_closed_a_share_may_be_silent_and_a_coin_may_not_i45(
    live: Watched,
) -> None:
    live.watch.session(live.now, is_open=False)
    live.why.clear()
    for _ in range(20):
        live.quote("BTC/USD", seconds=1)
    both_are_fine = (dict(live.why), live.watch.fault(live.now))

    live.wait(16)

    assert both_are_fine == ({}, None)
    assert live.why == {"BTC/USD": Unready.STALE}
    assert live.watch.fault(live.now) == "the stream coins: the newest price is 16 s old"


def test_once_the_market_has_ended_no_coin_is_waited_for(live: Watched) -> None:
    live.watch.session(live.now, is_open=False, has_ended=True)
    live.why.clear()

    live.wait(600)

    assert (live.why, live.watch.fault(live.now)) == ({}, None)


CONTRACT = "SPY261218C00500000"


def option(it: Watched, symbol: str = CONTRACT) -> str | None:
    quote = Quote(symbol, MARKET + it.now, 2.0, 2.1, 1.0, 1.0)
    fault = it.watch.quote(quote, it.now, MARKET + it.now)
    it._look()
    return fault


def follow(it: Watched, *symbols: str) -> tuple[str, ...]:
    gone = it.watch.follow("options", symbols, it.now, MARKET + it.now)
    it._look()
    return gone


def test_a_contract_that_is_followed_is_ready_once_its_stream_is_and_a_quote_has_come_i45(
    live: Watched,
) -> None:
    follow(live, CONTRACT)
    before = live.why[CONTRACT]
    live.connect("options")
    connected = live.why[CONTRACT]
    live.wait(1)

    assert (before, connected) == (Unready.LOST, Unready.UNKNOWN)
    assert option(live) is None
    assert live.why[CONTRACT] is None


def test_one_that_is_followed_later_is_ready_with_its_own_first_quote_i45(live: Watched) -> None:
    live.connect("options")  # told of before anything was followed
    follow(live, CONTRACT)
    before = live.why[CONTRACT]
    live.wait(1)
    option(live)

    assert (before, live.why[CONTRACT]) == (Unready.UNKNOWN, None)


def test_a_stream_of_what_is_only_followed_does_not_speak_for_the_feed_i45(live: Watched) -> None:
    follow(live, CONTRACT)
    live.connect("options")
    live.wait(1)
    option(live)

    live.lose("options", is_refused=True)
    live.quote(seconds=1)
    live.quote("BTC/USD")

    assert live.why[CONTRACT] is Unready.LOST
    assert live.watch.fault(live.now) is None


def test_a_mute_stream_of_contracts_is_named_once_a_minute_and_the_feed_is_well_i45(
    live: Watched,
) -> None:
    live.connect("options")
    follow(live, CONTRACT)
    option(live)
    named = []
    for _ in range(130):
        live.quote(seconds=1)
        live.quote("BTC/USD")
        named.append(live.watch.mute(live.now))

    assert [number for number, each in enumerate(named) if each] == [61, 122]
    assert set(named) == {(), ("options",)}
    assert live.watch.fault(live.now) is None


@pytest.mark.parametrize("since", ["just followed", "one of two", "nothing followed"])
def test_a_stream_of_contracts_is_not_mute_before_something_was_to_be_heard_i45(
    since: str, live: Watched
) -> None:
    other = CONTRACT.replace("C", "P")
    live.connect("options")
    live.watch.mute(live.now)
    for second in range(300):
        live.quote(seconds=1)
        live.quote("BTC/USD")
        if since == "just followed" and second == 245:
            follow(live, CONTRACT)
        if since == "one of two":
            follow(live, CONTRACT, other)
            option(live)

        assert live.watch.mute(live.now) == ()


def test_what_is_not_followed_any_more_is_forgotten_and_its_last_words_are_no_nonsense_i46(
    live: Watched,
) -> None:
    live.connect("options")
    follow(live, CONTRACT)

    gone = follow(live)
    words = {option(live) for _ in range(2 * NONSENSE_MAX)}
    stranger = option(live, "TSLA")

    assert gone == (CONTRACT,)
    assert not live.watch.knows(CONTRACT)
    assert words == {"the contract is not followed"}
    assert stranger == "unknown symbol"
    assert live.watch.fault(live.now) is None


def quoted_at(it: Watched, bid: float) -> str | None:
    """For as long as it takes to be believed; gives what is wrong with the last quote."""
    for _ in range(2):
        assert it.quote(bid=bid, seconds=0.6) is not None
    return it.quote(bid=bid, seconds=0.6)


def test_where_quotes_alone_have_jumped_to_nobody_enters_until_something_trades_there_i35_i46(
    live: Watched,
) -> None:
    begun = MARKET + live.now
    fault = quoted_at(live, 10.0)
    change = live.changes
    live.quote(bid=10.01, seconds=1)
    live.bar(10.0, volume=0, begun=begun)
    with_quotes_and_an_empty_bar = live.why["AAPL"]
    live.bar(10.0, volume=5, begun=begun)

    assert fault is None  # it counts as a price, of which exits and budgets must know
    words = "quotes jumped from 100.005 to 10.005, and no trade says so yet"
    assert change == (Change("AAPL", Unready.JUMPED, words),)
    assert (with_quotes_and_an_empty_bar, live.why["AAPL"]) == (Unready.JUMPED, None)


def test_where_trades_alone_have_jumped_to_nobody_enters_until_a_quote_lies_there_i35_i46(
    live: Watched,
) -> None:
    for minute in range(3):
        live.wait(1)
        live.bar(1000.0, volume=5, begun=MARKET + minute * MINUTE)
    jumped = live.changes
    live.quote(bid=1001.0, seconds=1)

    words = "trades jumped from 100.005 to 1000.0, and no quote says so yet"
    assert jumped == (Change("AAPL", Unready.JUMPED, words),)
    assert live.why["AAPL"] is None


def test_quotes_that_come_back_are_entered_on_again_once_something_trades_there_i46(
    live: Watched,
) -> None:
    quoted_at(live, 10.0)
    back = quoted_at(live, 100.0)
    still = live.why["AAPL"]
    live.bar(100.0, volume=5, begun=MARKET + live.now)

    assert (back, still, live.why["AAPL"]) == (None, Unready.JUMPED, None)


def test_trades_where_it_was_confirm_no_jump_i46(live: Watched) -> None:
    quoted_at(live, 10.0)

    fault = live.bar(100.0, volume=5, begun=MARKET)

    assert fault is not None
    assert live.why["AAPL"] is Unready.JUMPED


def test_of_a_contract_there_are_quotes_alone_and_they_are_enough() -> None:
    watch = PriceWatch({"options": (CONTRACT,)}, age_max=AGE_MAX, late_max=LATE_MAX)
    watch.session(0, is_open=True)
    watch.stream_began("options", 1, MARKET)
    for number, bid in enumerate((1.0, 10.0, 10.0, 10.0)):
        at = (number + 1) * SECOND
        watch.quote(Quote(CONTRACT, MARKET + at, bid, bid + 0.1, 1.0, 1.0), at, MARKET + at)

    assert watch.changes(4 * SECOND) == ()
