"""Where bots would close what they hold, for whoever has to in their place.

By what they said or put on record last, and followed since by the bars that they did not look at:
how far a stop trails, and which stops were hit.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from decimal import Decimal

from hydra.trading.bars import Bar
from hydra.trading.covered_symbol import Place
from hydra.trading.exit_plans import ExitPlan, risen, trailed
from hydra.trading.exit_steps import KeepHits, KeepTrail
from hydra.trading.exposure import is_price
from hydra.trading.hit_stops import HitStop, hit_now
from hydra.trading.inventory import FifoInventory
from hydra.trading.protection import Guard
from hydra.trading.trail import Trail, highest_on_record, to_keep


class BotsStops:
    """See the module. What is put on record is told once, as a step."""

    def __init__(self, plans: Mapping[str, ExitPlan]) -> None:
        self._plans = plans
        self._prices: dict[Place, Decimal] = {}
        self._trails: dict[str, Trail] = {}
        """How far each bot's has come by the record, or what is on its way there."""
        self._hits: dict[Place, HitStop] = {}
        self._is_news = False
        """Of the hits, one is not on record yet."""

    def price_of(self, place: Place) -> Decimal | None:
        """Where it is closed before the stop of the settings would be; None: there is none."""
        return self._prices.get(place)

    def told(self, guard: Guard) -> bool:
        """By its bot, as it looked. Gives whether a hit of a stop is news."""
        place = (guard.bot, guard.symbol)
        if guard.stop_price is not None and is_price(guard.stop_price):
            self._prices[place] = guard.stop_price
        else:
            self._prices.pop(place, None)
        if guard.hit is None or guard.hit == self._hits.get(place):
            return False
        self._hits[place], self._is_news = guard.hit, True
        return True

    def recover(
        self,
        held: Mapping[Place, FifoInventory],
        trails: Mapping[str, Trail],
        hits: Iterable[HitStop],
    ) -> None:
        """What is on record, for what its bot says nothing of."""
        self.forget_all_but(held)
        self._trails |= trails
        on_record = {(hit.bot, hit.symbol): hit for hit in hits}
        for place, inventory in held.items():
            if place not in self._prices:
                self._take_up(place, inventory, trails.get(place[0]))
            if place in on_record:
                self._hits.setdefault(place, on_record[place])

    def forget_all_but(self, places: Container[Place]) -> None:
        """What is held is so much, and no more."""
        self._prices = {place: each for place, each in self._prices.items() if place in places}
        self._hits = {place: each for place, each in self._hits.items() if place in places}

    def forget(self, place: Place) -> None:
        """Nothing is held there any more."""
        self._prices.pop(place, None)
        self._hits.pop(place, None)

    def follow(self, place: Place, bar: Bar) -> None:
        """Its bot did not look at this bar."""
        plan = self._plans.get(place[0])
        if plan is not None:
            stop_price = trailed(plan.rules, self._prices.get(place), bar)
            if stop_price is not None:
                self._prices[place] = stop_price

    def why_closed(self, place: Place, reason: str | None, inventory: FifoInventory) -> str | None:
        """The reason that a look found; or a stop that was hit before, wherever the price is now.

        What it finds hit for the first time stays so.
        """
        before = self._hits.get(place)
        hit = hit_now(before, reason, place[0], inventory)
        if hit is None:
            self._hits.pop(place, None)
            return reason
        if hit != before:
            self._hits[place], self._is_news = hit, True
        return hit.reason

    def keep_hits(self) -> Iterator[KeepHits]:
        """What goes on record of them, if that is news."""
        if self._is_news:
            self._is_news = False
            yield KeepHits(hits=tuple(self._hits.values()))

    def keep_trail(
        self, place: Place, inventory: FifoInventory, unlooked: Iterable[Bar]
    ) -> Iterator[KeepTrail]:
        """Its bot does not put on record any more how far its stop has come."""
        bot, plan = place[0], self._plans.get(place[0])
        if plan is None or plan.rules.trailing_stop_pct is None:
            return
        stop_price, opened_at = self._prices.get(place), inventory.lots[0].opened_at
        highest = risen(plan.rules, opened_at, unlooked, stop_price)
        trail = to_keep(self._trails.get(bot), plan.rules, inventory, highest)
        if trail is not None:
            self._trails[bot] = trail
            yield KeepTrail(bot=bot, trail=trail)

    def _take_up(self, place: Place, inventory: FifoInventory, trail: Trail | None) -> None:
        """Where its bot would have closed it, by what that put on record."""
        plan, highest = self._plans.get(place[0]), highest_on_record(trail, inventory)
        stop_price = None if plan is None or highest is None else plan.rules.trailing_price(highest)
        if stop_price is not None:
            self._prices[place] = stop_price
