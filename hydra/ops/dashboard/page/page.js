// The page of the dashboard. It asks for a look every second and shows it; the one thing that
// it can do is a halt. What comes from elsewhere goes into the page as text, never as markup.
"use strict";

const LOOK_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 8000;  // a look is waited for 4 s at most
const HALT_WITHIN_MS = 35000;  // the dashboard cuts it off before
const EARLY_WORD_AFTER_MS = 2000;
const OLD_AFTER_S = 10;
const KEY = "hydra-key";
const UNKNOWN = "–";

const byId = (id) => document.getElementById(id);

// The key came behind the "#", which is sent nowhere. It is kept for this tab alone.
function takeKey() {
  if (location.hash.length > 1) {
    sessionStorage.setItem(KEY, location.hash.slice(1));
    history.replaceState(null, "", "/");
  }
}
const asked = () => ({ Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` });

// --- building ---------------------------------------------------------------------------------

function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children.filter((child) => child !== null));
  return element;
}

const word = (value, unit = "") =>
  value === null || value === undefined || value === "" ? UNKNOWN : `${value}${unit}`;

function money(text, digits = 2) {
  const amount = Number(text);
  if (text === null || text === undefined || !Number.isFinite(amount)) return UNKNOWN;
  return amount.toLocaleString("en-US", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  });
}

const signOf = (text) => (Number(text) > 0 ? "good" : Number(text) < 0 ? "bad" : "");
const clock = (iso) => (iso ? iso.slice(0, 19).replace("T", " ") : UNKNOWN);
const nothing = (text) => make("p", "nothing", text);

function figures(...pairs) {
  return make("dl", "figures", ...pairs.map(([name, value, classes]) =>
    make("div", "", make("dt", "", name), make("dd", classes ?? "", value))));
}

function pairs(rows) {
  const list = make("dl", "pairs");
  for (const [name, value, classes] of rows) {
    list.append(make("dt", "", name), make("dd", classes ?? "", value));
  }
  return list;
}

// A column is [title, what of a row stands there, classes]; what gives text, or [text, classes].
function table(columns, rows, empty) {
  if (rows.length === 0) return nothing(empty);
  const head = make("tr", "", ...columns.map(([title, , classes]) => {
    const cell = make("th", classes ?? "", title);
    cell.scope = "col";
    return cell;
  }));
  const body = rows.map((row) => make("tr", "", ...columns.map(([, of, classes]) => {
    const found = of(row);
    const [text, more] = Array.isArray(found) ? found : [found, ""];
    return make("td", `${classes ?? ""} ${more ?? ""}`.trim(), text);
  })));
  return make("div", "scroll", make("table", "", make("thead", "", head),
    make("tbody", "", ...body)));
}

// --- the curve --------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000, HEIGHT = 150, EDGE = 6;

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function curve(points, dayStart) {
  if (points.length < 2) return nothing("The curve begins when the dashboard has looked for a while.");
  const times = points.map(([at]) => Date.parse(at));
  const worths = points.map(([, worth]) => Number(worth));
  const start = dayStart === null || dayStart === undefined ? [] : [Number(dayStart)];
  const low = Math.min(...worths, ...start), high = Math.max(...worths, ...start);
  const [first, last] = [times[0], times[times.length - 1]];
  const x = (at) => ((at - first) / (last - first || 1)) * WIDTH;
  const y = (worth) => HEIGHT - EDGE - ((worth - low) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
  const drawing = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `worth from ${money(worths[0])} to ${money(worths[worths.length - 1])}`,
  });
  for (const level of start) {
    drawing.append(svg("line", { class: "start", x1: 0, x2: WIDTH, y1: y(level), y2: y(level) }));
  }
  const drawn = times.map((at, place) => `${x(at).toFixed(1)},${y(worths[place]).toFixed(1)}`);
  drawing.append(svg("polyline", { class: "drawn", points: drawn.join(" ") }));
  const ends = make("div", "ends",
    make("span", "", clock(points[0][0])),
    make("span", "", `${money(low)} to ${money(high)}; dashed: the day's start`),
    make("span", "", clock(points[points.length - 1][0])));
  return make("div", "", drawing, ends);
}

// --- the sections -----------------------------------------------------------------------------

const documentOf = (look, name) => look.surfaces[name]?.document ?? null;
const documentsOf = (look, names) => names.map((name) => documentOf(look, name));
const OF_WORTH = ["nav", "risk_snapshot", "kpis"];
const OF_POSITIONS = ["positions", "positions_ledger", "diagnostics"];

const STATES = { ACTIVE: "good", CLOSE_ONLY: "warn" };
const PASSES = {
  ACTIVE: "orders may pass",
  CLOSE_ONLY: "only orders that reduce a position pass",
  HALTED: "no order passes",
};
const NOT_KNOWN = "whether orders pass is not known";

function showState(look) {
  const told = look.told, trading = told?.trading_state ?? null;
  const state = byId("state");
  let name = "NOT ANSWERING", text = NOT_KNOWN;
  if (look.is_running) [name, text] = [word(trading), PASSES[trading] ?? NOT_KNOWN];
  else if (look.none_runs) [name, text] = ["NO ENGINE", "none runs, so no order passes"];
  state.className = look.is_running ? STATES[trading] ?? "" : "";
  state.replaceChildren(make("b", "", name), make("span", "", text));
  document.title = `${name} · Hydra ${look.venue}`;
  const facts = [["venue", look.venue], ["account", word(told?.account)]];
  const said = [];
  if (look.venue === "embedded") said.push("EMBEDDED VENUE: not real money, not real prices");
  if (told?.dry_run) said.push("DRY RUN: no order is sent");
  if (look.is_running) {
    facts.push(["market time", clock(told.at)], ["session", word(told.session)],
      ["orders", `${word(told.orders?.open)} open, ${word(told.orders?.unknown)} unknown, ${word(told.orders?.today)} today`]);
  }
  facts.push(["version", word(told?.versions?.hydra)], ["record", look.folder]);
  byId("facts").replaceChildren(...said.map((words) => make("div", "said", words)),
    ...facts.map(([title, value]) => make("div", "", make("dt", "", title), make("dd", "", value))));
}

function causes(look) {
  const told = look.told;
  if (!told) return nothing(look.fault ?? "nothing is known");
  const rows = table([
    ["cause", (row) => [row.code, row.state === "HALTED" ? "bad" : "warn"], "short"],
    ["state", (row) => row.state, "short"],
    ["since", (row) => clock(row.since), "short"],
    ["what", (row) => row.detail, "long"],
    ["how it ends", (row) => row.ends, "long"],
    ["not before", (row) => (row.not_before ? clock(row.not_before) : ""), "short"],
  ], told.causes, look.is_running ? "Nothing stands against trading." : "No halt is on record.");
  const more = [
    ...Object.entries(told.alarms ?? {}).map(([code, detail]) =>
      `ALARM, its kill condition is switched off: ${code}: ${detail}`),
    ...(told.cancels_overdue?.length ? [`Not canceled yet, though it was asked for: ${told.cancels_overdue.join(", ")}`] : []),
    ...configuration(told.configuration),
    ...(told.notes ?? []),
    ...(look.is_running ? [] : [told.ended].filter(Boolean)),
  ].map((line) => make("p", "warn", line));
  return make("div", "", rows, ...more);
}

function configuration(told) {
  if (!told) return [];
  const lines = [];
  if (told.mode !== "none" || told.mode_wanted !== "none") lines.push(`Strategy mode ${told.mode} (${told.mode_why})`);
  if (told.refused) lines.push(`CONFIGURATION REFUSED since ${clock(told.refused_since)}: ${told.refused}`);
  if (told.pending) lines.push(`The configuration waits for a restart: ${told.pending_why.join("; ")}`);
  return lines;
}

function worth(look) {
  const nav = documentOf(look, "nav"), risk = documentOf(look, "risk_snapshot");
  const kpis = documentOf(look, "kpis");
  if (!nav) return nothing("The engine has not written what the account is worth.");
  const day = nav.day_pnl === null ? UNKNOWN : `${money(nav.day_pnl)} (${money(nav.day_pnl_pct)} %)`;
  const odd = Object.entries(risk?.anomalies ?? {}).filter(([, is]) => is).map(([name]) => name);
  return make("div", "",
    figures(
      ["worth, USD", money(nav.equity)],
      ["today", day, signOf(nav.day_pnl)],
      ["drawdown", nav.drawdown_pct === null ? UNKNOWN : `${money(nav.drawdown_pct)} % · ${nav.drawdown_state}`],
      ["exposure", money(risk?.exposure)],
      ["at risk", money(risk?.open_risk)],
      ["realised, net", kpis?.known ? money(kpis.total.net) : UNKNOWN, signOf(kpis?.total?.net)],
    ),
    curve(look.curve, nav.day_start),
    odd.length ? make("p", "bad", `Anomalies: ${odd.join(", ")}`) : null);
}

const HEIGHTS = ["high", "elevated", "normal", "low"];

function regimes(look) {
  const told = look.told ?? {}, found = Object.entries(told.regimes ?? {});
  found.sort(([, one], [, other]) => HEIGHTS.indexOf(one) - HEIGHTS.indexOf(other));
  const strip = make("ul", "strip", ...found.map(([symbol, regime]) => make("li", regime, `${symbol} ${regime}`)));
  return make("div", "",
    found.length ? strip : nothing("No volatility regime is known yet."),
    pairs([
      ["risk mode", word(told.risk_mode)],
      ["feed", told.feed_age_s === null || told.feed_age_s === undefined ? UNKNOWN : `newest price ${told.feed_age_s.toFixed(1)} s old`],
      ["lease", told.lease_ms === null || told.lease_ms === undefined ? UNKNOWN : told.lease_ms > 0 ? "good" : "ran out: no order passes",
        told.lease_ms === 0 ? "bad" : ""],
      ["loops", word(told.loops)],
      ["flatten", word(told.flatten)],
    ]));
}

function bots(look) {
  const results = documentOf(look, "kpis")?.bots ?? {}, told = look.told?.bots;
  if (!told) return nothing("Nobody says which bots there are.");
  return table([
    ["bot", (row) => row.id, "short"],
    ["status", (row) => [word(row.status), row.status === "running" ? "" : "bad"], "short"],
    ["restarts", (row) => word(row.restarts), "number"],
    ["budget", (row) => (row.budget === null ? "" : money(row.budget)), "number"],
    ["trades", (row) => (results[row.id] ? `${results[row.id].won} of ${results[row.id].trades} won` : ""), "short"],
    ["net", (row) => (results[row.id] ? [money(results[row.id].net), signOf(results[row.id].net)] : ""), "number"],
    ["last word", (row) => look.words[row.id] ?? "", "long"],
  ], told, "No bots.");
}

function positions(look) {
  const held = documentOf(look, "positions"), lots = documentOf(look, "positions_ledger")?.lots ?? [];
  const diagnostics = documentOf(look, "diagnostics");
  const exits = diagnostics?.exit_pipeline ?? {};
  if (!held) return nothing("The engine has not written what is held.");
  const lotOf = (row) => lots.find((lot) => lot.bot === row.bot && lot.symbol === row.symbol) ?? {};
  const rows = table([
    ["bot", (row) => row.bot, "short"],
    ["symbol", (row) => row.symbol, "short"],
    ["quantity", (row) => row.quantity, "number"],
    ["paid", (row) => word(lotOf(row).average_price), "number"],
    ["last", (row) => word(lotOf(row).last_price), "number"],
    ["unrealised", (row) => [money(lotOf(row).unrealised), signOf(lotOf(row).unrealised)], "number"],
    ["protected by", (row) => (row.taken_over ? [`taken over by the exit bot: ${row.taken_over}`, "warn"] :
      row.protected_by ? [row.protected_by, row.protected_by.startsWith("NOT") ? "bad" : ""] : ["nothing known", "bad"]), "long"],
  ], held.positions, held.known ? "Nothing is held." : "What is held is not known.");
  const coverage = look.is_running ? exits.coverage_pct : null;
  const wrong = (exits.mismatches ?? []).map((line) => make("p", "bad", line));
  const dust = Object.entries(held.dust ?? {}).map(([name, quantity]) =>
    make("p", "soft", `Too little for an order: ${quantity} of ${name}`));
  return make("div", "", rows,
    make("p", coverage === null || coverage === undefined || Number(coverage) < 100 ? "bad" : "good",
      coverage === null || coverage === undefined ? "What is protected is not known." : `${coverage} % of what is held is protected.`),
    ...wrong, ...dust);
}

function health(look) {
  return make("ul", "checks", ...look.findings.map((each) => make("li", "",
    make("b", each.passed ? "good" : "bad", each.passed ? "pass" : "FAIL"),
    make("span", "", `${each.name}: ${each.line}`))));
}

function router(look) {
  const measured = look.told?.execution;
  if (!measured) return nothing("Nobody says how well orders get done.");
  const rows = Object.entries(measured.symbols ?? {}).map(([symbol, row]) => ({ symbol, ...row }));
  return make("div", "",
    pairs([["router", word(measured.router), measured.router === "degraded" ? "bad" : ""],
      ["score", measured.score === null ? "too few orders for one" : measured.score],
      ["since", clock(measured.since)]]),
    table([
      ["symbol", (row) => row.symbol, "short"],
      ["score", (row) => word(row.score), "number"],
      ["orders", (row) => word(row.orders), "number"],
      ["filled", (row) => word(row.filled), "number"],
      ["rejected", (row) => [word(row.rejected), row.rejected ? "bad" : ""], "number"],
      ["unknown", (row) => [word(row.unknown), row.unknown ? "bad" : ""], "number"],
      ["slippage, bps", (row) => word(row.slippage_bps), "number"],
      ["latency, ms", (row) => word(row.latency_ms), "number"],
    ], rows, "No order was measured yet."));
}

function surfaces(look) {
  return make("ul", "checks", ...Object.entries(look.surfaces).map(([name, each]) => make("li", "",
    make("b", each.fault || !look.is_running ? "bad" : "good", each.fault ? "stale" : look.is_running ? "fresh" : "old"),
    make("span", "", each.fault ?? (each.age_s === null ? `${name}: of this run` : `${name}: ${each.age_s.toFixed(0)} s old`)))));
}

function decisions(look) {
  if (!look.decisions.length) return nothing("No decision is in the journal yet.");
  return make("pre", "lines", [...look.decisions].reverse().join("\n"));
}

function tree(look) {
  if (!look.actors) return nothing("Nobody says which actors live.");
  const rows = table([
    ["actor", (row) => {
      const name = make("span", row.critical ? "" : "soft", row.path.slice(row.path.lastIndexOf("/") + 1));
      name.style.paddingLeft = `${row.level * 1.4}em`;
      name.title = row.path;
      return name;
    }, "short"],
    ["status", (row) => [row.hangs ? "hangs" : row.status, row.hangs || row.status !== "running" ? "bad" : ""], "short"],
    ["life", (row) => word(row.incarnation), "number"],
    ["restarts", (row) => [word(row.restarts), row.restarts ? "warn" : ""], "number"],
    ["failures", (row) => [word(row.failures), row.failures ? "warn" : ""], "number"],
    ["waiting", (row) => word(row.depth + row.control_depth), "number"],
    ["oldest, ms", (row) => (row.depth ? row.oldest_ms.toFixed(0) : ""), "number"],
    ["handled", (row) => row.processed.toLocaleString("en-US"), "number"],
    ["busy, ms", (row) => (row.busy_ms ? row.busy_ms.toFixed(0) : ""), "number"],
  ], look.actors, "No actors.");
  const left = look.actors_left_out;
  return left ? make("div", "", rows, make("p", "soft", `and ${left} more`)) : rows;
}

const ofWatch = (nanoseconds) => clock(new Date(nanoseconds / 1e6).toISOString());

function alerts(look) {
  if (!look.alerts) return nothing("No `hydra-trader watch` has told anything here.");
  const { standing, told } = look.alerts;
  const now = table([
    ["", (row) => [row.is_standing ? row.severity : "just over", row.severity === "critical" ? "bad" : "warn"], "short"],
    ["since", (row) => ofWatch(row.began_at), "short"],
    ["what", (row) => row.text, "long"],
    ["came up", (row) => word(row.came_up), "number"],
  ], standing, "Nothing stands.");
  const before = told.map((row) => ["at", "what", "channel", "severity", "title", "error"]
    .map((name) => row[name]).filter(Boolean).join("  "));
  return make("div", "", now, before.length ? make("pre", "lines", before.reverse().join("\n")) : null);
}

function commands(look) {
  return make("dl", "", ...look.to_type.flatMap((each) =>
    [make("dt", "", each.for), make("dd", "", make("code", "", each.type))]));
}

// What of a look each section shows, so that one of which nothing changed is left as it is, with
// whatever somebody has marked or scrolled to in it; and the surfaces that its figures are of, which
// are of before where no engine runs, however fresh they look.
const SECTIONS = {
  causes: [causes, (look) => [look.fault, look.is_running, look.told?.causes, look.told?.alarms,
    look.told?.cancels_overdue, look.told?.configuration, look.told?.notes, look.told?.ended]],
  worth: [worth, (look) => [look.curve, ...documentsOf(look, OF_WORTH)], OF_WORTH],
  regimes: [regimes, (look) => look.told],
  bots: [bots, (look) => [look.told?.bots, look.words, documentOf(look, "kpis")?.bots]],
  positions: [positions, (look) => [look.is_running, ...documentsOf(look, OF_POSITIONS)], OF_POSITIONS],
  health: [health, (look) => look.findings],
  router: [router, (look) => look.told?.execution],
  surfaces: [surfaces, (look) => [look.surfaces, look.is_running]],
  decisions: [decisions, (look) => look.decisions],
  tree: [tree, (look) => look.actors],
  alerts: [alerts, (look) => look.alerts],
  commands: [commands, (look) => look.to_type],
};
const SCROLLED = ".lines, .scroll";
const shownOf = {};
let latest = null;

function show(look) {
  latest = look;
  showState(look);
  for (const [id, [draw, of, read]] of Object.entries(SECTIONS)) {
    const section = byId(id), found = JSON.stringify(of(look) ?? null);
    const isOfBefore = read && (!look.is_running || read.some((name) => look.surfaces[name]?.fault));
    section.classList.toggle("stale", Boolean(isOfBefore));
    if (shownOf[id] === found) continue;
    const place = section.querySelector("div");
    const at = [...place.querySelectorAll(SCROLLED)].map((each) => each.scrollTop);
    place.replaceChildren(drawn(draw, look));
    place.querySelectorAll(SCROLLED).forEach((each, number) => { each.scrollTop = at[number] ?? 0; });
    shownOf[id] = found;
  }
  document.querySelector("main").hidden = false;
}

// An engine of another version may say less, or something else: what is understood is shown.
function drawn(draw, look) {
  try {
    return draw(look);
  } catch (error) {
    return make("p", "bad", `This cannot be shown (${error.message}): is the engine of another version?`);
  }
}

// What to type into a terminal, for the very engine that is looked at.
const typed = (what, usual) => latest?.to_type.find((each) => each.for === what)?.type ?? usual;

// --- asking -----------------------------------------------------------------------------------

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

function unseen(text) {
  notice(text);
  document.querySelector("main").classList.add("old");
  const state = byId("state");
  state.className = "";
  state.replaceChildren(make("b", "", "NOT SEEN"), make("span", "", "what is below is of before"));
  document.title = "NOT SEEN · Hydra";
}

async function lookOnce() {
  let answer, text;
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    answer = await fetch("/api/look", { headers: asked(), cache: "no-store", signal });
    text = await answer.text();
  } catch {
    return unseen("The dashboard does not answer: it was stopped, or hangs. The engine may be well.");
  }
  if (answer.status === 401) {
    const command = typed("The link of this page", "hydra-trader dashboard --link");
    return unseen(`This page needs the link of the dashboard that runs now, with its key: ${command}`);
  }
  if (!answer.ok) return unseen(`The dashboard says: ${text.trim()}`);
  try {
    show(JSON.parse(text));
  } catch (error) {
    return unseen(`What the dashboard told cannot be shown: ${error.message}`);
  }
  const age = Number(answer.headers.get("X-Hydra-Age") ?? NaN);
  if (!(age <= OLD_AFTER_S)) return unseen(`The last look at the engine was ${age.toFixed(0)} s ago.`);
  document.querySelector("main").classList.remove("old");
  notice("");
}

let next = null;  // the timer of the next look, while none is under way

async function keepLooking() {
  next = null;
  try {
    await lookOnce();
  } finally {
    next = setTimeout(keepLooking, LOOK_EVERY_MS);
  }
}

function lookSoon() {
  if (next === null) return;
  clearTimeout(next);
  keepLooking();
}

// A new link that is put into the same tab loads nothing anew; and a tab that is behind others is
// let look once a minute, so it is old when it comes to the front.
addEventListener("hashchange", () => { takeKey(); lookSoon(); });
document.addEventListener("visibilitychange", lookSoon);

// --- the halt ---------------------------------------------------------------------------------

const dialog = byId("halt");

byId("ask-halt").addEventListener("click", () => {
  if (!byId("do-halt").disabled) byId("outcome").textContent = "";
  byId("resume").textContent = typed("Let trading go on", "hydra-trader resume");
  dialog.showModal();
  byId("reason").focus();
});
byId("close").addEventListener("click", () => dialog.close());
byId("reason").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) byId("do-halt").click();
});
byId("do-halt").addEventListener("click", async () => {
  const button = byId("do-halt"), outcome = byId("outcome");
  const otherwise = `In a terminal: ${typed("Halt", "hydra-trader halt --reason …")}`;
  button.disabled = true;
  outcome.className = "";
  outcome.textContent = "halting …";
  const early = setTimeout(() => {
    outcome.textContent = `halting … no answer yet; it is waited for.\n${otherwise}`;
  }, EARLY_WORD_AFTER_MS);
  try {
    const answer = await fetch("/api/halt", {
      method: "POST",
      headers: { ...asked(), "Content-Type": "application/json" },
      body: JSON.stringify({
        reason: byId("reason").value,
        close_only: document.querySelector("input[name=what]:checked").value === "close-only",
      }),
      signal: AbortSignal.timeout(HALT_WITHIN_MS),
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const told = await answer.json();
    outcome.className = told.is_done ? "good" : "bad";
    outcome.textContent = told.words.join("\n");
  } catch (error) {
    outcome.className = "bad";
    outcome.textContent = `NOT KNOWN TO BE HALTED: ${error.message}\n${otherwise}`;
  } finally {
    clearTimeout(early);
    button.disabled = false;
    lookSoon();
  }
});

takeKey();
keepLooking();
