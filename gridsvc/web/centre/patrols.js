// Patrols and visits: which cells are walked in this shift, who or what is to be visited, and what came of it by days.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { count, moment, share, t, word } from "../shared/language.js";
import { ask } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { Waits, useAgain, useAsked } from "./adminparts.js";
import { lineName, officerOf, played } from "./city.js";
import { NO_PLAN, plan } from "./plan.js";
import { DESK, holds } from "./roles.js";
import { inDivision } from "./view.js";
import { Visits } from "./visits.js";
import { Walks } from "./walks.js";

/** @import { Patrol, Polygon } from "../shared/types.js" */

const STATES = /** @type {const} */ (["walked", "open", "unknown", "missed"]);
const TABS = /** @type {const} */ (["shift", "visits", "figures"]);

export function Patrols() {
  const [tab, setTab] = useState(/** @type {(typeof TABS)[number]} */ ("shift"));
  return html`
    <header class="panel-head"><h2>${t("panel.patrols")}</h2></header>
    ${!holds(DESK) ? html`<div class="empty"><p>${t("patrols.notYours")}</p></div>` : html`
      <div class="shelves" role="group" aria-label=${t("patrols.which")}>
        ${TABS.map((each) => html`<button key=${each} class="quiet" aria-pressed=${tab === each} onClick=${() => setTab(each)}>${t(`patrols.tab.${each}`)}</button>`)}</div>
      ${played.value !== null && html`<p class="small muted pad">${t("patrols.ofNow")}</p>`}
      ${tab === "shift" ? html`<${Shift} />` : tab === "visits" ? html`<${Visits} />` : html`<${Walks} />`}`}`;
}

function Shift() {
  const turn = useAgain();
  const [past, setPast] = useState(false);
  const [chosen, setChosen] = useState("");
  const now = useAsked(`/api/v1/patrols?running=true&limit=500${inDivision()}`, turn);
  const then = useAsked(past ? `/api/v1/patrols?running=false&limit=200${inDivision()}` : ""); // it changes little: asked for when it is looked at
  decade.value;
  const running = [...patrolsOf(now)].sort(leastFirst);
  const over = [...patrolsOf(then)].sort((one, other) => Date.parse(other.until_at) - Date.parse(one.until_at) || leastFirst(one, other));
  useCellsOnMap([...running, ...over].find((each) => each.id === chosen));
  if (now.value === null) return html`<${Waits} of=${now} />`;
  /** @param {Patrol} each */
  const row = (each) => html`<${Row} key=${each.id} patrol=${each} open=${each.id === chosen} choose=${() => setChosen(each.id === chosen ? "" : each.id)} />`;
  return html`<div class="patrols-page">
    ${running.length === 0 ? html`<div class="empty"><p>${t("empty.patrols")}</p></div>` : html`<h3 class="pad">${t("patrols.running", { n: count(running.length) })}</h3>
      <p class="pad small">${wordsOf(sumsOf(running))}</p><ul class="plain-list">${running.map(row)}</ul>`}
    <${More} of=${now} />
    <div class="pad"><button aria-expanded=${past} onClick=${() => setPast(!past)}>${t("patrols.over")}</button></div>
    ${!past ? "" : then.value === null ? html`<${Waits} of=${then} />` : over.length === 0 ? html`<p class="muted small pad">${t("patrols.noneOver")}</p>`
      : html`<ul class="plain-list">${over.map(row)}</ul><${More} of=${then} />`}
  </div>`;
}

/** @param {{value: any}} asked @returns {Patrol[]} */
const patrolsOf = (asked) => asked.value?.items ?? [];

/** @param {{of: {value: any}}} props */
function More({ of }) {
  return of.value.next ? html`<p class="muted small pad">${t("patrols.more", { n: count(of.value.items.length) })}</p>` : null;
}

/** What is least walked stands first, of two alike by the beat. @param {Patrol} one @param {Patrol} other */
const leastFirst = (one, other) => (one.coverage ?? 1) - (other.coverage ?? 1) || (one.beat < other.beat ? -1 : 1);

/** @param {Patrol[]} all */
function sumsOf(all) {
  const sums = { walked: 0, open: 0, unknown: 0, missed: 0 };
  for (const each of all) for (const state of STATES) sums[state] += each.counts[state] ?? 0;
  return sums;
}

/** "6 walked · 3 open": states that no cell is in are left out. @param {Record<string, number>} counts */
const wordsOf = (counts) => STATES.filter((state) => (counts[state] ?? 0) > 0).map((state) => `${count(counts[state] ?? 0)} ${word("walk", state)}`).join(" · ");

/** Who is on duty there, by name. @param {Patrol} patrol */
const namesOf = (patrol) => patrol.officers.map((id) => officerOf(id)?.name ?? t("patrols.officer", { id: id.slice(-6) })).join(" · ");

/** @param {{patrol: Patrol, open: boolean, choose: () => void}} props */
function Row({ patrol, open, choose }) {
  const span = { state: "", due_at: patrol.until_at, since: patrol.from_at, occurred_at: patrol.from_at, paused: false, provisional: false };
  const left = timeLeft(span, cityNow());
  const runs = left.ms > 0;
  const cells = `patrol-${patrol.id}`;
  const whole = useRef(/** @type {HTMLLIElement | null} */ (null));
  useEffect(() => {
    if (open) whole.current?.scrollIntoView({ block: "start" });
  }, [open]);
  return html`<li ref=${whole} class=${`plain-row wraps patrol ${open ? "is-open" : ""}`} data-patrol=${patrol.beat}>
    <span class="plain-main"><button class="link" aria-expanded=${open} aria-controls=${cells} onClick=${choose}>${patrol.beat}</button>
      <span class="muted">${t("patrols.span", { from: moment(patrol.from_at), until: moment(patrol.until_at), line: lineName(patrol.duty_line) })}</span>
      <span class="muted">${namesOf(patrol) || t(runs ? "patrols.nobody" : "patrols.nobodyWas")}</span></span>
    <span class="patrol-time">${runs ? html`<${TimeBar} left=${left} />` : html`<span class="small muted">${t(patrol.settled ? "patrols.settled" : patrol.judged ? "patrols.judged" : "patrols.ended")}</span>`}
      <b><span class="unseen">${t("walks.coverage")} </span>${patrol.coverage === null ? "–" : share(patrol.coverage)}</b></span>
    <span class="patrol-cover"><${Cover} counts=${patrol.counts} /><span class="small">${wordsOf(patrol.counts)}</span></span>
    ${open && html`<ul id=${cells} class="patrol-cells" aria-label=${t("patrols.cells", { beat: patrol.beat })}>
      ${patrol.cells.map((each) => html`<li key=${each.cell} data-cell=${each.cell}><span class=${`swatch ${each.state}`} aria-hidden="true" /> <span class="patrol-code">${each.cell}</span>
        <span>${word("walk", each.state)}</span>${patrol.times > 1 && html`<span class="muted">${t("patrols.times", { n: each.times, of: patrol.times })}</span>`}</li>`)}</ul>`}
  </li>`;
}

/** The shares of the states, one beside the other; the words beside it say the same. @param {{counts: Record<string, number>}} props */
function Cover({ counts }) {
  const all = STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  let at = 0;
  return html`<svg class="cover" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    ${STATES.map((state) => {
      const width = (100 * (counts[state] ?? 0)) / Math.max(1, all);
      at += width;
      return html`<rect key=${state} class=${`cover-${state}`} x=${at - width} width=${width} height="6" />`;
    })}</svg>`;
}

// Outlines of cells that were asked for, by code: a grid seldom changes. Null: the grid no longer has the cell.
/** @type {Map<string, Polygon | null>} */
const outlines = new Map();
const AT_ONCE = 200; // so many the service tells together

/** Ask for those outlines that are not known yet. @param {string[]} codes @param {AbortSignal} signal */
async function learnOutlines(codes, signal) {
  const unknown = codes.filter((code) => !outlines.has(code));
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const some = unknown.slice(at, at + AT_ONCE);
    const { items } = await ask(`/api/v1/cell-outlines?codes=${encodeURIComponent(some.join(","))}`, signal);
    for (const code of some) outlines.set(code, null); // what cannot be drawn; the list has it
    for (const { code, outline } of items) outlines.set(code, outline);
  }
}

/** The map shows the cells of the chosen patrol by their states, each with its word. @param {Patrol | undefined} patrol */
function useCellsOnMap(patrol) {
  const spelled = patrol === undefined ? "" : patrol.cells.map((each) => `${each.cell} ${each.state}`).join();
  const spoken = t("panel.patrols");
  useEffect(() => {
    if (patrol === undefined) {
      plan.value = NO_PLAN;
      return undefined;
    }
    const stop = new AbortController();
    learnOutlines(patrol.cells.map((each) => each.cell), stop.signal).then(() => {
      if (stop.signal.aborted) return;
      const cells = patrol.cells.flatMap(({ cell, state }) => {
        const geometry = outlines.get(cell);
        return geometry ? [{ kind: state, says: `${cell.slice(-3)} ${word("walk", state)}`, geometry }] : [];
      });
      plan.value = { ...NO_PLAN, cells };
    }, (failed) => { if (!(failed instanceof DOMException)) throw failed; });
    return () => stop.abort();
  }, [patrol?.id, spelled, spoken]);
  useEffect(() => () => { plan.value = NO_PLAN; }, []);
}
