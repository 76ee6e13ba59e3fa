"""Bugs against I51 to I67: ledger, journal, halt marker, backups, reconciliation."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "The ledger does not wait for the disk.",
        "I51",
        "hydra.store.connection",
        '        "synchronous": 2,  # FULL\n',
        '        "synchronous": 1,\n',
    ),
    Plant(
        "What makes the ledger durable is set and not read back.",
        "I51",
        "hydra.store.connection",
        "        if found != value:\n",
        "        if found is None:\n",
    ),
    Plant(
        "A note is told to be on record before it is committed.",
        "I52",
        "actors.state_persister",
        "        self._recorded.append(record)\n",
        "        self._recorded.append(record)\n        match record:\n"
        "            case (Ref() as asker, str() as tag):\n"
        "                ctx.tell(asker, Recorded(tags=(tag,)))\n",
    ),
    Plant(
        "A commit that was never made is told to be durable.",
        "I52",
        "hydra.store.transaction",
        '        connection.execute("COMMIT")\n',
        "",
    ),
    Plant(
        "The journal says that it is synced, and has not asked the disk.",
        "I53",
        "hydra.store.journal",
        "                try:\n                    sync_file(descriptor)\n"
        "                finally:\n                    os.close(descriptor)\n"
        "            except OSError as error:\n                with self._lock:\n",
        "                os.close(descriptor)\n            except OSError as error:\n"
        "                with self._lock:\n",
    ),
    Plant(
        "A new file of the journal is not synced before lines go into it.",
        "I53",
        "hydra.store.journal",
        "            self._link_to(before, at, {})\n            self._sync_here()\n"
        "            sync_folder(self._path.parent)\n",
        "            self._link_to(before, at, {})\n",
    ),
    Plant(
        "A ledger that lost its end is gone on with.",
        "I54",
        "hydra.store.agreement",
        "    if ledger_seen.seq > ledger.seq:\n",
        "    if ledger_seen.seq > ledger.seq > 0 and not ledger.chain:\n",
    ),
    Plant(
        "A journal that lost its end is gone on with.",
        "I54",
        "hydra.store.agreement",
        "    if journal_seen > journal_seq:\n",
        "    if journal_seen > journal_seq > journal_seen:\n",
    ),
    Plant(
        "A ledger of another history goes with any journal of its length.",
        "I54",
        "hydra.store.agreement",
        "    if chain_at(ledger_seen.seq) != ledger_seen.chain:\n",
        "    if chain_at(ledger_seen.seq) is None:\n",
    ),
    Plant(
        "The name of a state goes on to count rows that were replaced.",
        "I55",
        "hydra.store.unit_of_work",
        "            if before is not None:\n                self._state.remove(before)\n",
        "            if before is not None and entity is None:\n"
        "                self._state.remove(before)\n",
    ),
    Plant(
        "A ledger that has failed is tried again.",
        "I56",
        "hydra.store.one_user",
        '        self._failure = f"cannot {doing}: {type(error).__name__}: {error}"\n'
        "        return self._failed(self._failure)\n",
        '        return self._failed(f"cannot {doing}: {type(error).__name__}: {error}")\n',
    ),
    Plant(
        "Two engines may hold one lock.",
        "I57",
        "hydra.store.engine_lock",
        "            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)\n",
    ),
    Plant(
        "The lock of a file that was removed meanwhile counts.",
        "I57",
        "hydra.store.engine_lock",
        "            if _is_at(path, descriptor):\n                return descriptor\n",
        "            return descriptor\n",
    ),
    Plant(
        "A ledger that was removed from under the engine is not missed.",
        "I58",
        "hydra.store.watch",
        '            return "gone; somebody removed or moved it while it was in use"\n',
        "            return None\n",
    ),
    Plant(
        "What somebody else writes into the ledger is not noticed.",
        "I58",
        "hydra.store.event_log",
        '            if self._connection.pragma("data_version") != self._data_version:\n',
        '            if self._connection.pragma("data_version") < self._data_version:\n',
    ),
    Plant(
        "The halt marker is cleared before its halt is in the ledger.",
        "I59",
        "hydra.store.record",
        "            mark = ledger.commit()\n            if marked is not None:\n"
        "                halt_marker.clear()\n",
        "            if marked is not None:\n                halt_marker.clear()\n"
        "            mark = ledger.commit()\n",
    ),
    Plant(
        "A torn line of the journal is cut at the next start, and stays in what is read back.",
        "I59",
        "hydra.store.journal",
        "                os.ftruncate(self._descriptor, found.size)\n",
        "",
    ),
    Plant(
        "A position of a symbol that is not on record is no difference.",
        "I60",
        "hydra.trading.reconciliation",
        "    for symbol in {*held, *record.positions, *record.excluded_positions}:\n",
        "    for symbol in {*record.positions, *record.excluded_positions}:\n",
    ),
    Plant(
        "What a comparison finds is shown, and trading goes on over it.",
        "I60",
        "hydra.trading.difference_causes",
        "    if others:\n",
        "    if others and blocked:\n",
    ),
    Plant(
        "The venue's cash is taken as it is.",
        "I60",
        "hydra.trading.reconciliation",
        "        amount = excess(cash, opening, record.cash)\n",
        "        amount = excess(cash, cash)\n",
    ),
    Plant(
        "A difference in cash is adjusted without a person.",
        "I61",
        "actors.state_persister",
        "        differences = self._explain_by_fees(differences, snapshot, ctx)\n",
        "        differences = self._explain_by_fees(differences, snapshot, ctx)\n"
        "        for each in differences:\n"
        '            if each.subject == "cash" and each.amount:\n'
        "                self._ledger.adjust_cash(\n"
        '                    each.amount, reason="reconciled", operator="engine", at=at\n'
        '                )\n                self._has_recorded((None, "cash"), ctx)\n'
        '        differences = tuple(each for each in differences if each.subject != "cash")\n',
    ),
    Plant(
        "A page of orders that is short is taken for the last one.",
        "I62",
        "hydra.venues.alpaca.pages",
        "        found.update(fresh)\n        until =",
        "        found.update(fresh)\n        if len(page) < 50:\n"
        "            return list(found.values())\n        until =",
    ),
    Plant(
        "Orders of the second in which a page ended are left out.",
        "I62",
        "hydra.venues.alpaca.pages",
        "        until = (min(submitted) // SECOND + 1) * SECOND\n",
        "        until = min(submitted)\n",
    ),
    Plant(
        "An activity that is on two pages is taken once, and the page for good.",
        "I62",
        "hydra.venues.alpaca.pages",
        "            if activity.id in found:\n"
        '                raise ReadFailed(f"activity {words(activity.id)} is on two pages")\n',
        "",
    ),
    Plant(
        "A line of the journal is read without its checksum.",
        "I63",
        "hydra.store.journal_line",
        "    if seal != _seal(content):\n",
        '    if not seal.startswith(b\',"crc":"\'):\n',
    ),
    Plant(
        "A line that is missing from the journal is not missed.",
        "I63",
        "hydra.store.journal_tail",
        "    if last is not None and seq_of(record) != last.seq + 1:\n",
        "    if last is not None and seq_of(record) <= last.seq:\n",
    ),
    Plant(
        "A line of which a part went in counts as written.",
        "I64",
        "hydra.store.journal",
        "        if written != len(line):\n",
        "        if not written:\n",
    ),
    Plant(
        "A line that the disk refuses is left out.",
        "I64",
        "hydra.store.journal",
        "        except OSError as error:\n"
        "            raise self._failed(str(error)) from error\n        if written",
        "        except OSError:\n            return self._last_seq\n        if written",
    ),
    Plant(
        "A disk that is nearly full is an alarm and no halt.",
        "I65",
        "hydra.store.watch",
        '            found.append(Finding("disk_hard", folder, detail, halts=True))\n',
        '            found.append(Finding("disk_hard", folder, detail, halts=False))\n',
    ),
    Plant(
        "A backup gets its name before it is proven.",
        "I66",
        "hydra.store.backup",
        '    head = proven(partial)\n    reached("backup.proven")\n    partial.replace(target)\n',
        '    partial.replace(target)\n    head = proven(target)\n    reached("backup.proven")\n',
    ),
    Plant(
        "A backup is checked by SQLite, and not replayed.",
        "I66",
        "hydra.store.backup",
        "        require_replay(connection, lambda _seq: None)\n",
        "",
    ),
    Plant(
        "A migration changes a ledger without a backup of it.",
        "I67",
        "hydra.store.schema",
        "        back_up(version)\n",
        "",
    ),
    Plant(
        "Versions of the engine are compared as text.",
        "I67",
        "hydra.store.schema",
        "    if before is not None and _parts(before) > _parts(version):\n",
        "    if before is not None and before > version:\n",
    ),
    Plant(
        "Each step of a migration is a transaction of its own.",
        "I67",
        "hydra.store.schema",
        "    with transaction(connection):\n        for statements in migrations[version:]:\n"
        "            for statement in statements:\n"
        "                connection.execute(statement)\n",
        "    with transaction(connection):\n        for statements in migrations[version:]:\n"
        "            for statement in statements:\n"
        "                connection.execute(statement)\n"
        '            connection.execute("COMMIT")\n'
        '            connection.execute("BEGIN IMMEDIATE")\n            for _ in statements:\n',
    ),
)
