"""Bugs against I45 to I50: prices, streams, clocks and time zones."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "A price that comes again and again unchanged counts as new.",
        "I45",
        "hydra.trading.feed_age",
        "    found, most = now - max(rhythm.changed_at, since), frozen_after(rhythm, age_max)\n",
        "    found, most = now - max(rhythm.heard_at, since), frozen_after(rhythm, age_max)\n",
    ),
    Plant(
        "A stream that is lost makes nothing unwell.",
        "I45",
        "hydra.trading.price_watch",
        "if stream.lost_at is not None and now - max(stream.lost_at, expected) > LOST_MAX:",
        "if stream.lost_at is not None and max(stream.lost_at, expected) - now > LOST_MAX:",
    ),
    Plant(
        "A quote that was on its way for long counts as one of now.",
        "I45",
        "hydra.trading.price_watch",
        "        if not quote.at >= market_now - self._late_max:\n"
        '            return "it is too old to be a price of now"\n',
        "",
    ),
    Plant(
        "The newest bar of any symbol speaks for all of them.",
        "I45",
        "actors.data_feed",
        "            last = self._last.get(symbol)\n            newest =",
        "            last = max(self._last.values(), key=lambda bar: bar.end_at, "
        "default=None)\n            newest =",
    ),
    Plant(
        "A bot that begins after a split is shown the prices of before it.",
        "I46",
        "actors.data_feed",
        "        return newest_cut(self._cuts.get(symbol, ()), now)\n",
        "        return 0\n",
    ),
    Plant(
        "Indicators that are full of prices of before a split go on.",
        "I46",
        "actors.action_watch",
        "            if spell.cut_at > at:\n",
        "            if spell.cut_at <= at:\n",
    ),
    Plant(
        "What nobody has read of splits is taken for none.",
        "I46",
        "hydra.trading.corporate_actions",
        '    if actions.is_answered is True and actions.near == "":\n',
        '    if actions.near == "":\n',
    ),
    Plant(
        "A quote that is older than the last one is taken.",
        "I46",
        "hydra.trading.symbol_prices",
        "if last is not None and quote.at < last.at:",
        "if last is not None and quote.at < 0:",
    ),
    Plant(
        "A bar that closes outside of its own range is taken.",
        "I46",
        "hydra.trading.bar_checks",
        "        and low <= close <= high\n        and 0 <= volume <= VOLUME_MAX\n    ):\n",
        "        and low <= close\n        and 0 <= volume <= VOLUME_MAX\n    ):\n",
    ),
    Plant(
        "A bar of the future is taken.",
        "I46",
        "actors.data_feed",
        "        if not (bar.start_at < bar.end_at and end_at <= now):\n",
        "        if not (bar.start_at < bar.end_at and bar.start_at <= now):\n",
    ),
    Plant(
        "A quote whose bid is at its ask is a price.",
        "I46",
        "hydra.trading.quote_checks",
        "    if not quote.bid < quote.ask:\n",
        "    if not quote.bid <= quote.ask:\n",
    ),
    Plant(
        "A jump is believed once it comes twice.",
        "I46",
        "hydra.trading.price_level",
        "        if doubts >= AGREEING and now - level.since >= OVER_NS:\n",
        "        if doubts >= AGREEING - 1:\n",
    ),
    Plant(
        "Entries go on while the stream of the venue has a gap.",
        "I47",
        "actors.broker_gateway",
        "        if shut and not approved.intent.decision.role.reduces:\n",
        "        if self._stream_is_lost and not approved.intent.decision.role.reduces:\n",
    ),
    Plant(
        "Entries go on where the venue's lists may be late.",
        "I60",
        "actors.broker_gateway",
        "        shut = self._blind or why_shut(self._late, order.symbol)\n",
        "        shut = self._blind\n",
    ),
    Plant(
        "What a late list explains is late for ever.",
        "I60",
        "hydra.trading.late_lists",
        "    recent = [each for each in written if each.at >= snapshot.at - SHOWN_WITHIN]\n",
        "    recent = list(written)\n",
    ),
    Plant(
        "A comparison that began before a gap settles it.",
        "I47",
        "actors.broker_gateway",
        "            self._blind = reason\n        self._seen_until = self._number\n",
        "            self._blind = reason\n",
    ),
    Plant(
        "That the clock went back is no fault.",
        "I48",
        "hydra.trading.clock_faults",
        "    if -skew.back <= ahead <= skew.forward:\n",
        "    if ahead <= skew.forward:\n",
    ),
    Plant(
        "A clock that is set in small pieces is believed.",
        "I48",
        "hydra.trading.clock_faults",
        "        wall=now.wall - ahead + max(-slewed, min(slewed, ahead)),\n",
        "        wall=now.wall,\n",
    ),
    Plant(
        "Of two prices the one that was heard last counts, not the later one.",
        "I49",
        "hydra.trading.marks",
        "        if known is not None and at < known[1]:\n            return False\n",
        "",
    ),
    Plant(
        "A bot's window is one of winter time all the year.",
        "I50",
        "hydra.trading.sessions",
        "        local = datetime.fromtimestamp(at_ns // SECOND, self.zone)\n        minute =",
        "        winter = datetime(2024, 1, 1, tzinfo=self.zone).utcoffset()\n"
        "        local = datetime.fromtimestamp(at_ns // SECOND, UTC) + winter\n"
        "        minute =",
    ),
    Plant(
        "Of the nights on which the clocks change only those that skip an hour are known.",
        "I50",
        "hydra.settings.local_times",
        "        if after != before:\n",
        "        if after > before:\n",
    ),
)
