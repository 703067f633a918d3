// Views that this browser keeps by name, and what leaves the list: as a file or on paper.
import { html, signal, useState } from "../shared/screen.js";
import { language, t } from "../shared/language.js";
import { person } from "../shared/service.js";
import { readFilters, writeFilters } from "./filters.js";
import { filters, order } from "./view.js";

/** @import { Filters } from "./filters.js" */

/** @typedef {{name: string, query: string}} View */

const MOST = 30;
const OPEN = ["reported", "filed", "assigned", "accepted", "in_progress", "handled"];

/** Of this person, on this browser. */
const keptAt = () => `gridsvc.views.${person.peek()?.id ?? ""}`;

/** @returns {View[]} */
function kept() {
  try {
    const read = JSON.parse(localStorage.getItem(keptAt()) ?? "[]");
    return Array.isArray(read) ? read.filter((each) => typeof each?.name === "string" && typeof each?.query === "string") : [];
  } catch {
    return [];
  }
}

/** @type {import("../vendor/signals.mjs").Signal<View[]>} */
const views = signal([]);

/** The view that was deleted last, until the menu is shut. @type {import("../vendor/signals.mjs").Signal<View | null>} */
const dropped = signal(null);

/** @param {View[]} next */
function keep(next) {
  views.value = next;
  localStorage.setItem(keptAt(), JSON.stringify(next));
}

/** The filters and the order as the page's address says them. */
function query() {
  const said = new URLSearchParams();
  writeFilters(filters.peek(), said);
  if (order.peek() !== "urgent") said.set("order", order.peek());
  return said.toString();
}

/**
 * Where the file of what these filters give is. The list holds open cases, so the file does.
 * @param {Filters} chosen
 * @param {"csv" | "geojson"} form
 */
export function fileOf(chosen, form) {
  const said = new URLSearchParams();
  for (const each of chosen.state.length > 0 ? chosen.state : OPEN) said.append("state", each);
  for (const name of /** @type {const} */ (["severity", "pool", "source"])) for (const each of chosen[name]) said.append(name, each);
  for (const name of /** @type {const} */ (["division", "line", "officer", "cell", "area", "q"])) if (chosen[name] !== "") said.set(name, chosen[name]);
  for (const name of /** @type {const} */ (["late", "pooled"])) if (chosen[name]) said.set(name, "true");
  said.set("headings", language.value === "en" ? "en" : "zh");
  return `/api/v1/cases.${form}?${said}`;
}

export function ListMenu() {
  const [open, setOpen] = useState(false);
  const shut = () => {
    setOpen(false);
    document.getElementById("list-menu-button")?.focus();
  };
  return html`<div class="filter-menu">
    <button id="list-menu-button" class="quiet" aria-expanded=${open} aria-controls="list-menu" onClick=${() => { views.value = kept(); dropped.value = null; setOpen(!open); }}>${t("views.more")}</button>
    ${open && html`<div id="list-menu" class="menu list-menu" onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.stopPropagation(); shut(); } }}>
      <h3>${t("views.title")}</h3>
      ${views.value.length === 0 && html`<p class="small muted">${t("views.none")}</p>`}
      <ul>${views.value.map((each) => html`<li key=${each.name}><button class="quiet" onClick=${() => { look(each); shut(); }}>${each.name}</button>
        <button class="quiet" aria-label=${t("views.drop", { name: each.name })} onClick=${() => { dropped.value = each; keep(views.peek().filter((other) => other !== each)); }}>×</button></li>`)}</ul>
      ${dropped.value !== null && html`<p class="small" role="status">${t("views.dropped", { name: dropped.value.name })} <button class="quiet" onClick=${() => { const back = /** @type {View} */ (dropped.peek()); dropped.value = null; keep([...views.peek(), back]); }}>${t("views.undrop")}</button></p>`}
      <form onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.currentTarget);
        const name = String(new FormData(form).get("view")).trim();
        if (name === "") return;
        keep([...views.peek().filter((each) => each.name !== name), { name, query: query() }].slice(-MOST));
        form.reset();
      }}><input name="view" maxlength="40" required aria-label=${t("views.name")} placeholder=${t("views.name")} /><button>${t("views.keep")}</button></form>
      <h3>${t("views.out")}</h3>
      <a class="button" href=${fileOf(filters.value, "csv")} download>CSV</a>
      <a class="button" href=${fileOf(filters.value, "geojson")} download>GeoJSON</a>
      <button onClick=${() => { shut(); print(); }}>${t("views.print")}</button>
    </div>`}
  </div>`;
}

/** @param {View} view */
function look(view) {
  const said = new URLSearchParams(view.query);
  filters.value = readFilters(said);
  order.value = said.get("order") === "newest" ? "newest" : "urgent";
}
