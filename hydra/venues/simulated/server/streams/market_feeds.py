"""Tells the clients of the market-data streams what happens, to each what it has subscribed to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import assert_never

from hydra.trading.bars import Bar
from hydra.trading.instruments import is_crypto
from hydra.venues.simulated.brokerage.acts import Act, HaltSymbol, ResumeSymbol
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.events import (
    BarBegun,
    BarEnded,
    MarketEnded,
    QuoteChanged,
    SessionClosed,
    SessionOpened,
    TapeEvent,
    TradePrinted,
)
from hydra.venues.simulated.market.rows import OrderBook, PageQuery
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.streams.connection import Connection
from hydra.venues.simulated.server.streams.encodings import Encoding, Message
from hydra.venues.simulated.server.streams.feeds import CHANNEL_OF, TEST, Feed, Kind
from hydra.venues.simulated.server.streams.invented_market import InventedMarket
from hydra.venues.simulated.server.streams.market_messages import (
    HALT,
    RESUMPTION,
    bar_message,
    book_change_message,
    book_message,
    quote_message,
    status_message,
    trade_message,
)
from hydra.venues.simulated.server.streams.subscriptions import ALL, StreamError, Subscriptions


class DataClient:
    """A client that has said who it is, and what it wants."""

    def __init__(self, feed: Feed, encoding: Encoding, connection: Connection) -> None:
        self.feed = feed
        self.encoding = encoding
        self.connection = connection
        self.subscriptions = Subscriptions(feed)

    def tell(self, message: Message, *, alone: bool = False) -> None:
        """Send it a message; `alone` for what comes in an array of one."""
        self.connection.tell(self.encoding.one(message), alone=alone)


class MarketFeeds:
    """Messages are made where somebody wants them, and encoded once for all who do."""

    def __init__(self, venue: LocalVenue) -> None:
        self._venue = venue
        self._clients: dict[DataClient, None] = {}
        self._late: deque[tuple[int, Feed, Message]] = deque()
        self._books: dict[str, OrderBook] = {}
        self._invented = InventedMarket(venue, self._tell_test_clients)
        venue.on_market(self._on_event)
        venue.on_acts(self._on_act)

    def join(self, client: DataClient) -> None:
        """From now on it is told what it subscribes to."""
        self._clients[client] = None

    def leave(self, client: DataClient) -> None:
        """It has gone."""
        self._clients.pop(client, None)

    def is_taken(self, feed: Feed) -> bool:
        """Whether somebody is on this stream already; there is one place on each."""
        return any(client.feed is feed for client in self._clients)

    def kick(self, path: str | None, error: StreamError) -> None:
        """Send clients away with an error, from one stream or from all."""
        for client in tuple(self._clients):
            if path in (None, client.feed.path):
                client.tell(error.message, alone=True)

    def tell_news_to(self, client: DataClient, before: Subscriptions) -> None:
        """What a client is told at once because of what it has just subscribed to."""
        if client.feed is TEST and client.subscriptions.chosen:
            self._invented.open()
        new = client.subscriptions.new_in("orderbooks", before)
        if ALL in new:
            coins = (asset.symbol for asset in self._venue.tape.assets)
            new = frozenset(filter(is_crypto, coins))
        for symbol in sorted(new):
            book = self._venue.tape.history.order_book(symbol, self._venue.now())
            if book is not None:
                self._books[symbol] = book
                client.tell(book_message(book))

    def publish(self, kind: Kind, message: Message, path: str | None = None) -> int:
        """Tell a message to all clients of a kind of feed (or of one) who want its like.

        Gives how many there were.
        """
        symbols = message["symbols"] if kind is Kind.NEWS else (message["S"],)
        wanting = self._wanting(kind, CHANNEL_OF[message["T"]], symbols)
        to_whom = [client for client in wanting if path in (None, client.feed.path)]
        self._send(to_whom, message)
        return len(to_whom)

    def _on_event(self, event: TapeEvent) -> None:
        self._tell_late(event.at)
        match event:
            case TradePrinted():
                kind = _kind_of(event.symbol)
                self._offer(kind, event.symbol, "t", lambda: trade_message(kind, event))
            case QuoteChanged():
                kind = _kind_of(event.symbol)
                self._offer(kind, event.symbol, "q", lambda: quote_message(kind, event))
                self._tell_what_follows(kind, event)
            case BarEnded():
                self._tell_bars(event.bar)
            case BarBegun() | SessionOpened() | SessionClosed() | MarketEnded():
                pass  # they are seen by what else happens then
            case _:
                assert_never(event)

    def _on_act(self, act: Act) -> None:
        match act:
            case HaltSymbol():
                self._tell_status(act.symbol, HALT)
            case ResumeSymbol():
                self._tell_status(act.symbol, RESUMPTION)
            case _:
                pass  # the account's affair, not the market's

    def _tell_status(self, symbol: str, words: tuple[str, str, str, str]) -> None:
        message = status_message(symbol, self._venue.now(), words)
        self._offer(_kind_of(symbol), symbol, "s", lambda: message)

    def _tell_bars(self, bar: Bar) -> None:
        kind, history = _kind_of(bar.symbol), self._venue.tape.history
        if self._is_wanted(kind, "bars", bar.symbol):
            latest = history.latest_bar(bar.symbol, bar.end_at)
            if latest is not None:
                self._offer(kind, bar.symbol, "b", lambda: bar_message("b", latest))
        if self._is_wanted(kind, "dailyBars", bar.symbol):
            day = history.day_so_far(bar.symbol, bar.end_at)
            if day is not None:
                self._offer(kind, bar.symbol, "d", lambda: bar_message("d", day))

    def _tell_what_follows(self, kind: Kind, quote: QuoteChanged) -> None:
        """What moves with a quote: a coin's book, and the options on a share."""
        if kind is Kind.CRYPTO:
            if self._is_wanted(kind, "orderbooks", quote.symbol):
                self._tell_book_change(quote.symbol, quote.at)
            return
        for contract in self._options_wanted_on(quote.symbol):
            self._tell_option(contract, quote.at)

    def _tell_book_change(self, symbol: str, at: int) -> None:
        after = self._venue.tape.history.order_book(symbol, at)
        before = self._books.get(symbol)
        if after is None:
            return
        self._books[symbol] = after
        if before is None:
            self._offer(Kind.CRYPTO, symbol, "o", lambda: book_message(after))
        elif (before.bids, before.asks) != (after.bids, after.asks):
            self._offer(Kind.CRYPTO, symbol, "o", lambda: book_change_message(before, after))

    def _tell_option(self, symbol: str, at: int) -> None:
        """Only what is of this very moment is news."""
        history = self._venue.tape.history
        if self._is_wanted(Kind.OPTIONS, "trades", symbol):
            moment = PageQuery(symbols=(symbol,), start=at, end=at, limit=1)
            for trade in history.trades(moment, at).rows:
                self._offer(Kind.OPTIONS, symbol, "t", partial(trade_message, Kind.OPTIONS, trade))
        quote = history.latest_quote(symbol, at)
        if quote is not None and quote.at == at:
            self._offer(Kind.OPTIONS, symbol, "q", lambda: quote_message(Kind.OPTIONS, quote))

    def _options_wanted_on(self, underlying: str) -> list[str]:
        """The contracts on a share of which somebody wants to hear."""
        wanted = {
            symbol
            for client in self._clients
            if client.feed.kind is Kind.OPTIONS
            for channel in ("trades", "quotes")
            for symbol in client.subscriptions.symbols(channel)
        }
        tape = self._venue.tape
        if ALL in wanted:
            query = ContractQuery(underlyings=frozenset({underlying}))
            return [contract.symbol for contract in tape.contracts(query, self._venue.now())]
        contracts = map(tape.contract, sorted(wanted))
        return [
            contract.symbol
            for contract in contracts
            if contract is not None and contract.underlying == underlying
        ]

    def _is_wanted(self, kind: Kind, channel: str, symbol: str) -> bool:
        return any(True for _ in self._wanting(kind, channel, (symbol,)))

    def _wanting(self, kind: Kind, channel: str, symbols: Iterable[str]) -> list[DataClient]:
        named = tuple(symbols)
        return [
            client
            for client in self._clients
            if client.feed.kind is kind and client.subscriptions.has(channel, named)
        ]

    def _offer(self, kind: Kind, symbol: str, what: str, make: Callable[[], Message]) -> None:
        """Tell it to whoever wants it, now or, on a feed that is late, when its time has come."""
        wanting = [
            client
            for client in self._wanting(kind, CHANNEL_OF[what], (symbol,))
            if client.feed is not TEST
        ]
        if not wanting:
            return
        message = make()
        self._send([client for client in wanting if not client.feed.delay], message)
        for feed in {client.feed.path: client.feed for client in wanting}.values():
            if feed.delay:
                self._late.append((self._venue.now() + feed.delay, feed, message))

    def _tell_test_clients(self, message: Message) -> bool:
        """Whether there is still anybody."""
        self.publish(Kind.STOCKS, message, TEST.path)
        return self.is_taken(TEST)

    def _tell_late(self, now: int) -> None:
        while self._late and self._late[0][0] <= now:
            _, feed, message = self._late.popleft()
            self.publish(feed.kind, message, feed.path)

    @staticmethod
    def _send(clients: Iterable[DataClient], message: Message) -> None:
        encoded: dict[str, bytes] = {}
        for client in clients:
            name = client.encoding.name
            if name not in encoded:
                encoded[name] = client.encoding.one(message)
            client.connection.tell(encoded[name])


def _kind_of(symbol: str) -> Kind:
    return Kind.CRYPTO if is_crypto(symbol) else Kind.STOCKS
