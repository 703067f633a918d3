// The list of cases: only the rows in sight are in the page, so that ten thousand cost what twenty do.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/screen.js";
import { decade } from "../shared/clock.js";
import { t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { person } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { arrived, categoryName, divisionName, ownerName } from "./city.js";
import { waitsFor } from "./queue.js";
import { pickListed } from "./tools.js";
import { leftOf, listed, open, opened, panel, pick, picked, pointed } from "./view.js";

/** @import { Brief } from "../shared/types.js" */

export const ROW_PX = 62;
const BEYOND = 6; // rows above and below the sight
const PULSES = 3; // a second, on the whole list: whatever flashes more often can bring on a seizure (WCAG 2.3.1)

/** When rows have pulsed last. @type {number[]} */
const pulsed = [];

/** Whether one more may pulse now. */
function mayPulse() {
  const now = performance.now();
  if (pulsed.length === PULSES && now - /** @type {number} */ (pulsed[0]) < 1000) return false;
  pulsed.push(now);
  if (pulsed.length > PULSES) pulsed.shift();
  return true;
}

/**
 * A key that concerns the list, wherever it was pressed.
 * @param {KeyboardEvent} event
 */
export function listKey(event) {
  const rows = listed.peek();
  if (rows.length === 0) return;
  const at = rows.findIndex((each) => each.id === pointed.peek());
  const here = at < 0 ? undefined : rows[at];
  /** @param {number} to */
  const go = (to) => {
    pointed.value = rows[Math.max(0, Math.min(rows.length - 1, to))]?.id ?? "";
  };
  switch (event.key) {
    case "j": case "ArrowDown": go(at + 1); break;
    case "k": case "ArrowUp": go(at < 0 ? 0 : at - 1); break;
    case "Home": go(0); break;
    case "End": go(rows.length - 1); break;
    case "PageDown": go(at + 10); break;
    case "PageUp": go(Math.max(0, at - 10)); break;
    case "Enter": if (here) open(here.id); break;
    case "x": if (here) pick(here.id); break;
    case "a": pickListed(); break;
    default: return;
  }
  event.preventDefault();
  document.getElementById("list")?.focus({ preventScroll: true });
}

/** @param {{rows: Brief[]}} props */
export function CaseList({ rows }) {
  const pane = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  decade.value;

  useLayoutEffect(() => {
    const element = pane.current;
    if (element === null) return undefined;
    const watch = new ResizeObserver(() => setHeight(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  // What is pointed at stays in sight.
  const at = rows.findIndex((each) => each.id === pointed.value);
  useEffect(() => {
    const element = pane.current;
    if (element === null || at < 0) return;
    const from = at * ROW_PX;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + ROW_PX > element.scrollTop + element.clientHeight) element.scrollTop = from + ROW_PX - element.clientHeight;
  }, [pointed.value]);

  const first = Math.max(0, Math.floor(top / ROW_PX) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW_PX) + BEYOND);
  return html`<div id="list" class="list" ref=${pane} tabindex="0" role="listbox" aria-label=${t(`panel.${panel.value}`)} aria-multiselectable="true"
    aria-activedescendant=${at >= first && at < last ? `row-${pointed.value}` : undefined}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (!event.ctrlKey && !event.metaKey && !event.altKey) { listKey(event); event.stopPropagation(); } }}
    onScroll=${(/** @type {Event} */ event) => setTop(/** @type {HTMLElement} */ (event.currentTarget).scrollTop)}>
    <div class="list-whole" role="presentation" style=${{ height: `${rows.length * ROW_PX}px` }}>
      ${rows.slice(first, last).map((brief, n) => html`<${Row} key=${brief.id} brief=${brief} y=${(first + n) * ROW_PX} n=${first + n + 1} of=${rows.length} />`)}
    </div>
  </div>`;
}

/** @param {{brief: Brief, y: number, n: number, of: number}} props */
function Row({ brief, y, n, of }) {
  const left = leftOf(brief), me = person.value;
  const why = panel.value === "queue" && me ? waitsFor(brief, me) : null;
  const [isNew] = useState(() => arrived.has(brief.id) && mayPulse());
  useEffect(() => {
    arrived.delete(brief.id);
  }, []);
  const classes = [
    "row", brief.severity, left.standing, opened.value === brief.id ? "opened" : "", pointed.value === brief.id ? "pointed" : "",
    picked.value.has(brief.id) ? "picked" : "", isNew ? "arrived" : "",
  ];
  return html`<div id=${`row-${brief.id}`} class=${classes.join(" ")} role="option" aria-selected=${picked.value.has(brief.id)} aria-posinset=${n} aria-setsize=${of}
    data-case=${brief.id} style=${{ transform: `translateY(${y}px)` }}
    onClick=${(/** @type {MouseEvent} */ event) => { if (event.ctrlKey || event.metaKey) pick(brief.id); else open(brief.id); }}
    onPointerEnter=${() => { pointed.value = brief.id; }}>
    <span class="row-mark"><${Mark} severity=${brief.severity} state=${brief.state} standing=${left.standing} size=${24} label=${`${word("severity", brief.severity)} · ${word("state", brief.state)}`} /></span>
    <span class="row-title">${brief.exercise && html`<span class="tag">${t("case.exercise")}</span>`}<span class="row-name">${categoryName(brief)}</span></span>
    <span class="row-time"><${TimeBar} left=${left} /></span>
    <span class="row-more">${why ? html`<span class="tag">${word("queue", why)}</span>` : brief.pool ? html`<span class="tag">${word("pool", brief.pool)}</span>` : ""}
      ${[divisionName(brief.division), brief.cell ? brief.cell.slice(-3) : null, ownerName(brief) || null].filter(Boolean).join(" · ")}</span>
    <span class="row-pick" aria-hidden="true" onClick=${(/** @type {MouseEvent} */ event) => { event.stopPropagation(); pick(brief.id); }}>${picked.value.has(brief.id) ? "✓" : ""}</span>
  </div>`;
}
