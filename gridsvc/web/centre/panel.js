// The panel beside the map: my queue, cases, officers, what cameras saw, or cameras.
import { html, useState } from "../shared/screen.js";
import { count, t, word } from "../shared/language.js";
import { line } from "../shared/live.js";
import { Administration } from "./admin.js";
import { BulkBar, LastBulk } from "./bulk.js";
import { Cameras } from "./cameras.js";
import { cases, officers } from "./city.js";
import { NONE, narrows } from "./filters.js";
import { Intake } from "./intake.js";
import { CaseList } from "./list.js";
import { Officers } from "./officers.js";
import { Patrols } from "./patrols.js";
import { Bench } from "./review.js";
import { ShiftLog } from "./shiftlog.js";
import { filters, listed, narrow, order, panel, picked, widen } from "./view.js";
import { pickListed } from "./tools.js";
import { ListMenu } from "./views.js";

const STATES = ["reported", "filed", "assigned", "accepted", "in_progress", "handled"];
const SEVERITIES = ["emergency", "high", "normal", "low"];
const SOURCES = ["officer", "camera", "desk", "hotline", "resident", "partner", "visit"];

export function PanelPane() {
  const shown = panel.value;
  return html`<aside class=${`panel ${shown}`} aria-label=${t(`panel.${shown}`)}>
    ${shown === "officers" ? html`<${Officers} />` : shown === "review" ? html`<${Bench} />` : shown === "cameras" ? html`<${Cameras} />` : shown === "intake" ? html`<${Intake} />`
      : shown === "patrols" ? html`<${Patrols} />` : shown === "shift" ? html`<${ShiftLog} />` : shown === "admin" ? html`<${Administration} />` : html`<${Cases} />`}
  </aside>`;
}

function Cases() {
  const loading = line.value.state === "loading" || (line.value.state === "broken" && line.value.at === 0);
  const rows = listed.value;
  return html`
    <header class="panel-head">
      <h2>${t(`panel.${panel.value}`)} <span class="panel-count" aria-live="polite">${loading ? "" : count(rows.length)}</span></h2>
      <select aria-label=${t("list.order")} value=${order.value}
        onChange=${(/** @type {Event} */ event) => { order.value = /** @type {HTMLSelectElement} */ (event.currentTarget).value === "newest" ? "newest" : "urgent"; }}>
        <option value="urgent">${t("list.urgent")}</option><option value="newest">${t("list.newest")}</option>
      </select>
      <${FilterMenu} />
      ${panel.value === "cases" && html`<${ListMenu} />`}
    </header>
    <${Chips} />
    ${loading ? html`<${Skeleton} />` : rows.length === 0 ? html`<${Empty} />` : html`<${CaseList} rows=${rows} />`}
    <${LastBulk} />
    ${picked.value.size > 0 ? html`<${BulkBar} />` : html`<p class="keys small muted" aria-hidden="true">${t("list.keys")}</p>`}`;
}

function Skeleton() {
  return html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span>
    ${Array.from({ length: 8 }, (_, n) => html`<div key=${n} class="skeleton-row" />`)}
  </div>`;
}

/** Why there is nothing, and what fills it. */
function Empty() {
  const narrowed = narrows(filters.value);
  return html`<div class="empty">
    <p>${t(narrowed ? "empty.filtered" : panel.value === "queue" ? "empty.queue" : "empty.cases")}</p>
    ${narrowed && html`<button onClick=${() => { filters.value = NONE; }}>${t("filter.clear")}</button>`}
    ${!narrowed && cases.value.size > 0 && html`<p class="small muted">${t("empty.others", { n: count(cases.value.size) })}</p>`}
  </div>`;
}

function FilterMenu() {
  const [open, setOpen] = useState(false);
  return html`<div class="filter-menu">
    <button class="quiet" aria-expanded=${open} aria-controls="filters" onClick=${() => setOpen(!open)}>${t("filter.title")}</button>
    ${open && html`<div id="filters" class="menu filter-sheet" onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.stopPropagation(); setOpen(false); } }}>
      <${Boxes} name="severity" values=${SEVERITIES} />
      <${Boxes} name="state" values=${STATES} />
      <${Boxes} name="source" values=${SOURCES} />
      <label class="field"><span>${t("filter.cell")}</span><input inputmode="numeric" maxlength="64" value=${filters.value.cell} placeholder=${t("filter.cellHint")}
        onInput=${(/** @type {Event} */ event) => narrow({ cell: /** @type {HTMLInputElement} */ (event.currentTarget).value.trim() })} /></label>
      <button onClick=${() => setOpen(false)}>${t("filter.done")}</button>
    </div>`}
  </div>`;
}

/**
 * @param {object} props
 * @param {"severity" | "state" | "source"} props.name
 * @param {string[]} props.values
 */
function Boxes({ name, values }) {
  const chosen = filters.value[name];
  return html`<fieldset><legend>${t(`filter.${name}`)}</legend>
    ${values.map((each) => html`<label key=${each} class="box"><input type="checkbox" checked=${chosen.includes(each)}
      onChange=${() => narrow({ [name]: chosen.includes(each) ? chosen.filter((other) => other !== each) : [...chosen, each] })} />${word(name, each)}</label>`)}
  </fieldset>`;
}

/** What narrows the list, each to be taken away by itself. */
function Chips() {
  const chosen = filters.value;
  /** @type {{words: string, off: () => void}[]} */
  const chips = [];
  for (const name of /** @type {const} */ (["severity", "state", "pool", "source"])) {
    for (const each of chosen[name]) {
      chips.push({ words: word(name, each), off: () => narrow({ [name]: chosen[name].filter((other) => other !== each) }) });
    }
  }
  if (chosen.late) chips.push({ words: t("figure.late"), off: () => narrow({ late: false }) });
  if (chosen.pooled) chips.push({ words: t("figure.pool"), off: () => narrow({ pooled: false }) });
  if (chosen.officer !== "") {
    const officer = officers.value.find((each) => each.id === chosen.officer);
    chips.push({ words: officer?.name ?? chosen.officer, off: () => narrow({ officer: "" }) });
  }
  if (chosen.cell !== "") chips.push({ words: t("filter.inCell", { cell: chosen.cell }), off: () => narrow({ cell: "" }) });
  if (chosen.area !== "") chips.push({ words: t("filter.inArea"), off: () => narrow({ area: "" }) });
  if (chosen.q !== "") chips.push({ words: `“${chosen.q}”`, off: () => narrow({ q: "" }) });
  if (chips.length === 0) return null;
  return html`<div class="chips">
    ${chips.map(({ words, off }) => html`<button key=${words} class="chip" onClick=${off} aria-label=${t("filter.remove", { what: words })}>${words}<span aria-hidden="true"> ×</span></button>`)}
    <button class="quiet" onClick=${widen}>${t("filter.clear")}</button>
    ${listed.value.length > 0 && html`<button class="quiet" onClick=${pickListed}>${t("list.pickAll", { n: count(listed.value.length) })}</button>`}
  </div>`;
}
