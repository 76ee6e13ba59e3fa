"""What a bot tells of its looks, held against the bars by whoever would take over from it."""

from decimal import Decimal

from msgspec import structs

from hydra.actor import MILLISECOND, MINUTE
from hydra.trading.bars import Bar
from hydra.trading.coverage_lines import WHOLE
from hydra.trading.exit_desk import ExitDesk
from hydra.trading.orders import Role
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.venue_clock import SKEW
from messages.market import BarClosed
from tests.actors.stop_stage import PLAN, StopStage
from tests.trading import exit_stage
from tests.trading.coverage_parts import account

TERMS = structs.replace(
    exit_stage.TERMS,
    sessions=PLAN.sessions,
    bots=frozenset({PLAN.bot_id}),
    plans=(structs.replace(exit_stage.PLAN, bot=PLAN.bot_id),),
)


def test_a_bot_that_looks_at_every_bar_is_not_silent_where_the_venue_is_ahead_i30_i48() -> None:
    stage = StopStage(structs.replace(PLAN, price_steps=()))
    stage.bar("100", "100", "100")
    (entry,) = stage.live(Role.ENTRY)
    stage.fill(entry, Decimal(10))
    desk = ExitDesk(TERMS, stage.kit.now)
    desk.recover([], [BotInventory(PLAN.bot_id, stage.inventory)], {})
    taken_over, covered, heard = [], [], 0

    for _ in range(4):
        start_at, stage.now = stage.now, stage.now + MINUTE
        stage.kit.advance(stage.now - SKEW - stage.kit.now)
        bar = Bar("AAPL", start_at, stage.now, 100.0, 100.1, 99.9, 100.0, 1e3)
        desk.read(structs.replace(account({"AAPL": "10"}), at=stage.kit.now))
        desk.bars([bar], stage.kit.now)
        taken_over.append(dict(desk.look(stage.kit.now, stage.kit.now).taken_over))
        stage.kit.tell(stage.bot, BarClosed(bar=bar))
        for guard in stage.looks[heard:]:
            desk.looked(guard)
        heard = len(stage.looks)
        now = stage.kit.now + MILLISECOND
        covered.append(desk.look(now, now).coverage.pct)

    assert (taken_over, covered) == ([{}] * 4, [WHOLE] * 4)
