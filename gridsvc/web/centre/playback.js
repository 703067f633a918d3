// Playback: the cases as they were at a moment, from the history. While it plays the map is grey, a banner says which
// moment it is, and nothing can be done; one key leads back to now.
import { html, signal, useEffect, useState } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { moment, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { Refused, askAll, readOnly } from "../shared/service.js";
import { briefOf, categoryName, departmentName, divisionName, played } from "./city.js";
import { close, picked } from "./view.js";

/** @import { Brief, HistoryRow } from "../shared/types.js" */

const MINUTE_MS = 60_000;
const SPANS = /** @type {const} */ ([60, 1440, 10_080]); // minutes back from now

/** The right end of the slider; 0 while nothing plays. */
const end = signal(0);

export function beginPlayback() {
  picked.value = new Set();
  close();
  readOnly.value = true;
  end.value = Math.floor(cityNow() / MINUTE_MS) * MINUTE_MS;
}

export function backToNow() {
  end.value = 0;
  played.value = null;
  readOnly.value = false;
  close();
}

/**
 * A case as GET /api/v1/cases/at tells it, as the lists know cases.
 * @param {any} past
 * @returns {Brief}
 */
function briefFrom(past) {
  return {
    ...past, acceptance_number: null, beats: null, pool: past.officer === null && past.department === null ? "then" : null,
    due_at: past.late_since, provisional: false, overdue: past.late_since !== null, warned: false, assignment_id: null, updated_at: past.moved_at,
  };
}

export function Playback() {
  if (end.value === 0) return html`<button class="playback-begin" onClick=${beginPlayback} title=${t("playback.says")}>${t("playback.title")}</button>`;
  return html`<${Slider} end=${end.value} />`;
}

/** @param {{end: number}} props */
function Slider({ end: last }) {
  const [span, setSpan] = useState(/** @type {number} */ (SPANS[1]));
  const [back, setBack] = useState(60);
  const [failed, setFailed] = useState("");
  const at = last - Math.min(back, span) * MINUTE_MS;
  useEffect(() => {
    let over = false;
    // Who drags does not ask for each step.
    const timer = setTimeout(() => {
      askAll(`/api/v1/cases/at?limit=5000&t=${encodeURIComponent(new Date(at).toISOString())}`).then(
        (found) => {
          if (over) return;
          setFailed("");
          played.value = { at, cases: new Map(found.map((past) => [past.id, briefFrom(past)])) };
        },
        (refused) => { if (!over) setFailed(refused instanceof Refused ? refused.code : String(refused)); },
      );
    }, 150);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [at]);
  useEffect(() => backToNow, []);
  const ready = played.value !== null && played.value.at === at;
  return html`<section class="playback" aria-label=${t("playback.title")}>
    <p class="playback-banner" role="status"><b>${t("playback.banner", { at: moment(at) })}</b>${failed !== "" ? ` · ${word("refused", failed)}` : ready ? "" : ` · ${t("room.loading")}`}</p>
    <div class="playback-row">
      <select aria-label=${t("playback.span")} value=${span} onChange=${(/** @type {Event} */ event) => { setSpan(Number(/** @type {HTMLSelectElement} */ (event.currentTarget).value)); }}>
        ${SPANS.map((each) => html`<option key=${each} value=${each}>${t(`playback.span.${each}`)}</option>`)}
      </select>
      <input type="range" min=${-span} max="0" step="1" value=${-Math.min(back, span)} aria-label=${t("playback.slider")} aria-valuetext=${moment(at)}
        onInput=${(/** @type {Event} */ event) => setBack(-Number(/** @type {HTMLInputElement} */ (event.currentTarget).value))} />
      <button class="primary" onClick=${backToNow}>${t("playback.now")}</button>
    </div>
  </section>`;
}

/** What was known of a case then: no form, no move. @param {{id: string}} props */
export function PastCase({ id }) {
  const brief = briefOf(id);
  const [rows, setRows] = useState(/** @type {HistoryRow[]} */ ([]));
  useEffect(() => {
    let over = false;
    askAll(`/api/v1/cases/${id}/history?limit=500`).then((found) => { if (!over) setRows(found); }, () => undefined);
    return () => { over = true; };
  }, [id]);
  const at = played.value?.at ?? 0;
  return html`<aside class="drawer" aria-label=${t("drawer.title")}>
    <header class="drawer-head"><div class="drawer-title"><h2>${brief && html`<${Mark} severity=${brief.severity} state=${brief.state} label="" />`}${brief ? categoryName(brief) : t("playback.notThen")}</h2>
      ${brief && html`<p class="muted"><span class="state">${word("state", brief.state)}</span><span class="number">${brief.number ?? ""}</span></p>`}</div>
      <button class="quiet icon-button" onClick=${close} aria-label=${t("drawer.close")}>×</button></header>
    <div class="drawer-body">
      ${brief && html`<section><p>${divisionName(brief.division)} · ${brief.cell ?? ""}</p><p>${brief.officer?.name ?? (brief.department ? departmentName(brief.department) : t("figure.pool"))}</p></section>`}
      <section><ol class="history">${rows.filter((each) => Date.parse(each.at) <= at).map((each) => html`<li key=${each.version}><span class="history-at">${moment(each.at)}</span><span>${word("move", each.move)} · ${word("state", each.to_state)}</span></li>`)}</ol></section>
    </div>
  </aside>`;
}
