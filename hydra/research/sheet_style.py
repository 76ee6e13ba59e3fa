"""How a tear sheet looks: on a wide and a narrow screen, light, dark and on paper."""

STYLE = """
:root { color-scheme: light dark;
  --page: #ffffff; --card: #f4f6f8; --ink: #1f2933; --soft: #52606d; --faint: #cbd2d9;
  --line: #1d5fa8; --price: #8497a8; --fall: #b23b3b; --gain: #157a54; --loss: #b23b3b;
  --warn: #8a5a00; --warn-page: #fff4d6;
  --bot-0: #1d5fa8; --bot-1: #b25a00; --bot-2: #157a54; --bot-3: #8a3ea8; --bot-4: #b23b3b;
  --bot-5: #5c6b78; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12171c; --card: #1c242c; --ink: #e4e9ee; --soft: #9fb0bf; --faint: #3a4651;
  --line: #6cb1f5; --price: #70879b; --fall: #ef7d7d; --gain: #58c79a; --loss: #ef7d7d;
  --warn: #ffd479; --warn-page: #3a2f12;
  --bot-0: #6cb1f5; --bot-1: #f5a34b; --bot-2: #58c79a; --bot-3: #cf9bea; --bot-4: #ef7d7d;
  --bot-5: #a9b8c5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 20px 24px 48px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 36px 0 10px; }
h3 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 6px 0; }
.soft { color: var(--soft); }
.simulated { margin: 16px 0; padding: 12px 16px; border-radius: 8px; background: var(--warn-page);
  color: var(--warn); font-size: 20px; font-weight: 600; }
.cards { display: grid; gap: 10px; grid-template-columns: repeat(4, 1fr); margin: 16px 0; }
.card { background: var(--card); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.card > span { color: var(--soft); font-size: 13px; }
.gain { color: var(--gain); } .loss { color: var(--loss); }
figure { margin: 12px 0; } figcaption { color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--ink); }
svg.narrow { display: none; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  margin: 0 5px 0 12px; vertical-align: -1px; }
.scroll { overflow-x: auto; background:
  linear-gradient(var(--page), var(--page)) right / 28px 100% no-repeat local,
  linear-gradient(to left, var(--faint), transparent) right / 14px 100% no-repeat scroll; }
table { border-collapse: collapse; width: 100%; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--faint); text-align: right;
  white-space: nowrap; vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
th.text, td.text { text-align: left; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 11em; }
.bars { display: grid; grid-template-columns: auto 1fr auto; gap: 8px 12px; align-items: center; }
.bars i { display: block; height: 14px; min-width: 2px; border-radius: 3px;
  background: var(--line); }
.bars b { font-weight: 500; text-align: right; font-variant-numeric: tabular-nums; }
tr.gap td { color: var(--soft); text-align: left; font-style: italic; }
.pairs { columns: 2; column-gap: 40px; }
.pairs div { display: flex; justify-content: space-between; gap: 16px; padding: 4px 0;
  border-bottom: 1px solid var(--faint); break-inside: avoid; }
.pairs.one { columns: 1; }
.pairs span { color: var(--soft); }
.pairs b { font-weight: 500; overflow-wrap: anywhere; text-align: right;
  font-variant-numeric: tabular-nums; }
@media (max-width: 700px) {
  body { padding: 14px 14px 40px; } h1 { font-size: 21px; } .simulated { font-size: 17px; }
  .cards { grid-template-columns: repeat(2, 1fr); } .card b { font-size: 18px; }
  .pairs { columns: 1; } svg.wide { display: none; } svg.narrow { display: block; }
  th, td { padding: 4px 7px; } td.long { white-space: nowrap; } }
@media print { .scroll { overflow: visible; } h2 { break-after: avoid; } }
"""
