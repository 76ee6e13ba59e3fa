"""Everything that is measured, in the order it is done. A new measurement is a line here.

Kernel first, then the safety of a halt, then whole paths. Each module says what its figures count.
"""

from pathlib import Path

from hydra.ops.bench import (
    crowd,
    dispatch,
    durable,
    engine_memory,
    gate,
    guard_chain,
    halt,
    hops,
    memory,
    order_path,
    quotes_absorbed,
    recovery,
    replayed_bars,
    rest_order,
    simulated_day,
    thousand_bots,
    tick_to_order,
)
from hydra.ops.bench.rows import Measurement


def all_measurements(*, config: Path, state_dir: Path) -> tuple[Measurement, ...]:
    """`config` is whose bots trade the simulated day; the disk is that of `state_dir`."""
    return (
        dispatch.SIMULATION,
        hops.FLOODS,
        hops.ROUND_TRIPPING,
        crowd.FANNING_OUT,
        crowd.STARTING,
        memory.MEMORY,
        gate.PASSAGE,
        gate.HALT_RACE,
        guard_chain.GUARDING,
        halt.halting(state_dir),
        order_path.FORGETFUL,
        order_path.durable(state_dir),
        tick_to_order.quiet(state_dir),
        tick_to_order.busy(state_dir),
        rest_order.REST_ORDER,
        quotes_absorbed.ONE_A_FRAME,
        quotes_absorbed.TEN_A_FRAME,
        durable.single(state_dir),
        durable.grouped(state_dir),
        recovery.recovery(config, state_dir),
        engine_memory.engine_memory(config, state_dir),
        simulated_day.simulated_day(config),
        replayed_bars.SINGLE_SYMBOL,
        replayed_bars.FIFTY_SYMBOLS,
        thousand_bots.thousand_bots(config, state_dir),
    )
