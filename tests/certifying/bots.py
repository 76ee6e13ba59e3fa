"""The example's bot, and bots that are like it but for one mistake each."""

import sys
from pathlib import Path

import pytest

from tests.plugins.brought import bring

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hydra-dip"
CODE = """
import time

from hydra.actor import Actor, ChildSpec, unhandled
from hydra.plugins import BotKind
from hydra_dip.bot import BuyTheDip, Parameters
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed
from messages.orders import OrderDenied, OrderIntent, ReportStored
from messages.positions import BookRecovered


class Raises(BuyTheDip):
    def receive(self, message, ctx):
        print("a bot may print")
        if isinstance(message, ReportStored):
            raise ValueError("no such book")
        super().receive(message, ctx)


class Hand(Actor):
    def __init__(self, guardian):
        self._guardian = guardian

    def receive(self, message, ctx):
        ctx.tell(self._guardian, message)
        if message.decision.signal > 1:
            raise KeyError("the second")


class Delegates(BuyTheDip):
    def start(self, ctx):
        super().start(ctx)
        args = dict(guardian=self._guardian)
        hand = ctx.spawn(ChildSpec(name="hand", actor=Hand, args=args))
        self._guardian = hand  # asked for what is on record was the real one


class Forgets(BuyTheDip):
    def receive(self, message, ctx):
        if isinstance(message, OrderDenied):
            unhandled(message)
        super().receive(message, ctx)


class Pretends(BuyTheDip):
    def receive(self, message, ctx):
        if isinstance(message, BarClosed):
            ctx.publish("somebody/elses", message)
        super().receive(message, ctx)


class Looks(BuyTheDip):
    def receive(self, message, ctx):
        self.seen_at = time.time()
        super().receive(message, ctx)


class Ponders(BuyTheDip):
    def receive(self, message, ctx):
        while isinstance(message, BarClosed):
            pass
        super().receive(message, ctx)


class Guesses(BuyTheDip):
    def receive(self, message, ctx):
        if isinstance(message, BookRecovered):
            self._record.is_answer(message, ctx)  # and what it says is not read
        else:
            super().receive(message, ctx)


class Unasking(BuyTheDip):
    def start(self, ctx):
        ask, self._record.ask = self._record.ask, lambda ctx: None
        super().start(ctx)
        self._record.ask = ask

    def receive(self, message, ctx):
        if isinstance(message, BarClosed) and not message.is_backfill:
            self._look_at(message.bar, self._books[message.bar.symbol], ctx)
        else:
            super().receive(message, ctx)


class Insists(BuyTheDip):
    def receive(self, message, ctx):
        super().receive(message, ctx)
        if isinstance(message, OrderDenied):
            ctx.tell(self._guardian, message.intent)


class Unguarded(BuyTheDip):
    def _say_how_it_is_guarded(self, bar, book, until, ctx):
        pass


class Keeps(BuyTheDip):
    def _close_if_due(self, bar, book, is_over, ctx):
        pass


class Hashes(BuyTheDip):
    def _enter_on_a_dip(self, bar, book, ctx):
        if hash(str(bar.end_at)) % 2:
            super()._enter_on_a_dip(bar, book, ctx)


class Sleeps(BuyTheDip):
    def _enter_on_a_dip(self, bar, book, ctx):
        pass


FINE = BotKind(actor=BuyTheDip, parameters=Parameters)
RAISES = BotKind(actor=Raises, parameters=Parameters)
DELEGATES = BotKind(actor=Delegates, parameters=Parameters)
FORGETS = BotKind(actor=Forgets, parameters=Parameters)
PRETENDS = BotKind(actor=Pretends, parameters=Parameters)
LOOKS = BotKind(actor=Looks, parameters=Parameters)
PONDERS = BotKind(actor=Ponders, parameters=Parameters)
GUESSES = BotKind(actor=Guesses, parameters=Parameters)
UNASKING = BotKind(actor=Unasking, parameters=Parameters)
INSISTS = BotKind(actor=Insists, parameters=Parameters)
UNGUARDED = BotKind(actor=Unguarded, parameters=Parameters)
KEEPS = BotKind(actor=Keeps, parameters=Parameters)
HASHES = BotKind(actor=Hashes, parameters=Parameters)
SLEEPS = BotKind(actor=Sleeps, parameters=Parameters)
"""
KINDS = tuple(line.split(" = ")[0] for line in CODE.splitlines() if " = BotKind(" in line)


def bring_bots(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, as entry points in lower case; the example is beside them."""
    points = {name.lower(): f"some_bots:{name}" for name in KINDS}
    bring(folder, "some_bots", CODE, {"hydra.bots": points})
    for path in (EXAMPLE, folder):
        monkeypatch.syspath_prepend(path)
    for name in ("some_bots", "hydra_dip", "hydra_dip.bot"):
        monkeypatch.delitem(sys.modules, name, raising=False)
