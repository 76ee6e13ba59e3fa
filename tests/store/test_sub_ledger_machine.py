"""Bots, a stranger and an operator on one account: what the ledger keeps adds up to it, always."""

from collections import defaultdict
from decimal import Decimal

import apsw
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.store.checking import require_replay
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.store.money_moves import record_side
from hydra.trading.account_moves import MoveKind
from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.orders import Side
from messages.orders import OrderFilled
from tests.store.orders import AT, approved, decision, filled

BY = {"reason": "seen at the venue", "operator": "pat"}
BOTS, SYMBOLS = ("one", "two", "three"), ("AAPL", "MSFT")
OPENING = Decimal(100_000)
QUANTITIES = st.decimals("0.000000001", "1000", places=9)
PRICES = st.decimals("0.0001", "10000", places=4)


class LedgerBesideAnAccount(RuleBasedStateMachine):
    """The account trades; of a stranger's trades the ledger knows what an operator says of them."""

    def __init__(self) -> None:
        super().__init__()
        connections: list[apsw.Connection] = []
        apsw.connection_hooks.append(connections.append)
        self.ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
        apsw.connection_hooks.remove(connections.append)
        (self.connection,) = connections
        self.ledger.open_account(OPENING, AT)
        self.cash = OPENING
        self.positions: dict[str, Decimal] = defaultdict(Decimal)
        self.unaccepted = Decimal(0)
        self.unassigned: dict[str, Decimal] = defaultdict(Decimal)
        self.fills: list[OrderFilled] = []
        self.signals = 0

    def account_trades(self, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Gives what it paid, or was paid (negative)."""
        paid = multiply(Decimal(side.sign), multiply(quantity, price))
        self.cash = subtract(self.cash, paid)
        self.positions[symbol] = add(self.positions[symbol], multiply(Decimal(side.sign), quantity))
        return paid

    @rule(
        bot=st.sampled_from(BOTS),
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from(Side),
        quantity=QUANTITIES,
        price=PRICES,
        is_adopted=st.booleans(),
    )
    def a_bot_trades(
        self,
        bot: str,
        symbol: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        is_adopted: bool,
    ) -> None:
        self.signals += 1
        one = approved(
            decision(signal=self.signals, bot=bot, symbol=symbol), side=side, quantity=quantity
        )
        if is_adopted:
            self.ledger.adopt_order(one.intent, one.order, **BY, at=AT)
        else:
            self.ledger.record_intent(one, AT)
        fill = filled(one.order, quantity, f"execution-{self.signals}", price=price)
        self.ledger.record_report(fill, AT)
        self.account_trades(symbol, side, quantity, price)
        self.fills.append(fill)

    @precondition(lambda self: self.fills)
    @rule(number=st.integers(0, 1_000))
    def a_fill_is_heard_again(self, number: int) -> None:
        assert self.ledger.record_report(self.fills[number % len(self.fills)], AT).duplicate

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from(Side),
        quantity=QUANTITIES,
        price=PRICES,
    )
    def a_stranger_trades(self, symbol: str, side: Side, quantity: Decimal, price: Decimal) -> None:
        paid = self.account_trades(symbol, side, quantity, price)
        self.unaccepted = subtract(self.unaccepted, paid)
        self.unassigned[symbol] = add(
            self.unassigned[symbol], multiply(Decimal(side.sign), quantity)
        )

    @rule(bot=st.sampled_from(BOTS), symbol=st.sampled_from(SYMBOLS), price=PRICES)
    def what_is_left_over_is_assigned(self, bot: str, symbol: str, price: Decimal) -> None:
        quantity = self.unassigned.pop(symbol, Decimal(0))
        if quantity:
            self.ledger.assign_position(bot, symbol, quantity, price=price, **BY, at=AT)

    @precondition(lambda self: self.unaccepted)
    @rule()
    def what_cash_is_left_over_is_accepted(self) -> None:
        self.ledger.adjust_cash(self.unaccepted, **BY, at=AT)
        self.unaccepted = Decimal(0)

    @invariant()
    def all_adds_up_to_the_account_to_the_last_digit(self) -> None:
        self.ledger.commit()
        sub_ledgers, inventories = self.ledger.sub_ledgers(), self.ledger.inventories()
        cash = total([OPENING, self.unaccepted, *(each.cash for each in sub_ledgers)])
        assert cash == self.cash
        for symbol in SYMBOLS:
            held = total(
                each.inventory.position for each in inventories if each.inventory.symbol == symbol
            )
            assert add(held, self.unassigned.get(symbol, Decimal(0))) == self.positions[symbol]

    @invariant()
    def what_a_bot_made_is_its_cash_and_what_its_lots_cost(self) -> None:
        for each in self.ledger.sub_ledgers():
            if each.bot in BOTS:
                costs = (
                    held.inventory.cost_basis
                    for held in self.ledger.inventories()
                    if held.bot == each.bot
                )
                assert add(each.cash, total(costs)) == each.realised

    @invariant()
    def the_fills_are_those_of_the_venue(self) -> None:
        assert len(self.ledger.fills()) == len(self.fills)

    def teardown(self) -> None:
        assert self.ledger.fills() == tuple(each.fill for each in self.fills)
        require_replay(self.connection, lambda _seq: None)
        moves = record_side(self.connection).moves  # which come to what the tables say, or it fails
        assert sum(move.kind is MoveKind.EXECUTION for move in moves) == len(self.fills)
        self.ledger.close()


def test_sub_ledgers_add_up_to_the_account_whatever_happens_on_it_i23_i61() -> None:
    run_state_machine_as_test(
        LedgerBesideAnAccount,
        settings=settings(
            max_examples=5,
            stateful_step_count=200,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
