"""What joins an engine to one account for a run: orders, their outcomes, and prices."""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic
from typing import Any

from hydra.ports import OrderGate
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.bar_filling import FillTerms
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.chains import AlpacaChains
from hydra.venues.alpaca.corporate_actions import ActionReads, AlpacaActions
from hydra.venues.alpaca.feed import AlpacaFeed
from hydra.venues.alpaca.market_rest import MarketReads, StockFeed
from hydra.venues.alpaca.options import OptionFeed, OptionReads
from hydra.venues.alpaca.stream import Stream
from hydra.venues.alpaca.trading_stream import NAME, TradingConversation
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from messages.message import Message
from messages.reconciliation import VenueWord

STOCK_FEED, OPTION_FEED = StockFeed.IEX, OptionFeed.INDICATIVE
"""What every account may see, paid for or not."""


class AlpacaLink:
    """See the module. Nothing connects before `start`; messages come from threads of its own."""

    def __init__(
        self,
        access: Access,
        gate: OrderGate,
        *,
        symbols: Collection[str],
        terms: AlpacaTerms,
        history_bars: int = 0,
        market_time: Callable[[], int],
        machine_time: Callable[[], int],
        minutes_by: Callable[[], int],
        tell_gateway: Callable[[VenueWord], None],
        tell_feed: Callable[[Any], None],
        tell: Callable[[str, Message], None],
    ) -> None:
        """`history_bars`: how many closed ones of each symbol are told before the first live one.
        `minutes_by` as of `Calls`.
        `tell` is for answers: to the actor at a path.

        Raises `UnknownSymbols`.
        """
        key_id, secret = access.key_id, access.secret
        self._access = access
        self.trading_stream = Stream(
            NAME,
            access.addresses.trading_stream,
            {},
            lambda: TradingConversation(key_id.reveal(), secret.reveal(), self.venue.executions),
            tell_gateway,
            access.network.connect,
        )
        self.venue = AlpacaVenue(
            access.trading,
            gate,
            terms=terms,
            market_time=market_time,
            machine_time=machine_time,
            tell=tell_gateway,
            report_stream=self.trading_stream.report,
            minutes_by=minutes_by,
        )
        calls = Calls(
            access.data,
            Shares(),
            minutes_by=minutes_by,
            market_time=market_time,
            ended=lambda _: None,  # bars that cannot be fetched are told of as missing
        )
        self.chains = AlpacaChains(OptionReads(calls, self.venue.calls, OPTION_FEED), tell)
        self.actions = AlpacaActions(ActionReads(calls), tell)
        self.feed = AlpacaFeed(
            symbols,
            base_url=access.addresses.data_streams,
            key_id=key_id,
            secret=secret,
            stock_feed=STOCK_FEED,
            option_feed=OPTION_FEED,
            reads=MarketReads(calls, STOCK_FEED, market_time),
            connect=access.network.connect,
            market_time=market_time,
            tell=tell_feed,
            terms=FillTerms(history_bars=history_bars),
        )

    def start(self) -> None:
        """Begin to connect. Who is to hear of it must be there by now."""
        self.trading_stream.start()
        self.feed.start()

    @property
    def frames_heard(self) -> int:
        """Messages of all its streams: what they say was told before it counts."""
        return self.trading_stream.frames_heard + self.feed.frames_heard

    @property
    def is_idle(self) -> bool:
        """Whether its streams are there, and all that was asked of it has been answered."""
        is_answered = self.venue.is_idle and self.chains.is_idle and self.actions.is_idle
        return is_answered and self.trading_stream.is_live and self.feed.is_settled

    def stop_prices(self, within_s: float) -> bool:
        """No price comes any more; False if a thread has not ended in time."""
        return self.feed.stop(within_s)

    def stop(self, within_s: float) -> bool:
        """End it all; False if something has not ended in time. What was being sent is unknown."""
        deadline = monotonic() + within_s
        self.trading_stream.ask_to_stop()
        self.chains.ask_to_stop()
        self.actions.ask_to_stop()
        ended = [
            self.stop_prices(max(0.0, deadline - monotonic())),
            self.trading_stream.stop(max(0.0, deadline - monotonic())),
            self.venue.close(max(0.0, deadline - monotonic())),
        ]
        self._access.close()  # which cuts what chains or actions are being read by, if anything
        ended.append(self.chains.join(max(0.0, deadline - monotonic())))
        ended.append(self.actions.join(max(0.0, deadline - monotonic())))
        return all(ended)
