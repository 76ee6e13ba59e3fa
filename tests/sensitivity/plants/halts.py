"""Bugs against I01 to I12: halts, the kill switch, the trading state."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "An order that was approved before a halt leaves after the resume.",
        "I01",
        "hydra.runtime.gate",
        '        if epoch != self._epoch:\n            return f"approved',
        '        if epoch > self._epoch:\n            return f"approved',
    ),
    Plant(
        "Halted, the gate still passes exits.",
        "I01",
        "hydra.runtime.gate",
        "TradingState.HALTED: frozenset({PermitClass.CANCEL, PermitClass.READ}),",
        "TradingState.HALTED: frozenset({PermitClass.REDUCE, PermitClass.CANCEL, "
        "PermitClass.READ}),",
    ),
    Plant(
        "A send that waits for the lock while a halt is latched gets its permit.",
        "I01",
        "hydra.runtime.gate",
        "        self._tripping += 1  # before the lock: every later test refuses "
        "orders at once\n        with self._lock:\n",
        "        with self._lock:\n            self._tripping += 1\n",
    ),
    Plant(
        "A halt of one bot or one symbol is not written down.",
        "I02",
        "actors.guardian_halts",
        "        if cause in self._standing.to_be_recorded:\n",
        "        if cause.is_global and cause in self._standing.to_be_recorded:\n",
    ),
    Plant(
        "A halt that changes is taken to be on record already.",
        "I02",
        "hydra.trading.standing",
        "        self._causes[cause.code] = cause\n        self._on_record.discard(cause.code)\n",
        "        self._causes[cause.code] = cause\n",
    ),
    Plant(
        "The halt marker is written and not synced.",
        "I03",
        "hydra.store.halt_marker",
        "        _sync(self._descriptor)\n",
        "",
    ),
    Plant(
        "The halt marker is written over its newer block.",
        "I03",
        "hydra.store.halt_marker",
        "offset = 0 if first_is_older else BLOCK_BYTES",
        "offset = BLOCK_BYTES if first_is_older else 0",
    ),
    Plant(
        "A halt marker that says close-only keeps out the halt that comes after it.",
        "I03",
        "hydra.store.halt_marker",
        "if standing is not None and standing.state.severity >= cause.state.severity:",
        "if standing is not None:",
    ),
    Plant(
        "On live a limit goes without a person.",
        "I04",
        "hydra.trading.clearing",
        "return policy.operator_only or not policy.limit_resumes_itself",
        "return not policy.limit_resumes_itself",
    ),
    Plant(
        "A halt ends although what it was for is still so.",
        "I04",
        "hydra.trading.clearing",
        '    if cause.code in present:\n        return "it is still so"\n',
        "",
    ),
    Plant(
        "A cool-off counts from when the process began, not from when the limit was hit.",
        "I04",
        "hydra.trading.standing",
        "        self._causes.update(found)\n",
        "        self._causes.update(\n"
        "            {code: structs.replace(each, since=at) for code, each in found.items()}\n"
        "        )\n",
    ),
    Plant(
        "An operator's word of before covers a cause that comes up again after it.",
        "I05",
        "hydra.trading.standing",
        "        self._words.pop(cause.code, None)\n",
        "",
    ),
    Plant(
        "Where one cause is cleared, the gate forgets the limits that stand beside it.",
        "I05",
        "actors.guardian_halts",
        "                tuple(cause for cause in stay if cause.is_global),",
        "                tuple(\n                    cause\n"
        "                    for cause in stay\n"
        "                    if cause.is_global and cause.cause_class is CauseClass.INTEGRITY\n"
        "                ),",
    ),
    Plant(
        "The gate is open until somebody shuts it.",
        "I06",
        "hydra.runtime.gate",
        "        self._state = TradingState.HALTED\n",
        "        self._state = TradingState.ACTIVE\n",
    ),
    Plant(
        "A kill file that cannot be read counts as none.",
        "I07",
        "hydra.store.kill_file",
        'return Unreadable(f"cannot be read ({_words(error)})")',
        "return Absent()",
    ),
    Plant(
        "A kill file whose folder cannot be read counts as none.",
        "I07",
        "hydra.store.kill_file",
        "        return Unreadable(\n"
        '            f"is in a folder that cannot be read ({_words(error)}), wanted '
        '{path.parent} to be ours"\n        )',
        "        return Absent()",
    ),
    Plant(
        "A kill file that vanishes while it is read counts as none.",
        "I07",
        "hydra.store.kill_file",
        '    return Written(b"") if isinstance(sight, Absent) else sight',
        "    return sight",
    ),
    Plant(
        "Any text that begins with close_only means close_only.",
        "I07",
        "hydra.trading.kill_switch",
        "if word == CLOSE_ONLY and len(content) <= CONTENT_BYTES_MAX:",
        "if word.startswith(CLOSE_ONLY):",
    ),
    Plant(
        "A lease that was given once never runs out.",
        "I08",
        "hydra.runtime.gate",
        'return None if left > 0 else "the guardian',
        'return None if self._lease_until != NO_LEASE and left else "the guardian',
    ),
    Plant(
        "The lease is renewed while a member of the safety chain makes no progress.",
        "I08",
        "hydra.runtime.lease",
        "if chain and running and not late else",
        "if chain and running else",
    ),
    Plant(
        "Of an exit it is not counted what other exits are closing already.",
        "I09",
        "hydra.trading.order_checks",
        "_reduces(order.side, add(order.quantity, live), position)",
        "_reduces(order.side, order.quantity, position)",
    ),
    Plant(
        "Close-only, the gate still passes entries.",
        "I09",
        "hydra.runtime.gate",
        "    TradingState.CLOSE_ONLY: frozenset({PermitClass.REDUCE,",
        "    TradingState.CLOSE_ONLY: frozenset({PermitClass.ENTRY, PermitClass.REDUCE,",
    ),
    Plant(
        "Close-only lets entries pass that a bot calls replacements.",
        "I09",
        "hydra.trading.order_checks",
        "if s.state is TradingState.CLOSE_ONLY and s.proposal.reduces:",
        "if s.state is TradingState.CLOSE_ONLY and (s.proposal.reduces or s.proposal.replaces):",
    ),
    Plant(
        "A bot's wish takes the protection off a position that nobody may close.",
        "I11",
        "actors.guardian_cancels",
        "if self._must_stay(decision, causes, ctx):",
        "if self._must_stay(decision, (), ctx):",
    ),
    Plant(
        "On a kill the venue is asked once to take an entry out.",
        "I10",
        "hydra.trading.cancels",
        "    return wanted.requested_at is None or not 0 <= at - wanted.requested_at < "
        "AGAIN_AFTER_NS\n",
        "    return wanted.requested_at is None\n",
    ),
    Plant(
        "What a start finds working is not taken out on a kill.",
        "I10",
        "actors.risk_guardian",
        "            if order.is_entry:\n                self._cancels.entry_opened(order",
        "            if order.is_entry and ctx.incarnation > 1:\n"
        "                self._cancels.entry_opened(order",
    ),
    Plant(
        "A kill file on a disk that does not answer counts as none.",
        "I12",
        "hydra.ops.kill_watch",
        '        return Unreadable(f"did not answer within {WAITS_MAX * self._wait_s:g} s")\n',
        "        return Absent()\n",
    ),
    Plant(
        "A watch over the kill switch that dies, dies quietly.",
        "I12",
        "hydra.ops.kill_watch",
        "                self._answers.put(Unreadable(reason))\n                raise\n",
        "                del reason\n                raise\n",
    ),
)
