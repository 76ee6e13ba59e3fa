"""Where everybody lives. Addresses are known before anyone is started."""

from typing import Any

from hydra.actor import Ref

ROOT: Ref[Any] = Ref("/hydra")
CORE: Ref[Any] = Ref("/hydra/core")
BOTS: Ref[Any] = Ref("/hydra/bots")
OPS: Ref[Any] = Ref("/hydra/ops")

STATE_PERSISTER: Ref[Any] = Ref("/hydra/core/state_persister")
JOURNAL_WRITER: Ref[Any] = Ref("/hydra/core/journal_writer")
RISK_GUARDIAN: Ref[Any] = Ref("/hydra/core/risk_guardian")
BROKER_GATEWAY: Ref[Any] = Ref("/hydra/core/broker_gateway")
FLATTENER: Ref[Any] = Ref("/hydra/core/flattener")
DATA_FEED: Ref[Any] = Ref("/hydra/core/data_feed")
HEALTH_MONITOR: Ref[Any] = Ref("/hydra/core/health_monitor")
PORTFOLIO_BOT: Ref[Any] = Ref("/hydra/bots/portfolio_bot")
EXIT_BOT: Ref[Any] = Ref("/hydra/bots/exit_bot")
REPORTER: Ref[Any] = Ref("/hydra/ops/reporter")
EXECUTION_MONITOR: Ref[Any] = Ref("/hydra/ops/execution_monitor")
ACTION_WATCH: Ref[Any] = Ref("/hydra/ops/action_watch")


def bot(bot_id: str) -> Ref[Any]:
    """Where the bot of that name lives."""
    return Ref(f"{BOTS.path}/{bot_id}")
