/** How the status page looks. Everything is readable without colour; colour repeats what a word says. */
export const pageStyle = `
:root {
  --back: #f6f7f8; --card: #ffffff; --line: #dfe3e6; --text: #1c2327; --quiet: #57646e; --link: #0b5a94;
  --good: #1d7044; --warn: #8a5a00; --bad: #b3261e; --sent: #3b73b9; --received: #2f8a5b;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14181b; --card: #1b2024; --line: #30383e; --text: #dfe5e9; --quiet: #98a5ae; --link: #7fbdf0;
    --good: #63c592; --warn: #dfae53; --bad: #f28b82; --sent: #78a9e6; --received: #5fbf8e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 0.875rem/1.45 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
header, main, footer { max-width: 82rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 1.25rem; padding-top: 1.1rem; padding-bottom: 0.4rem; }
h1 { font-size: 1.2rem; margin: 0; letter-spacing: -0.01em; }
h1 .quiet { font-size: 0.875rem; font-weight: 400; letter-spacing: 0; }
h2 { font-size: 0.95rem; margin: 0; display: inline-block; scroll-margin-top: 1rem; }
p { margin: 0; }
a { color: var(--link); }
.quiet { color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: 0 1rem; }
#trouble { display: grid; gap: 0.2rem; margin-top: 0.6rem; }
#trouble:empty { display: none; }
#origin { margin-top: 0.6rem; overflow-wrap: anywhere; }
#trouble > * { text-decoration: none; white-space: normal; overflow-wrap: anywhere; border: 1px solid currentColor; border-radius: 8px; padding: 0.4rem 0.8rem; background: var(--card); }
#search { display: flex; align-items: center; gap: 0.5rem; margin-left: auto; }
input, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--quiet); border-radius: 6px; padding: 0.3rem 0.6rem; }
input { width: 15rem; }
button { cursor: pointer; padding: 0.35rem 0.9rem; }
kbd { font: 0.8rem var(--mono); border: 1px solid var(--line); border-radius: 4px; padding: 0 0.3rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
h2:focus { outline: none; }
h2:focus-visible { outline: 2px solid var(--link); }
section { position: relative; background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0.8rem 0; padding: 0.7rem 1rem 0.5rem; }
table { border-collapse: collapse; width: 100%; }
caption { position: absolute; top: 0.72rem; right: 1rem; text-align: right; }
th, td { text-align: left; vertical-align: top; padding: 0.32rem 1.2rem 0.32rem 0; font-weight: 400; overflow-wrap: anywhere; unicode-bidi: isolate; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-size: 0.78rem; padding-top: 0.4rem; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
tbody tr:target { background: color-mix(in srgb, var(--link) 12%, transparent); scroll-margin-top: 3rem; }
tbody:empty::after { content: 'none'; color: var(--quiet); display: block; padding: 0.3rem 0; }
[data-kind='name'] { font-family: var(--mono); font-size: 0.8125rem; line-height: 1.5615; }
[data-kind='number'] { font-variant-numeric: tabular-nums; white-space: nowrap; text-align: right; }
[hidden] { display: none !important; }
tr:has(th a) { cursor: pointer; }
tr:has(th a):hover { background: color-mix(in srgb, var(--link) 7%, transparent); }
tr[data-group] th { font-weight: 600; padding-top: 0.7rem; }
tr[data-group] ~ tr:not([data-group]) > th { padding-left: 0.9rem; }
.strong { font-weight: 600; }
.state { white-space: nowrap; color: var(--quiet); }
.state::before { content: ''; display: inline-block; width: 0.5em; height: 0.5em; border-radius: 50%; margin-right: 0.45em; vertical-align: 0.08em; background: currentColor; }
[data-tone='good'] { color: var(--good); }
[data-tone='warn'] { color: var(--warn); }
[data-tone='bad'] { color: var(--bad); }
[data-tone='warn'].state::before { border-radius: 0; }
[data-tone='bad'].state::before { border-radius: 0; transform: rotate(45deg); }
.note { display: block; color: var(--quiet); font-size: 0.8125rem; font-family: system-ui, 'DejaVu Sans', sans-serif; }
.note[data-tone='bad'] { color: var(--bad); }
svg.spark { display: block; width: 10rem; max-width: 100%; height: 1.8rem; }
svg.spark path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.spark .sent { stroke: var(--sent); }
.spark .received { stroke: var(--received); stroke-dasharray: 4 2; }
.spark .floor { stroke: var(--line); stroke-width: 1; }
.rates { display: block; font-size: 0.78rem; color: var(--quiet); white-space: nowrap; font-variant-numeric: tabular-nums; }
footer { padding-top: 0.2rem; padding-bottom: 2rem; font-size: 0.8125rem; }
.skip { position: absolute; left: 0.5rem; top: -4rem; background: var(--card); padding: 0.5rem 0.8rem; border-radius: 6px; z-index: 1; }
.skip:focus { top: 0.5rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
dialog { width: min(46rem, calc(100vw - 1.5rem)); max-height: 85vh; overflow: auto; background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.3rem; }
dialog::backdrop { background: rgb(0 0 0 / 40%); }
dialog h2 { font-size: 1.05rem; }
dialog p { margin: 0.6rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.2rem; margin: 0.8rem 0 1rem; }
dt { color: var(--quiet); }
dialog ol { margin: 0.6rem 0; padding-left: 1.4rem; font-family: var(--mono); font-size: 0.8125rem; }
dd { margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
@media (max-width: 60rem) {
  #search { margin-left: 0; flex-basis: 100%; }
  #filter { flex: 1; min-width: 0; }
  header, main, footer { padding-left: 0.75rem; padding-right: 0.75rem; }
  section { padding: 0.6rem 0.8rem 0.4rem; }
  table, tbody, tr, td, tbody th { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: flex; flex-wrap: wrap; gap: 0 0.9rem; padding: 0.3rem 0; }
  tbody th, td { display: block; max-width: 100%; padding: 0.05rem 0; }
  tr[data-group] ~ tr:not([data-group]) > th { padding-left: 0; }
  td::before { content: attr(data-label); margin-right: 0.35rem; color: var(--quiet); font: 0.8125rem system-ui, 'DejaVu Sans', sans-serif; }
  td[data-empty] { display: none; }
  [data-kind='number'] { text-align: left; }
  #services-rows td::before, #candidates-rows td:has(.state)::before { content: none; }
  #candidates-rows .note { display: inline; margin-left: 0.4rem; }
  #services-rows tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; }
  #services-rows th { font-weight: 600; }
  #services-rows td:nth-child(2) { text-align: right; }
  #services-rows .note:not([data-tone='bad']) { display: none; }
  #services-rows td:nth-child(4) { grid-area: 2 / 2; }
  #services-rows td:nth-child(4)::after { content: ' open'; color: var(--quiet); }
  #services-rows td:nth-child(8) { grid-area: 2 / 1; display: flex; align-items: center; gap: 0.5rem; overflow: hidden; }
  #services-rows svg.spark { flex: 0 1 5rem; min-width: 1.5rem; height: 1.1rem; }
  #services-rows .rates { flex: none; }
  /* Two lines a service: the rest is for those who listen, and in /status. */
  #services-rows td:is(:nth-child(3), :nth-child(5), :nth-child(6), :nth-child(7), :nth-child(9)) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.4rem; }
}
@media (prefers-reduced-motion: no-preference) {
  tr[data-new] { animation: fresh 2s ease-out; }
  @keyframes fresh { from { background: color-mix(in srgb, var(--link) 14%, transparent); } }
}
@media (forced-colors: active) {
  .state::before { background: CanvasText; forced-color-adjust: none; }
}
`;
