"""Bugs against I78 to I90: configuration, secrets, files, sockets, the record as a witness."""

from tests.sensitivity.plant import Plant

PLANTS = (
    Plant(
        "A setting that nobody knows is passed over.",
        "I78",
        "hydra.settings.section",
        '    model_config = ConfigDict(frozen=True, extra="forbid")\n',
        '    model_config = ConfigDict(frozen=True, extra="ignore")\n',
    ),
    Plant(
        "A file whose last line is half saved is taken.",
        "I79",
        "hydra.settings.strict_yaml",
        '    if not text.endswith("\\n"):\n',
        "    if not text:\n",
    ),
    Plant(
        "Of a setting that is there twice the first one counts.",
        "I80",
        "hydra.settings.strict_yaml",
        "            if key in first_lines:\n",
        "            if key in first_lines and first_lines[key] == line:\n",
    ),
    Plant(
        "A number may begin with a zero, and is read as a decimal.",
        "I80",
        "hydra.settings.kinds",
        '_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")\n',
        '_WHOLE = re.compile(r"-?[0-9]{1,18}")\n',
    ),
    Plant(
        "The digest of the configuration leaves out one of its sections.",
        "I81",
        "hydra.settings.whole",
        "            fields = type(value).model_fields\n",
        '            fields = [key for key in type(value).model_fields if key != "guards"]\n',
    ),
    Plant(
        "The key may be one of another mode than the account.",
        "I82",
        "hydra.venues.alpaca.identity",
        '        ("the key is", kind_of_key(identity.key_id)),\n',
        "",
    ),
    Plant(
        "A ledger of another account of the same kind is traded on.",
        "I82",
        "hydra.venues.alpaca.identity",
        "    if bound is not None and bound != identity.account_number:\n",
        "    if bound is not None and kind_of_account(bound) is not mode:\n",
    ),
    Plant(
        "A secret in base64 is written out.",
        "I83",
        "hydra.store.redaction",
        "        encoded = {form for secret in long for form in _base64_parts(secret)}\n",
        "        encoded: set[str] = set()\n",
    ),
    Plant(
        "A secret shows itself where it is formatted.",
        "I83",
        "hydra.settings.secret",
        "    def __format__(self, spec: str) -> str:\n        return MASK\n",
        "    def __format__(self, spec: str) -> str:\n        return self.reveal()\n",
    ),
    Plant(
        "The group may read what belongs to the engine alone.",
        "I84",
        "hydra.store.private_files",
        "    return facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO) != 0\n",
        "    return facts.st_mode & stat.S_IRWXO != 0\n",
    ),
    Plant(
        "Who is at the other end of the debug socket does not matter.",
        "I85",
        "hydra.ops.debug.server",
        "        if peer is None or peer.uid != self._user:\n",
        "        if peer is None:\n",
    ),
    Plant(
        "A client that says what is no request keeps its place.",
        "I85",
        "hydra.ops.debug.session",
        "            self._send(failure(None, str(malformed)))\n            return False\n",
        "            self._send(failure(None, str(malformed)))\n            return True\n",
    ),
    Plant(
        "A client that does not read holds its thread for ever.",
        "I87",
        "hydra.ops.debug.session",
        "        self._connection.settimeout(self._limits.write_s)\n",
        "        self._connection.settimeout(None)\n",
    ),
    Plant(
        "Versions of SQLite are compared as text.",
        "I88",
        "hydra.store.connection",
        '    if tuple(int(number) for number in version.split(".")) < OLDEST_SQLITE:\n',
        '    if version < ".".join(map(str, OLDEST_SQLITE)):\n',
    ),
    Plant(
        "That a halt is over is told without the reason.",
        "I89",
        "actors.guardian_halts",
        '        ctx.log("halt_cleared", code=code, reason=reason)\n',
        '        ctx.log("halt_cleared", code=code, reason="")\n',
    ),
    Plant(
        "A denial is not written down where the bot is told of it.",
        "I90",
        "actors.risk_guardian",
        "        self._denied[denial.check] = self._denied.get(denial.check, 0) + 1\n"
        "        ctx.log(\n",
        "        self._denied[denial.check] = self._denied.get(denial.check, 0) + 1\n"
        "        if ctx.sender is None:\n          ctx.log(\n",
    ),
)
