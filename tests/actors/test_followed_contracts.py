"""Who wants quotes of contracts, and who gets them: the data feed between bots and the adapter."""

from collections.abc import Mapping
from typing import Any

from actors.data_feed import DataFeed
from hydra.actor import MINUTE, SECOND, Ref
from hydra.testkit import Kit, Probe
from hydra.trading.contract_shares import contract_shares
from hydra.trading.quotes import Quote
from hydra.trading.symbol_prices import Unready
from messages.journal import WriteEntry
from messages.market import SYMBOLS_TOPIC, QuoteChanged, QuoteReceived, SymbolReported, quotes_topic
from messages.options import CONTRACT_QUOTES_TOPIC, FollowContracts
from messages.streams import StreamConnected
from tests.actors.test_data_feed import SESSIONS

ONE, OTHER = "SPY260206C00101000", "SPY260206P00099000"


class FakeFeed:
    """The port: keeps what is to be followed."""

    contract_stream = "options"
    streams: Mapping[str, tuple[str, ...]] = {"stocks": ("AAPL",)}

    def __init__(self) -> None:
        self.followed: list[tuple[str, ...]] = []

    def report(self) -> None:
        pass

    def renew(self, stream: str, reason: str) -> None:
        pass

    def follow(self, contracts: tuple[str, ...]) -> None:
        self.followed.append(contracts)


class Feed:
    def __init__(self, plugins: tuple[str, ...] = ()) -> None:
        self.kit = Kit()
        self.port = FakeFeed()
        self.ref: Ref[Any] = self.kit.start(
            DataFeed,
            symbols=("AAPL",),
            sessions=SESSIONS,
            bar_interval=MINUTE,
            feed=self.port,
            price_age_max=15 * SECOND,
            contract_shares=contract_shares(plugins),
        )
        self.probe: Probe = self.kit.probe()
        for topic in (CONTRACT_QUOTES_TOPIC, SYMBOLS_TOPIC, quotes_topic(ONE)):
            self.kit.runtime.bus.subscribe(topic, self.kit.runtime.cells[self.probe.ref.path])
        self.kit.advance(MINUTE)

    def follow(self, bot: str, *symbols: str) -> None:
        self.kit.tell(self.ref, FollowContracts(bot=bot, symbols=symbols))

    def quote(self, symbol: str, bid: float = 2.0, ask: float = 2.1) -> None:
        quote = Quote(symbol, self.kit.now, bid, ask, 1.0, 1.0)
        self.kit.tell(self.ref, QuoteReceived(quote=quote))

    def connect(self) -> None:
        self.kit.tell(self.ref, StreamConnected(stream="options", connection=1))
        self.kit.advance(SECOND)

    @property
    def told(self) -> list[object]:
        return [
            (each.quote.symbol, each.quote.bid) if isinstance(each, QuoteChanged) else each
            for each in self.probe.told
        ]


def test_what_all_bots_want_is_followed_together_and_said_once() -> None:
    feed = Feed()

    feed.follow("opt_core", ONE)
    feed.follow("opt_core", ONE)
    feed.follow("exit_bot", OTHER, ONE)
    feed.follow("opt_core")
    feed.follow("exit_bot")

    assert feed.port.followed == [(ONE,), (ONE, OTHER), ()]


def test_its_quotes_go_first_to_who_judges_by_them_and_then_to_who_decides() -> None:
    feed = Feed()
    feed.follow("opt_core", ONE)
    feed.connect()
    before = len(feed.told)

    feed.quote(ONE)
    feed.quote(OTHER)  # nobody asked for it

    ready = SymbolReported(symbol=ONE, why=None, detail="", at=feed.kit.now)
    assert feed.told[before:] == [ready, (ONE, 2.0), (ONE, 2.0)]


def test_a_crossed_quote_of_a_contract_reaches_nobody_i46() -> None:
    feed = Feed()
    feed.follow("opt_core", ONE)
    feed.connect()
    before = len(feed.told)

    feed.quote(ONE, bid=2.2, ask=2.1)
    feed.quote(ONE, bid=0.0, ask=0.05)

    assert feed.told[before:] == []


def test_one_that_is_not_followed_any_more_leaves_no_cause_behind_i45() -> None:
    feed = Feed()
    feed.follow("opt_core", ONE)
    unready = feed.told[-1]

    feed.follow("opt_core")

    assert isinstance(unready, SymbolReported)
    assert (unready.symbol, unready.why) == (ONE, Unready.LOST)
    last = feed.told[-1]
    assert isinstance(last, SymbolReported)
    assert (last.symbol, last.why) == (ONE, None)


def test_a_share_that_is_asked_for_among_them_is_its_own_stream_s_as_before_i45() -> None:
    feed = Feed()
    feed.connect()

    feed.follow("dip", "AAPL", ONE)
    feed.follow("dip")
    feed.kit.advance(SECOND)

    assert feed.kit.incarnation(feed.ref) == 1
    assert feed.kit.state(feed.ref)["unready"] == {"AAPL": "lost"}, "its stream never came"


def test_what_leaves_room_may_come_in_place_of_what_goes_i45() -> None:
    feed = Feed()
    calls, puts = (
        tuple(f"SPY260206{right}{strike:05}000" for strike in range(1, 201)) for right in "CP"
    )

    feed.follow("opt_core", *calls)
    feed.follow("opt_core", *puts)

    assert feed.port.followed == [calls, puts]


def contracts(root: str, many: int) -> tuple[str, ...]:
    return tuple(f"{root}260206C{strike:05}000" for strike in range(1, many + 1))


def test_however_many_plug_ins_want_all_they_may_our_own_bot_is_followed_i45() -> None:
    plugins = tuple(f"dip{number}" for number in range(5))
    feed = Feed(plugins)
    wishes = {plugin: contracts(f"D{number}", 40) for number, plugin in enumerate(plugins)}
    for plugin, wish in wishes.items():
        feed.follow(plugin, *wish)

    feed.follow("opt_core", ONE, OTHER)

    first = (symbol for wish in wishes.values() for symbol in wish[:32])
    assert feed.port.followed[-1] == tuple(sorted((*first, ONE, OTHER)))


def test_of_what_is_too_much_the_first_are_followed_which_are_those_that_are_held_i45() -> None:
    """The venue would refuse the whole stream, and with it what the others hold."""
    feed = Feed(("dip",))
    journal = feed.kit.probe("journal")
    feed.kit.runtime._journal = journal.ref
    many = contracts("DIP", 42)

    for _ in range(2):
        feed.follow("dip", *many[::-1])
    feed.follow("opt_core", *contracts("OWN", 161))

    entries = [each for each in journal.told if isinstance(each, WriteEntry)]
    assert feed.port.followed[0] == many[2:]
    assert feed.port.followed[-1] == tuple(sorted((*many[2:], *contracts("OWN", 160))))
    assert [each.fields for each in entries if each.event == "contracts_refused"] == [
        {"bot": "dip", "wanted": 42, "followed": 0, "most": 40},
        {"bot": "opt_core", "wanted": 161, "followed": 40, "most": 160},
    ]
