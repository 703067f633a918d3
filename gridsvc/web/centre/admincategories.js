// Categories: the editions, one of them with its limits, and a list that is to become the next, looked at before it counts.
import { html, useState } from "../shared/screen.js";
import { count, day, named, t, word } from "../shared/language.js";
import { Sure, Table, Waits, faultOf, packed, useAsked, useWrite } from "./adminparts.js";
import { departmentName } from "./city.js";
import { ADMINS, holds } from "./roles.js";
import { say } from "./said.js";

/** @typedef {{code: string, name: string, is_default: boolean, published_at: string, source: string, categories: number}} Edition */

const UNITS = /** @type {const} */ (["urgent_minute", "urgent_hour", "urgent_day", "work_hour", "work_day", "day"]);
const UNSURE = /** @type {const} */ (["天", "小时"]);

export function Categories() {
  const [turn, setTurn] = useState(0);
  const [chosen, setChosen] = useState("");
  const asked = useAsked("/api/v1/category-editions", turn);
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  const editions = /** @type {Edition[]} */ (asked.value.items);
  if (chosen !== "") return html`<${One} key=${chosen} edition=${chosen} back=${() => setChosen("")} />`;
  return html`<div class="admin-body">
    <${Table} title=${t("categories.editions")} heads=${[t("categories.edition"), t("rules.name"), t("grids.state"), t("categories.count"), ""]} rows=${editions.map((each) => [
      each.code, each.name, html`${each.is_default ? html`<b>${t("categories.meant")}</b>` : t("categories.beside")}<div class="small muted">${day(Date.parse(each.published_at))}</div>`, count(each.categories),
      html`<button onClick=${() => setChosen(each.code)} aria-label=${t("grids.lookAt", { name: each.code })}>${t("grids.look")}</button>`])} />
    ${holds(ADMINS) ? html`<${List} published=${() => setTurn(turn + 1)} />` : html`<p class="muted small">${t("admin.adminsChange")}</p>`}
  </div>`;
}

/** @param {{amount: number, unit: string}} of */
const limit = (of) => `${count(of.amount)} ${word("unit", of.unit)}`;

/** @param {{edition: string, back: () => void}} props */
function One({ edition, back }) {
  const [q, setQ] = useState("");
  const asked = useAsked(`/api/v1/categories?edition=${encodeURIComponent(edition)}`);
  const words = q.trim().toLowerCase();
  const rows = /** @type {any[]} */ (asked.value?.items ?? []).filter((each) => `${each.code} ${each.name} ${each.name_en} ${each.major_name}`.toLowerCase().includes(words));
  return html`<div class="admin-body">
    <header class="admin-head"><button class="quiet icon-button" onClick=${back} aria-label=${t("admin.back")} title=${t("admin.back")}>←</button><h3>${t("categories.edition")} ${edition}</h3></header>
    <label class="field"><span class="small muted">${t("categories.find")}</span><input type="search" value=${q} onInput=${(/** @type {Event} */ event) => setQ(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
    ${asked.value === null ? html`<${Waits} of=${asked} />` : rows.length === 0 ? html`<div class="empty"><p>${t("categories.none")}</p></div>` : html`<${Table} title=${t("categories.list", { n: count(rows.length) })} heads=${[t("categories.code"), t("rules.name"), t("categories.by"), t("categories.limit")]} most=${300} tall rows=${rows.map((each) => [
      each.code, html`${named(each.name, each.name_en)}<div class="small muted">${named(each.major_name, each.major_name_en)} · ${word("severity", each.severity)}</div>`, each.department ? departmentName(each.department) : t("categories.officers"),
      html`${limit(each.limit)}${each.limits.map((/** @type {any} */ exact) => html`<div class="small muted">${[exact.stage === "handling" ? "" : word("clock", exact.stage), exact.condition, exact.management_level, limit(exact)].filter(Boolean).join(" · ")}</div>`)}`])} />`}
  </div>`;
}

/** @param {{published: () => void}} props */
function List({ published }) {
  const [file, setFile] = useState(/** @type {File | null} */ (null));
  const [departments, setDepartments] = useState(/** @type {File | null} */ (null));
  const [edition, setEdition] = useState("");
  const [name, setName] = useState("");
  const [units, setUnits] = useState(/** @type {Record<string, string>} */ ({}));
  const [beside, setBeside] = useState(false);
  const [partial, setPartial] = useState(false);
  const [seen, setSeen] = useState(/** @type {any} */ (null));
  const sending = useWrite();
  /** What was looked at counts no more once something else is said. @template T @param {(value: T) => void} set @returns {(value: T) => void} */
  const anew = (set) => (value) => { set(value); setSeen(null); };
  const body = async () => ({
    file: await packed(/** @type {File} */ (file)), edition: edition.trim(), name: name.trim(), beside, partial,
    units: Object.fromEntries(Object.entries(units).filter(([, unit]) => unit !== "")), ...(departments ? { departments: await packed(departments) } : {}),
  });
  /** @param {SubmitEvent} event */
  const look = async (event) => {
    event.preventDefault();
    setSeen(await sending.send("/api/v1/category-editions/preview", await body()));
  };
  const publish = async () => {
    const answer = await sending.send("/api/v1/category-editions", await body());
    if (answer === null) return;
    say(t("categories.published", { edition: edition.trim() }));
    setSeen(null);
    published();
  };
  const text = (/** @type {(value: string) => void} */ set) => (/** @type {Event} */ event) => anew(set)(/** @type {HTMLInputElement} */ (event.currentTarget).value);
  const taken = (/** @type {(value: File | null) => void} */ set) => (/** @type {Event} */ event) => anew(set)(/** @type {HTMLInputElement} */ (event.currentTarget).files?.[0] ?? null);
  return html`<form class="admin-part" onSubmit=${look}><h4>${t("categories.next")}</h4><p class="small muted">${t("categories.nextSays")}</p>
    <label class="field"><span>${t("categories.file")}</span><input id="categories-file" type="file" accept=".csv,.xlsx" required onChange=${taken(setFile)} /></label>
    <div class="admin-row"><label class="field grows"><span>${t("categories.edition")}</span><input id="categories-edition" value=${edition} required maxlength="32" onInput=${text(setEdition)} /></label>
      <label class="field grows"><span>${t("rules.name")} <span class="muted">${t("field.may")}</span></span><input value=${name} maxlength="200" onInput=${text(setName)} /></label></div>
    <label class="field"><span>${t("categories.departments")} <span class="muted">${t("field.may")}</span></span><input type="file" accept=".csv" onChange=${taken(setDepartments)} /></label>
    <div class="admin-row">${UNSURE.map((each) => html`<label key=${each} class="field"><span>${t("categories.means", { word: each })}</span><select value=${units[each] ?? ""} onChange=${(/** @type {Event} */ event) => anew(setUnits)({ ...units, [each]: /** @type {HTMLSelectElement} */ (event.currentTarget).value })}>
      <option value="">${t("categories.unsaid")}</option>${UNITS.map((unit) => html`<option key=${unit} value=${unit}>${word("unit", unit)}</option>`)}</select></label>`)}</div>
    <label class="box"><input type="checkbox" checked=${beside} onChange=${() => anew(setBeside)(!beside)} />${t("categories.putBeside")}</label>
    <label class="box"><input type="checkbox" checked=${partial} onChange=${() => anew(setPartial)(!partial)} />${t("categories.partial")}</label>
    <div class="move-buttons"><button disabled=${sending.busy || file === null}>${t("categories.preview")}</button></div>
    <p class="wrong small" role="alert">${sending.wrong}</p>${(sending.facts["defects"] ?? []).slice(0, 20).map((/** @type {any} */ each) => html`<p class="wrong small">${faultOf(each)}</p>`)}
    ${seen !== null && html`<p role="status"><b>${t("categories.would", { n: count(seen.categories), changed: count(seen.changes.length), same: count(seen.same) })}</b></p>
      <${Table} title=${t("categories.faults")} heads=${[t("rules.faults")]} rows=${seen.faults.map((/** @type {string} */ each) => [each])} />
      <${Table} title=${t("categories.changes", { against: seen.against ?? "–" })} heads=${[t("categories.code"), t("rules.name"), t("grids.how"), t("categories.open")]} rows=${seen.changes.map((/** @type {any} */ each) => [each.code,
        each.name_before !== null && each.name_before !== each.name ? `${each.name_before} → ${each.name}` : each.name, html`<span class=${`swatch ${each.kind === "changed" ? "redrawn" : each.kind}`} aria-hidden="true" /> ${word("categoryChange", each.kind)}<div class="small muted">${each.fields.map((/** @type {string} */ name) => word("categoryField", name)).join(", ")}</div>`, count(each.open_cases)])} />
      ${(seen.faults.length === 0 || partial) && seen.categories > 0 && html`<${Sure} label=${t("grids.publishGo")} go=${t("grids.publishYes")} disabled=${sending.busy} done=${() => void publish()} says=${t(beside ? "categories.saysBeside" : "categories.says", { edition: edition.trim(), n: count(seen.open_cases), against: seen.against ?? "–" })} />`}`}
  </form>`;
}
