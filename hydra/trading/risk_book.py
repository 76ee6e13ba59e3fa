"""All positions and all orders that are approved and not proven over, at their worst.

Nothing is counted up and down: what is reserved is what positions and open orders come to. So it is
released once, by the outcome that closes the order, and can neither drift nor fall below zero
(I33). Marks and events are told to the book, figures are asked of it; whoever does both in one
thread judges and reserves in one step (I32).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply, subtract, total_if_known
from hydra.trading.exposure import (
    NOTHING,
    UNVALUED,
    ZERO,
    Claim,
    Holding,
    Outstanding,
    is_price,
    outstanding,
    worst_exposure,
)
from hydra.trading.fees import NO_FEES, Fee, FeeSchedule
from hydra.trading.instruments import value_of
from hydra.trading.inventory import ClosedLot, FifoInventory
from hydra.trading.marks import Marks
from hydra.trading.order_life import OrderEvent, after
from hydra.trading.orders import DecisionKey, Fill
from hydra.trading.reckoning import Reckoning, reckoning
from hydra.trading.sane_numbers import GAP_FACTOR_MAX
from hydra.trading.situation import BookView, Proposal
from hydra.trading.venue_clock import seen_at
from hydra.trading.working_orders import WorkingOrder, WorkingOrders, claim_of_proposal
from hydra.trading.worths import Worth, Worths


class _Stake(msgspec.Struct, frozen=True):
    """What one bot has in one symbol, or the account has."""

    position: Decimal = ZERO
    orders: Outstanding = NOTHING
    heat: Decimal | None = ZERO
    """None: it cannot be valued."""


class _SymbolStakes(msgspec.Struct, frozen=True):
    reckoning: Reckoning
    mark: Decimal | None
    bots: Mapping[str, _Stake]
    account: _Stake
    """Of all bots. Positions of different sides are offset, their heat is not."""
    excluded: Decimal | None
    """The value of what is at the account and is not ours."""
    exposure: Decimal | None
    """Of the account, with what is excluded."""
    net: Decimal
    """What the account has of it, signed, with what is excluded."""
    buying_back: Decimal | None
    """See `to_buy_back`, beside the orders that work."""

    @property
    def has_bots_in_it(self) -> bool:
        """Whether one of them holds something, or has an order that works."""
        account = self.account
        if account.position or account.orders is not NOTHING:
            return True
        return any(stake.position for stake in self.bots.values())  # they may offset each other

    def exposure_of(self, bot: str) -> Decimal | None:
        """Of one bot."""
        stake = self.bots.get(bot)
        return ZERO if stake is None else self.worst(stake.position, stake.orders)

    def worst(self, position: Decimal, orders: Outstanding) -> Decimal | None:
        """The worst exposure that a position and orders in this symbol can come to."""
        return worst_exposure(position, self.mark, orders, self.reckoning.units)

    def to_buy_back(self, orders: Outstanding) -> Decimal | None:
        """What it costs to buy back what is short here, beyond what these orders buy."""
        return _buying_back(self.net, self.mark, orders, self.reckoning.units)


_NO_STAKE = _Stake()


class RiskBook:
    """Who holds what, and what is on its way. The same events always make the same book.

    A symbol's exposure is the account's: what bots hold long and short in it is offset, as it is at
    the venue, and to that come the worst fills of all their orders (`worst_exposure`). What an
    operator excluded by name is added to it and offsets nothing, since others may close it at any
    time; no bot can lose it, so it is not in the heat. A bot's exposure is the same sum over what
    that bot holds and works, symbol by symbol; so is its heat, which is never offset.
    """

    def __init__(self, gap_factor: Decimal, fees: FeeSchedule = NO_FEES) -> None:
        self._gap_factor, self._fees = _fit(gap_factor), fees
        self._reckonings: dict[str, Reckoning] = {}
        """By symbol, made when one is first asked for."""
        self._orders = WorkingOrders()
        self._holdings: dict[str, dict[str, Holding]] = {}
        """By symbol, then by bot."""
        self._excluded: dict[str, Decimal] = {}
        self.marks = Marks()
        self._worths = Worths(self._worth_of)
        self._stakes: dict[str, _SymbolStakes] = {}
        """Of every symbol with anything in it, as it was when it was last summed up."""
        self._changed: dict[str, set[str] | None] = {}
        """The symbols of which something has changed since, and of which bots; None: of all."""

    def take_gap_factor(self, gap_factor: Decimal) -> None:
        """A stop is taken to be executed so many times as far away, from now on."""
        self._gap_factor, self._reckonings = _fit(gap_factor), {}
        self._changed = dict.fromkeys([*self._holdings, *self._stakes, *self._changed])

    def recover(
        self,
        holdings: Mapping[tuple[str, str], Holding],
        orders: Iterable[WorkingOrder],
        excluded: Mapping[str, Decimal],
        given_up: Iterable[WorkingOrder] = (),
    ) -> None:
        """Begin anew from the record: holdings by bot and symbol, orders as they were made.

        Of orders that are over nothing counts; with them the book knows a decision that comes
        again, and the stop of a fill that comes late. `given_up` are absent orders of earlier
        sessions, as a book that lived through these has them.
        """
        self._orders = WorkingOrders()
        self._holdings, self._excluded = {}, {}
        self._stakes, self._changed = {}, {}
        self._worths = Worths(self._worth_of)
        for (bot, symbol), holding in holdings.items():
            self._holdings.setdefault(symbol, {})[bot] = holding
            self._changed[symbol] = None
            self._worths.changed(symbol)
        for order in given_up:
            self._put(order)
        self._orders.forget_ended()
        for order in orders:
            self._put(order)
        for symbol, quantity in excluded.items():
            self.exclude(symbol, quantity)

    def reserve(self, order: WorkingOrder) -> bool:
        """Count an order that was just approved. False, and nothing changes, if it is known."""
        if self._orders.get(order.order.client_order_id) is not None:
            return False
        self._put(order)
        return True

    def learned(
        self,
        decision: DecisionKey,
        client_order_id: str,
        event: OrderEvent,
        *,
        is_repeat: bool = False,
    ) -> tuple[ClosedLot, ...]:
        """Take up what is known now of an order of this decision; the lots that it closed.

        A fill moves the position whatever has become of the order, also of one that the book does
        not know. `is_repeat`: this execution was taken up before (I23). Raises ImpossibleReport or
        BadFill for what cannot be; then nothing has changed.
        """
        if is_repeat:
            return ()
        known = self._orders.get(client_order_id)
        state = None if known is None else after(known.state, event)
        closed: tuple[ClosedLot, ...] = ()
        if isinstance(event, Fill):
            stop = None if known is None else known.protective_stop
            closed = self._fill(decision.bot, event, stop)
        if known is not None and state is not None:
            self._put(structs.replace(known, state=state))
        return closed

    def charge(self, fee: Fee) -> Decimal:
        """Take off what the venue kept of an execution; gives what that realised."""
        holdings = self._holdings.setdefault(fee.symbol, {})
        holding = holdings.get(fee.bot) or Holding(FifoInventory(fee.symbol))
        holdings[fee.bot], made = holding.after_fee(fee)
        self._note_change(fee.symbol, fee.bot)
        return made

    def mark(self, symbol: str, price: Decimal | float, at: int) -> None:
        """The market's price at market time `at`; one that is older than what is known is passed
        over. A float is taken as it is printed. What cannot be a price makes it unknown, and then
        nothing there can be valued.
        """
        if self.marks.put(symbol, price, at):
            self._repriced(symbol)

    def mark_closes(self, bars: Iterable[Bar], now: int) -> None:
        """What each bar closed at is its symbol's price at its end, by the feed's own rule."""
        for bar in bars:
            if self.marks.put(bar.symbol, bar.close, seen_at(bar.end_at, now)):
                self._repriced(bar.symbol)

    def exclude(self, symbol: str, quantity: Decimal) -> None:
        """So much of the symbol, signed, is at the account and not ours; it replaces the last."""
        self._excluded[symbol] = quantity
        self._changed[symbol] = None

    def forget_ended(self) -> None:
        """Drop the orders that are over, as at a new session, which has other decisions."""
        self._orders.forget_ended()
        self._changed = dict.fromkeys({**self._stakes, **self._changed})

    def view(self, proposal: Proposal) -> BookView:
        """What the book has to say to a proposal. Nothing of it changes by being asked."""
        symbol, bot = proposal.symbol, proposal.bot
        stakes = self._summed_up()
        here = stakes.get(symbol) or self._sum_up(symbol, None)  # what is only asked is not kept
        own, account = here.bots.get(bot, _NO_STAKE), here.account
        claim = claim_of_proposal(proposal)
        added = UNVALUED
        if claim is not None:
            added = outstanding([claim], here.mark, here.reckoning)
        loss = None if added.unvalued else added.loss
        own_after = here.worst(own.position, own.orders.plus(added))
        orders_after = account.orders.plus(added)
        all_after = here.worst(account.position, orders_after)
        symbol_after = gross_after = _sum_of(all_after, here.excluded)
        others = [each for each in stakes.values() if each is not here]
        its_others = [each for each in others if bot in each.bots]
        return BookView(
            bot_position=own.position,
            account_position=account.position,
            bot_reducing_live=own.orders.reducing(own.position),
            account_reducing_live=account.orders.reducing(account.position),
            symbol_exposure_after=symbol_after,
            bot_exposure_after=total_if_known(
                [own_after, *[each.exposure_of(bot) for each in its_others]]
            ),
            gross_exposure_after=total_if_known([gross_after, *[each.exposure for each in others]]),
            buying_after=total_if_known(
                [_cost_of(orders_after), *[_cost_of(each.account.orders) for each in others]]
            ),
            shorts_after=total_if_known(
                [here.to_buy_back(orders_after), *[each.buying_back for each in others]]
            ),
            heat_after=total_if_known(
                [loss, account.heat, *[each.account.heat for each in others]]
            ),
            loss_at_stop=ZERO if proposal.reduces else loss,
            opposing=self._orders.opposing(proposal),
            unknown=self._orders.unknown_in(symbol),
        )

    def at_risk(self) -> dict[str, Decimal | None]:
        """What each bot would lose if all it holds and works were stopped out: its heat."""
        heat: dict[str, Decimal | None] = {}
        for stakes in self._summed_up().values():
            for bot, stake in stakes.bots.items():
                heat[bot] = _sum_of(heat[bot], stake.heat) if bot in heat else stake.heat
        return heat

    def order(self, name: str) -> WorkingOrder | None:
        """What is known of an order, open or over; None if it was never approved, or forgotten."""
        return self._orders.get(name)

    @property
    def excluded(self) -> Mapping[str, Decimal]:
        """What is at the account and not ours, signed, by symbol."""
        return dict(self._excluded)

    @property
    def positions(self) -> dict[tuple[str, str], Decimal]:
        """What is held, signed, by bot and symbol."""
        held = self._worths.held
        return {
            (bot, symbol): holding.position
            for symbol, holdings in self._holdings.items()
            if symbol in held
            for bot, holding in holdings.items()
            if holding.position
        }

    def price_or_cost(self, symbol: str) -> Decimal | None:
        """The market's price; where none was told the dearest that a bot paid on average for what
        it holds of it. None: nothing is held either, or it cost nothing.
        """
        mark = self.marks.price(symbol)
        if mark is not None:
            return mark
        holdings = self._holdings.get(symbol, {}).values()
        costs = (holding.inventory.average_price for holding in holdings)
        return max((cost for cost in costs if cost is not None and is_price(cost)), default=None)

    @property
    def is_flat(self) -> bool:
        """No bot holds anything. Orders may be on their way."""
        return not self._worths.held

    def is_any_held(self, symbols: Iterable[str]) -> bool:
        """Whether any bot holds something of one of these."""
        return not self._worths.held.keys().isdisjoint(symbols)

    @property
    def open_orders(self) -> tuple[WorkingOrder, ...]:
        """Every order that is approved and not proven over."""
        return self._orders.open_anywhere()

    def is_any_open(self, bot: str | None = None) -> bool:
        """Whether an order of this bot is approved and not proven over; None: of whomever."""
        return self._orders.is_any_open(bot)

    def orders_of_symbol(self, symbol: str) -> tuple[WorkingOrder, ...]:
        """Those of one symbol."""
        return self._orders.open_in(symbol)

    def rejected_in(self, symbol: str) -> tuple[str, ...]:
        """The names of the symbol's orders that the venue refused, as far as they are known."""
        return self._orders.rejected_in(symbol)

    @property
    def open_entries(self) -> tuple[str, ...]:
        """The names of the open entries, which a halt cancels."""
        return tuple(each.order.client_order_id for each in self.open_orders if each.is_entry)

    @property
    def gross_exposure(self) -> Decimal | None:
        """Of all symbols, each at its worst; None if one cannot be valued."""
        return total_if_known([stakes.exposure for stakes in self._summed_up().values()])

    @property
    def heat(self) -> Decimal | None:
        """What is lost if all positions and working entries are stopped out with the gap."""
        return total_if_known([stakes.account.heat for stakes in self._summed_up().values()])

    @property
    def market_value(self) -> Decimal | None:
        """What the bots' positions are worth, shorts below zero; with cash it makes the equity.

        None if something is held that has no mark.
        """
        return self._worths.total

    def _put(self, order: WorkingOrder) -> None:
        self._orders.put(order)
        self._note_change(order.order.symbol, order.decision.bot)

    def _fill(self, bot: str, fill: Fill, stop: Decimal | None) -> tuple[ClosedLot, ...]:
        holdings = self._holdings.setdefault(fill.symbol, {})
        holding = holdings.get(bot) or Holding(FifoInventory(fill.symbol))
        holdings[bot], closed = holding.after(fill, stop)
        self._note_change(fill.symbol, bot)
        return closed

    def _worth_of(self, symbol: str) -> Worth | None:
        """Of what bots hold of it, short and long; None: they hold nothing."""
        mark, worth, is_held = self.marks.price(symbol), ZERO, False
        for holding in self._holdings.get(symbol, {}).values():
            if holding.position:
                is_held = True
                if mark is not None:
                    worth = add(worth, value_of(symbol, holding.position, mark))
        if not is_held:
            return None
        return Worth(None if mark is None else worth)

    def _repriced(self, symbol: str) -> None:
        """The price is over by which it was reckoned."""
        self._worths.repriced(symbol)
        if symbol in self._stakes:
            self._changed[symbol] = None

    def _note_change(self, symbol: str, bot: str) -> None:
        self._worths.changed(symbol)
        bots = self._changed.setdefault(symbol, set())
        if bots is not None:
            bots.add(bot)

    def _reckoning(self, symbol: str) -> Reckoning:
        known = self._reckonings.get(symbol)
        if known is None:
            known = self._reckonings[symbol] = reckoning(symbol, self._gap_factor, self._fees)
        return known

    def _summed_up(self) -> Mapping[str, _SymbolStakes]:
        """By symbol, as it is now: only what has changed is summed up anew."""
        if self._changed:
            for symbol, bots in self._changed.items():
                found = self._sum_up(symbol, bots)
                # Else each of its prices would be summed up, for nothing.
                if not found.has_bots_in_it and not self._excluded.get(symbol):
                    self._stakes.pop(symbol, None)
                else:
                    self._stakes[symbol] = found
            self._changed = {}
        return self._stakes

    def _sum_up(self, symbol: str, changed: set[str] | None) -> _SymbolStakes:
        """Of one symbol. What bots have that did not change is as it was; None: all did."""
        mark, by = self.marks.price(symbol), self._reckoning(symbol)
        before = self._stakes.get(symbol)
        kept = {} if changed is None or before is None else before.bots
        holdings, claims = self._holdings.get(symbol, {}), self._orders.claims_in(symbol)
        stakes: dict[str, _Stake] = {}
        position, orders = ZERO, NOTHING
        heat: Decimal | None = ZERO
        for bot in {**holdings, **claims}:
            stake = None if bot in (changed or ()) else kept.get(bot)
            if stake is None:
                stake = _stake(holdings.get(bot), claims.get(bot, ()), mark, by)
            stakes[bot] = stake
            position, orders = add(position, stake.position), orders.plus(stake.orders)
            heat = _sum_of(heat, stake.heat)
        held = self._excluded.get(symbol)
        excluded = worst_exposure(held, mark, NOTHING, by.units) if held else ZERO
        net = add(position, held) if held else position
        return _SymbolStakes(
            reckoning=by,
            mark=mark,
            bots=stakes,
            account=_Stake(position, orders, heat),
            excluded=excluded,
            exposure=_sum_of(worst_exposure(position, mark, orders, by.units), excluded),
            net=net,
            buying_back=_buying_back(net, mark, orders, by.units),
        )


def _stake(
    holding: Holding | None, claims: Sequence[Claim], mark: Decimal | None, by: Reckoning
) -> _Stake:
    orders = outstanding(claims, mark, by) if claims else NOTHING
    position, heat = ZERO, None if orders.unvalued else orders.loss
    if holding is not None and holding.position:
        position = holding.position
        heat = _sum_of(heat, None if mark is None else holding.loss_at_stop(mark, by))
    return _Stake(position, orders, heat)


def _cost_of(orders: Outstanding) -> Decimal | None:
    """What they take out of the cash if all buys among them are filled, at their worst."""
    return None if orders.unvalued else orders.buys_value


def _buying_back(
    net: Decimal, mark: Decimal | None, orders: Outstanding, units: Decimal
) -> Decimal | None:
    if net >= 0:
        return ZERO
    short = subtract(ZERO, add(net, orders.buys))
    if short <= 0:
        return ZERO
    return None if mark is None else multiply(short, multiply(mark, units))


def _sum_of(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """None if one of them is not known."""
    return None if one is None or other is None else add(one, other)


def _fit(gap_factor: Decimal) -> Decimal:
    if not (is_price(gap_factor) and 1 <= gap_factor <= GAP_FACTOR_MAX):
        raise ValueError(
            f"found a gap factor of {gap_factor}, wanted a decimal from 1 to {GAP_FACTOR_MAX}"
        )
    return gap_factor
