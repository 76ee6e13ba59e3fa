"""Bugs against I68 to I77: actors, supervisors, queues, stops."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "The members of the safety chain are not known to be critical.",
        "I68",
        "supervisors.core",
        "        critical=True,\n",
        "        critical=False,\n",
    ),
    Plant(
        "What fails as it starts halts nothing, critical or not.",
        "I69",
        "hydra.runtime.cell",
        "        if self.spec.critical:\n"
        '            runtime.trip_for(self, f"{phase}: {described}")\n',
        '        if self.spec.critical and phase != "start":\n'
        '            runtime.trip_for(self, f"{phase}: {described}")\n',
    ),
    Plant(
        "The actor that raised goes on with the next message.",
        "I69",
        "hydra.runtime.cell",
        "        self.receive = None\n        runtime = self.runtime\n",
        "        runtime = self.runtime\n",
    ),
    Plant(
        "That the exit bot is down stops no entries.",
        "I69",
        "actors.risk_guardian",
        'SAFETY_BOTS = EXIT_BOT, PORTFOLIO_BOT = ("exit_bot", "portfolio_bot")\n',
        'SAFETY_BOTS = EXIT_BOT, PORTFOLIO_BOT = ("exitbot", "portfolio_bot")\n',
    ),
    Plant(
        "A critical actor that hangs halts, and is never replaced.",
        "I70",
        "hydra.runtime.thread_runtime",
        '                self.trip_for(cell, f"hung for {(now - since) / 1e9:.1f} s")\n'
        "            fence(cell, since)\n",
        '                self.trip_for(cell, f"hung for {(now - since) / 1e9:.1f} s")\n'
        "            else:\n"
        "                fence(cell, since)\n",
    ),
    Plant(
        "A member that is down is no reason to withhold the lease.",
        "I70",
        "hydra.runtime.lease",
        "        running = all(cell is not None and cell.status is Status.RUNNING for "
        "cell in members)\n",
        "        running = all(cell.status is Status.RUNNING for cell in chain if cell in late)\n",
    ),
    Plant(
        "What does not fit into a mailbox of the order path is lost without a word.",
        "I71",
        "supervisors.core",
        "ORDER_PATH = MailboxSpec(bound=100_000, overflow=Overflow.FAIL)\n",
        "ORDER_PATH = MailboxSpec(bound=100_000)\n",
    ),
    Plant(
        "A halt waits behind everything that was told before it.",
        "I71",
        "hydra.runtime.dispatcher",
        "        if control:\n            token.append(started)\n",
        "        if control and not (user and cell.receive):\n            token.append(started)\n",
    ),
    Plant(
        "Quotes that wait are never merged.",
        "I71",
        "hydra.runtime.mailbox",
        "            if key is not None and key in self._latest:\n",
        "            if key is not None and key in self._latest and len(self.user) >= "
        "self.bound:\n",
    ),
    Plant(
        "A message that an actor does not know is passed over.",
        "I72",
        "hydra.actor",
        '    raise UnhandledMessage(f"{type(message).__name__} is not a message this '
        'actor takes")\n',
        "    return None\n",
    ),
    Plant(
        "The watch over the record waits for its threads without an end.",
        "I73",
        "hydra.store.watch",
        "                thread.join(max(0.0, deadline - time.monotonic()))\n",
        "                thread.join()\n",
    ),
    Plant(
        "A gateway of before a restart may still send.",
        "I74",
        "hydra.runtime.gate",
        "        if key != self._key:\n",
        "        if self._key is None or key.path != self._key.path:\n",
    ),
    Plant(
        "A gateway that has compared nothing since its start is well.",
        "I74",
        "actors.comparison_view",
        '        return "record and venue have not been compared yet"\n',
        '        return ""\n',
    ),
    Plant(
        "Starts that a clock puts into the future are not counted.",
        "I75",
        "hydra.trading.restarts",
        "    recent = sum(now_wall - started <= WINDOW_NS for started in unclean_starts)\n",
        "    recent = sum(0 <= now_wall - started <= WINDOW_NS for started in unclean_starts)\n",
    ),
    Plant(
        "A child that ran for a moment has its whole budget of restarts again.",
        "I75",
        "supervisors.supervisor",
        "            child.incarnation = message.incarnation\n"
        "            child.started_at = ctx.now()\n",
        "            child.incarnation = message.incarnation\n"
        "            child.started_at = ctx.now()\n            self._restarts_at.clear()\n"
        "            child.restarts_at.clear()\n",
    ),
    Plant(
        "A second stop signal is passed over, though the first one hangs.",
        "I76",
        "hydra.ops.ending",
        "        if self.seen > 1:\n            os._exit(128 + number)\n",
        "",
    ),
    Plant(
        "The service manager is told that the engine is ready as it starts.",
        "I77",
        "hydra.ops.notify",
        "        becomes_ready = not self._is_ready and self._preflight_passed()\n",
        "        becomes_ready = not self._is_ready\n",
    ),
    Plant(
        "The watchdog is told that the engine lives while nobody renews the lease.",
        "I77",
        "hydra.ops.notify",
        "        if self._watchdog_s is not None and self._runtime.gate.lease_left() > 0:\n",
        "        if self._watchdog_s is not None:\n",
    ),
)
