"""Bugs against I13 to I30: the life of an order."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "An order goes to the gateway before its intent is committed.",
        "I13",
        "actors.state_persister",
        "        self._intents += 1\n        self._has_recorded(approved, ctx)\n",
        "        self._intents += 1\n        self._intent_stored(approved, ctx)\n"
        '        self._has_recorded((None, "intent"), ctx)\n',
    ),
    Plant(
        "An order is sent with its intent on record and no attempt.",
        "I14",
        "hydra.store.ledger",
        "                self._events.append(OrderAttempted(client_order_id=name), at)\n",
        "",
    ),
    Plant(
        "What was recorded before a crash as attempted is not looked for after it.",
        "I14",
        "actors.broker_gateway",
        "            if status is OrderStatus.ATTEMPTED:\n",
        "            if status is OrderStatus.ATTEMPTED and order.attempted_at is None:\n",
    ),
    Plant(
        "The same decision on two accounts makes orders of one name.",
        "I15",
        "hydra.trading.orders",
        "words = [account, decision.bot,",
        "words = [decision.bot,",
    ),
    Plant(
        "An exit that is decided again is approved again.",
        "I16",
        "actors.risk_guardian",
        "        if self._desk.knows(name):\n            self._repeated",
        "        if self._desk.knows(name) and not decision.role.reduces:\n"
        "            self._repeated",
    ),
    Plant(
        "What is on record already goes to the gateway again.",
        "I16",
        "actors.state_persister",
        '            ctx.log("intent_duplicate", client_order_id=recorded.client_order_id)\n'
        "            return\n",
        '            ctx.log("intent_duplicate", client_order_id=recorded.client_order_id)\n',
    ),
    Plant(
        "An order like the last one passes a moment later.",
        "I16",
        "hydra.trading.rate_checks",
        "last is None or s.at - last >= s.limits.similar_order_ns:",
        "last is None or s.at > last:",
    ),
    Plant(
        "What the venue has accepted may be sent again.",
        "I17",
        "hydra.trading.order_life",
        "    OrderStatus.ACCEPTED:\n       (_AGAIN,",
        "    OrderStatus.ACCEPTED:\n       (_STAYS,",
    ),
    Plant(
        "That a name is taken is known by one wording of the broker alone.",
        "I18",
        "hydra.venues.alpaca.outcomes",
        "outcome.status == 422 and outcome.code != NOT_TOGETHER:",
        'outcome.status == 422 and "unique" in outcome.text:',
    ),
    Plant(
        "Four looks in a row that find nothing prove an order absent, however close together.",
        "I19",
        "hydra.trading.unknown_outcomes",
        "missing >= MISSING_LOOKS_MIN and begun - since >= MISSING_SPAN_NS",
        "missing >= MISSING_LOOKS_MIN or begun - since >= MISSING_SPAN_NS",
    ),
    Plant(
        "A snapshot from before the last look proves an order absent.",
        "I19",
        "hydra.trading.unknown_outcomes",
        "if search.settled_at is not None and event.asked_at >= search.settled_at:",
        "if search.settled_at is not None:",
    ),
    Plant(
        "An order whose outcome is unknown counts as over.",
        "I19",
        "hydra.trading.order_life",
        "        OrderStatus.UNKNOWN,\n        OrderStatus.ACCEPTED,\n"
        "        OrderStatus.PARTIALLY_FILLED,\n    }",
        "        OrderStatus.ACCEPTED,\n        OrderStatus.PARTIALLY_FILLED,\n    }",
    ),
    Plant(
        "A look that failed counts as one that found nothing.",
        "I19",
        "actors.broker_gateway",
        "self._search(search.LookFailed(name, now), ctx)",
        "self._search(search.NotFound(name, now), ctx)",
    ),
    Plant(
        "An outcome that stays unknown halts nothing while somebody looks for it.",
        "I19",
        "hydra.trading.unknown_outcomes",
        "if search.is_escalated or unknown_ns < outcomes.limit_ns:",
        "if search.is_escalated or search.look_out or unknown_ns < outcomes.limit_ns:",
    ),
    Plant(
        "A fill of an order that the venue rejected is passed over.",
        "I22",
        "hydra.trading.order_life",
        "_STAYS, _OUT,   _OUT,   _OUT,   _OUT,   _OUT),",
        "_STAYS, _STAYS, _STAYS, _OUT,   _OUT,   _OUT),",
    ),
    Plant(
        "An overfill is cut to what was ordered.",
        "I22",
        "hydra.trading.order_life",
        "    if filled_quantity > order.quantity:\n        raise ImpossibleReport(\n"
        '            f"{name}: execution {fill.execution_id}, {_words(fill)}, makes '
        '{filled_quantity}"\n            f" filled, of {order.quantity} ordered"\n        )\n',
        "    filled_quantity = min(filled_quantity, order.quantity)\n",
    ),
    Plant(
        "A fill that is told again moves the position again.",
        "I23",
        "hydra.trading.risk_book",
        "        if is_repeat:\n            return ()\n",
        "",
    ),
    Plant(
        "A fill that is told again fills the order again.",
        "I23",
        "hydra.trading.order_life",
        "            if counted is None:\n                return _filled(state, event)\n"
        "            _require_same_execution(counted, event)\n            return state\n",
        "            return _filled(state, event)\n",
    ),
    Plant(
        "An execution that is told again with another quantity is taken for the same.",
        "I23",
        "hydra.trading.order_life",
        "    if structs.replace(reported, at=counted.at) != counted:",
        "    if structs.replace(reported, at=counted.at, quantity=counted.quantity) != counted:",
    ),
    Plant(
        "Whether a cancel or the last fill is heard first decides how the order has ended.",
        "I24",
        "hydra.trading.order_life",
        "    OrderStatus.CANCELED:\n"
        "       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _MOVES,",
        "    OrderStatus.CANCELED:\n"
        "       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _STAYS,",
    ),
    Plant(
        "An order counts as canceled once its cancel was asked for.",
        "I25",
        "actors.broker_gateway",
        '        ctx.log("cancel_requested", client_order_id=name, reason=message.reason)\n',
        '        ctx.log("cancel_requested", client_order_id=name, reason=message.reason)\n'
        "        canceled = OrderCanceled(client_order_id=name, at=ctx.market_time())\n"
        "        ctx.tell(self._persister, canceled)\n",
    ),
    Plant(
        "A replacement counts in the place of the old order before that is over.",
        "I26",
        "hydra.trading.working_orders",
        "        self._orders[order.client_order_id] = working\n",
        "        self._orders[order.client_order_id] = working\n"
        "        self._open.get(order.symbol, {}).pop(order.replaces, None)\n",
    ),
    Plant(
        "A stop price that comes back altered is not noticed.",
        "I27",
        "hydra.trading.echo",
        "for field in Order.__struct_fields__:",
        "for field in Order.__struct_fields__[:-2]:",
    ),
    Plant(
        "What comes back altered is written down, and trading goes on.",
        "I27",
        "actors.broker_gateway",
        "                self._halt(ECHO_MISMATCH, detail, ctx)\n",
        '                ctx.log("order_altered", client_order_id=report.client_order_id)\n',
    ),
    Plant(
        "An order of somebody else that is partly filled is taken for over.",
        "I29",
        "hydra.trading.order_differences",
        "        elif not all(map(is_over, same)):\n",
        "        elif not any(is_over(each) or each.filled_quantity for each in same):\n",
    ),
    Plant(
        "A request without a whole answer is sent once more, below the record.",
        "I20",
        "hydra.venues.alpaca.http",
        "            result = self._exchanged(connection, request)\n",
        "            result = self._exchanged(connection, request)\n"
        "            if isinstance(result, Failure):\n                connection.close()\n"
        "                failure = self._opened(connection, deadline)\n"
        "                result = failure or self._exchanged(connection, request)\n",
    ),
    Plant(
        "The venue in this process is handed each request twice.",
        "I20",
        "hydra.venues.simulated.in_process",
        "                self._untold.extend(self._exchange.receive(request, "
        "self._market_time()))\n",
        "                self._untold.extend(self._exchange.receive(request, "
        "self._market_time()))\n"
        "                self._untold.extend(self._exchange.receive(request, "
        "self._market_time()))\n",
    ),
    Plant(
        "A call whose answer comes byte by byte has no end.",
        "I21",
        "hydra.venues.alpaca.http",
        "            connection.limit(deadline)\n",
        "",
    ),
    Plant(
        "An approval does not say which configuration it was given under.",
        "I28",
        "actors.risk_guardian",
        "            epoch=self._halts.epoch,\n"
        "            configuration=self._terms.configuration,\n",
        "            epoch=self._halts.epoch,\n",
    ),
    Plant(
        "What is about to be split is held over it where its bot looks after it.",
        "I30",
        "hydra.trading.exit_desk",
        "if self.is_lost else {**taken_over, **due}:\n",
        "if self.is_lost else taken_over:\n",
    ),
    Plant(
        "A limit order counts as protection.",
        "I30",
        "hydra.trading.protection",
        "    return content.order_type is OrderType.MARKET\n",
        "    return content.order_type in (OrderType.MARKET, OrderType.LIMIT)\n",
    ),
    Plant(
        "An order that the venue has not put into the market counts as protection.",
        "I30",
        "hydra.trading.protection",
        "    if order.status not in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):\n",
        "    if not order.status.is_open:\n",
    ),
    Plant(
        "A stop rests for what was held when it was placed, whatever is filled after it.",
        "I30",
        "hydra.trading.resting_stop",
        "    if missing == 0 or not wanted.may_place:\n",
        "    if stops or missing == 0 or not wanted.may_place:\n",
    ),
    Plant(
        "A position counts as protected by a guard that sees no prices.",
        "I30",
        "hydra.trading.protection",
        "    if not (looked and _is_recent(guard.price_at, at, terms.price_age_ns_max)):\n",
        "    if not looked:\n",
    ),
)
