// The intake form: what somebody says on the telephone becomes a report, by keyboard alone.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { metresBetween } from "../shared/ground.js";
import { distance, named, t, word } from "../shared/language.js";
import { Refused, ask, person, write as send } from "../shared/service.js";
import { Sure } from "./adminparts.js";
import { caseTurn, cases, categoryName, divisionName, lists } from "./city.js";
import { Combo } from "./combo.js";
import { clear, draft, keyFor, takeUp, write } from "./draft.js";
import { sentence } from "./moves.js";
import { asksForPlace, goal, mapFirst, marked, open } from "./view.js";

/** @import { Category, Person } from "../shared/types.js" */

const TAKERS = new Set(["acceptor", "dispatcher", "supervisor"]);

/** @param {Person} me */
export const takesReports = (me) => me.roles.some(({ role }) => TAKERS.has(role));

const MOST = 8; // options in a list
const TYPING_MS = 200;

/**
 * @typedef {object} Filed
 * @property {string} acceptance_number
 * @property {{id: string, number: string | null, cell: string | null, pool: string | null, missing_attributes: string[]}} case
 * @property {{id: string, number: string | null, state: string, distance_m: number}[]} duplicates
 */

/** @typedef {Record<string, string>} Wrong why a field was refused, by its name; "" for the whole */

export function Intake() {
  const me = person.value;
  const [filed, setFiled] = useState(/** @type {Filed | null} */ (null));
  useEffect(() => {
    takeUp();
    const { place } = draft.peek();
    marked.value = place;
    return () => {
      asksForPlace.value = null;
      marked.value = null;
    };
  }, []);
  const may = me && takesReports(me);
  return html`<header class="panel-head"><h2>${t("intake.title")}</h2></header>
    ${!may ? html`<div class="empty"><p>${t("intake.notYours")}</p></div>`
      : filed ? html`<${Done} filed=${filed} next=${() => setFiled(null)} />`
        : html`<${Form} done=${(/** @type {Filed} */ said) => { clear(); marked.value = null; setFiled(said); }} />`}`;
}

/** @param {{done: (filed: Filed) => void}} props */
function Form({ done }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState(/** @type {Wrong} */ ({}));
  const [refusedAt, setRefusedAt] = useState(draft.peek());
  const [turn, setTurn] = useState(0); // a form that was cleared forgets what was being typed too
  const box = useRef(/** @type {HTMLFormElement | null} */ (null));
  const is = draft.value;
  const category = lists.value?.categories.get(is.category);

  useEffect(() => document.getElementById("intake-category")?.focus(), []);

  const submit = async () => {
    const missing = missingOf();
    setRefusedAt(draft.peek());
    setWrong(missing);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    try {
      const body = bodyOf(/** @type {Category} */ (category));
      done(/** @type {Filed} */ (await send("POST", "/api/v1/reports", body, { key: keyFor(JSON.stringify(body)) })));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setRefusedAt(draft.peek());
      setWrong(wrongBy(refused));
      setBusy(false);
    }
  };
  /**
   * Why a field was refused, until something else stands there.
   * @param {string} name @param {(keyof import("./draft.js").Draft)[]} of
   */
  const still = (name, ...of) => (of.every((each) => refusedAt[each] === is[each]) ? (wrong[name] ?? "") : "");
  // What was refused is where one writes next.
  useEffect(() => /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector("[aria-invalid=true]"))?.focus(), [wrong]);

  return html`<form ref=${box} class="intake" novalidate onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (!busy) void submit(); }}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !busy) { event.preventDefault(); void submit(); } }}>
    <${CategoryField} key=${`category ${turn}`} wrong=${still("category", "category")} />
    ${category && category.conditions.length > 1 && html`<label class="field"><span>${word("field", "condition")} <span class="muted">${t("field.may")}</span></span>
      <select name="condition" value=${is.condition} aria-invalid=${still("condition", "condition") !== ""} onChange=${(/** @type {Event} */ event) => write({ condition: valueOf(event) })}>
        <option value="">${t("field.choose")}</option>
        ${category.conditions.map((each) => html`<option key=${each.code} value=${each.code}>${each.says}</option>`)}
      </select><span class="wrong small">${still("condition", "condition")}</span></label>`}
    <${WhereField} key=${`where ${turn}`} wrong=${still("address", "address", "place")} />
    <${Alike} category=${category} />
    <label class="field"><span>${word("field", "description")}</span>
      <textarea name="description" rows="3" maxlength="4000" value=${is.description} aria-invalid=${still("description", "description") !== ""} onInput=${(/** @type {Event} */ event) => write({ description: valueOf(event) })} />
      <span class="wrong small">${still("description", "description")}</span></label>
    ${category?.attributes.map((each) => html`<${AttributeField} key=${`${is.category} ${each.name}`} attribute=${each} wrong=${still(`attributes.${each.name}`, "attributes")} />`)}
    <fieldset class="field"><legend>${t("intake.reporter")}</legend>
      <p class="small muted">${t("intake.apart")}</p>
      <div class="pair even">
        <label class="field"><span>${t("intake.name")}</span><input name="name" autocomplete="off" maxlength="100" value=${is.name} aria-invalid=${still("reporter.name", "name") !== ""} onInput=${(/** @type {Event} */ event) => write({ name: valueOf(event) })} />
          <span class="wrong small">${still("reporter.name", "name")}</span></label>
        <label class="field"><span>${t("intake.phone")}</span><input name="phone" type="tel" autocomplete="off" maxlength="40" value=${is.phone} aria-invalid=${still("reporter.phone", "phone") !== ""} onInput=${(/** @type {Event} */ event) => write({ phone: valueOf(event) })} />
          <span class="wrong small">${still("reporter.phone", "phone")}</span></label>
      </div></fieldset>
    <p class="wrong" role="alert">${wrong[""] ?? ""}</p>
    <div class="move-buttons"><button class="primary" aria-disabled=${busy} title="Ctrl Enter">${t(busy ? "moves.busy" : "intake.file")}</button>
      <${Sure} label=${t("intake.clear")} go=${t("intake.clearYes")} says=${t("intake.clearSays")} hurts done=${() => { clear(); marked.value = null; setWrong({}); setTurn(turn + 1); document.getElementById("intake-category")?.focus(); }} /></div>
    <p class="small muted">${t("intake.keys")}</p>
  </form>`;
}

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** @returns {Wrong} */
function missingOf() {
  const is = draft.peek();
  /** @type {Wrong} */
  const missing = {};
  if (!lists.peek()?.categories.has(is.category)) missing["category"] = t("intake.wantsCategory");
  if (is.place === null && is.address.trim() === "") missing["address"] = t("intake.wantsPlace");
  return missing;
}

/**
 * What is sent. Values that belong to another category than the one that was chosen in the end stay here.
 * @param {Category} category
 */
function bodyOf(category) {
  const is = draft.peek();
  /** @type {Record<string, string>} */
  const attributes = {};
  for (const { name, kind } of category.attributes) {
    const said = (is.attributes[name] ?? "").trim();
    if (said !== "") attributes[name] = kind === "time" ? new Date(said).toISOString() : said;
  }
  const reporter = { name: is.name.trim(), phone: is.phone.trim() };
  return {
    category: category.ref, description: is.description.trim(), address: is.address.trim(), source: "hotline", attributes,
    ...(is.place === null ? {} : { location: { lon: is.place.lon, lat: is.place.lat, datum: "wgs84" } }),
    ...(reporter.name === "" && reporter.phone === "" ? {} : { reporter }),
    ...(category.conditions.some(({ code }) => code === is.condition) ? { condition: is.condition } : {}),
  };
}

/**
 * A refusal by the field that it is about, as the problem names it.
 * @param {Refused} refused
 * @returns {Wrong}
 */
function wrongBy(refused) {
  if (refused.status === 0) return { "": t("intake.unreachable") };
  const said = sentence(refused);
  const { field, name } = refused.facts;
  const of = { unknown_category: "category", outside_the_grid: "address", bad_location: "address", unknown_condition: "condition" }[refused.code];
  if (refused.code === "bad_attribute" && typeof name === "string") return { [`attributes.${name}`]: said };
  const at = of ?? (typeof field === "string" ? field : "");
  return SHOWN.has(at) ? { [at]: said } : { "": said };
}

const SHOWN = new Set(["category", "condition", "address", "description", "reporter.name", "reporter.phone"]);

// ---- the category -------------------------------------------------------------------------------

/** @param {{wrong: string}} props */
function CategoryField({ wrong }) {
  const all = [...(lists.value?.categories.entries() ?? [])];
  const chosen = lists.value?.categories.get(draft.value.category);
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const words = (text ?? "").toLowerCase().split(/\s+/).filter((each) => each !== "");
  const found = all.filter(([, each]) => {
    const searched = [each.code, each.name, each.name_en, each.major_name, each.major_name_en].join(" ").toLowerCase();
    return words.every((one) => searched.includes(one));
  }).slice(0, MOST);
  return html`<${Combo} id="intake-category" label=${word("field", "category")} required=${true} hint=${t("intake.categoryHint")} wrong=${wrong}
    text=${text ?? (chosen ? nameOf(chosen) : "")}
    options=${found.map(([ref, each]) => ({ id: ref, says: named(each.name, each.name_en), more: `${named(each.major_name, each.major_name_en)} ${each.code}` }))}
    typed=${(/** @type {string} */ said) => { setText(said); write({ category: "" }); }}
    taken=${(/** @type {string} */ ref) => { setText(null); write({ category: ref, condition: "" }); }} />`;
}

/** @param {Category} category */
const nameOf = (category) => named(category.name, category.name_en);

// ---- the place ----------------------------------------------------------------------------------

/** @typedef {{kind: string, name: string, lon: number, lat: number, cell: string | null, divisions: {name: string}[]}} Place */

/** @param {{wrong: string}} props */
function WhereField({ wrong }) {
  const is = draft.value;
  const [found, setFound] = useState(/** @type {Place[]} */ ([]));
  const [words, setWords] = useState("");

  useEffect(() => {
    if (words.trim() === "") {
      setFound([]);
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask(`/api/v1/places?limit=${MOST}&q=${encodeURIComponent(words.trim())}`, stop.signal).then((page) => setFound(page.items), () => {
        if (!stop.signal.aborted) setFound([]); // words alone are a report too
      });
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [words]);

  /** @param {{lon: number, lat: number, name: string} | null} place */
  const put = (place) => {
    write({ place });
    marked.value = place;
  };
  const point = () => {
    if (asksForPlace.peek() !== null) {
      asksForPlace.value = null;
      mapFirst.value = false;
      return;
    }
    mapFirst.value = true;
    asksForPlace.value = (lon, lat) => {
      asksForPlace.value = null;
      mapFirst.value = false;
      put({ lon: Number(lon.toFixed(6)), lat: Number(lat.toFixed(6)), name: "" });
      document.getElementById("intake-place")?.focus();
    };
  };
  return html`<div class="field">
    <${Combo} id="intake-place" label=${t("intake.where")} required=${true} hint=${t("intake.whereHint")} wrong=${wrong} text=${is.address}
      options=${found.map((each, n) => ({ id: String(n), says: each.name, more: each.divisions.slice(1).map(({ name }) => name).join(" ") }))}
      typed=${(/** @type {string} */ said) => { write({ address: said.slice(0, 400) }); setWords(said.slice(0, 120)); }}
      taken=${(/** @type {string} */ n) => {
        const place = /** @type {Place} */ (found[Number(n)]);
        write({ address: place.name });
        put({ lon: place.lon, lat: place.lat, name: place.name });
        goal.value = { lon: place.lon, lat: place.lat, always: true };
        setWords("");
      }} />
    <div class="intake-place">
      ${is.place === null ? html`<span class="small muted">${t("intake.unplaced")}</span>` : html`<${Cell} key=${`${is.place.lon},${is.place.lat}`} place=${is.place} />`}
      <span class="move-buttons">
        <button type="button" aria-pressed=${asksForPlace.value !== null} onClick=${point}>${t("field.onMap")}</button>
        ${is.place !== null && html`<button type="button" class="quiet" onClick=${() => put(null)}>${t("intake.noPlace")}</button>`}
      </span>
    </div>
  </div>`;
}

/** Which cell it will be. @param {{place: {lon: number, lat: number, name: string}}} props */
function Cell({ place }) {
  const [says, setSays] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    ask(`/api/v1/cells?lon=${place.lon}&lat=${place.lat}&datum=wgs84`, stop.signal).then(
      (owner) => setSays([divisionName(owner.division), t("intake.cell", { cell: owner.cell }), owner.border ? t("intake.border") : ""].filter(Boolean).join(" · ")),
      (refused) => {
        if (!stop.signal.aborted) setSays(refused instanceof Refused ? sentence(refused) : String(refused));
      },
    );
    return () => stop.abort();
  }, []);
  return html`<span class="small" role="status"><b>${place.name || `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`}</b> ${says}</span>`;
}

/**
 * Open cases that may be the same thing: the same category, near by, of the last hours; before it is filed.
 * @param {{category: Category | undefined}} props
 */
function Alike({ category }) {
  caseTurn.value;
  const place = draft.value.place;
  if (category === undefined || place === null) return null;
  const since = cityNow() - category.duplicate_window_h * 3_600_000;
  const found = [];
  for (const brief of cases.value.values()) {
    if (`${brief.edition}:${brief.category}` !== draft.value.category || brief.lon === null || brief.lat === null) continue;
    const metres = metresBetween(place.lon, place.lat, brief.lon, brief.lat);
    if (metres <= category.duplicate_radius_m && Date.parse(brief.occurred_at) >= since) found.push({ brief, metres });
  }
  if (found.length === 0) return null;
  found.sort((one, other) => one.metres - other.metres);
  return html`<section class="intake-alike" aria-label=${t("intake.alike")}><h3 role="status">${t("intake.alike")}</h3><ul>
    ${found.slice(0, 5).map(({ brief, metres }) => html`<li key=${brief.id}><span>${brief.number ?? brief.acceptance_number ?? t("case.unnumbered")} · ${categoryName(brief)} · ${word("state", brief.state)} · ${distance(metres)}</span>
      <button type="button" class="quiet" onClick=${() => open(brief.id)}>${t("alarm.open")}</button></li>`)}
  </ul></section>`;
}

// ---- what the category asks for -----------------------------------------------------------------

/** @param {{attribute: Category["attributes"][number], wrong: string}} props */
function AttributeField({ attribute, wrong }) {
  const { name, kind, choices, required } = attribute;
  const value = draft.value.attributes[name] ?? "";
  const change = (/** @type {Event} */ event) => write({ attributes: { ...draft.peek().attributes, [name]: valueOf(event) } });
  const invalid = wrong !== "";
  return html`<label class="field"><span>${name} <span class="muted">${required ? t("intake.asked") : t("field.may")}</span></span>
    ${kind === "choice" ? html`<select value=${value} aria-invalid=${invalid} onChange=${change}><option value="">${t("field.choose")}</option>
        ${choices.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select>`
      : html`<input type=${kind === "number" ? "number" : kind === "time" ? "datetime-local" : "text"} step="any" maxlength="400" value=${value} aria-invalid=${invalid} onInput=${change} />`}
    <span class="wrong small">${wrong}</span></label>`;
}

// ---- what became of it --------------------------------------------------------------------------

/** @param {{filed: Filed, next: () => void}} props */
function Done({ filed, next }) {
  const first = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const { case: of, duplicates } = filed;
  return html`<section class="intake" aria-label=${t("intake.done")}>
    <h3 role="status">${t("intake.done")}</h3>
    <dl class="facts">
      <dt>${t("intake.acceptance")}</dt><dd class="number">${filed.acceptance_number}</dd>
      <dt>${t("drawer.title")}</dt><dd>${of.number ?? t("case.unnumbered")}${of.pool ? ` · ${word("pool", of.pool)}` : ""}</dd>
      <dt>${t("drawer.cell")}</dt><dd>${of.cell ?? t("drawer.noPlace")}</dd>
      ${of.missing_attributes.length > 0 && html`<dt>${t("intake.missing")}</dt><dd>${of.missing_attributes.join(" · ")}</dd>`}
    </dl>
    ${duplicates.length > 0 && html`<div class="intake-alike"><h3>${t("intake.merge")}</h3><ul>
      ${duplicates.map((each) => html`<li key=${each.id}><span>${each.number ?? t("case.unnumbered")} · ${word("state", each.state)} · ${distance(each.distance_m)}</span>
        <button class="quiet" onClick=${() => open(each.id)}>${t("alarm.open")}</button></li>`)}
    </ul></div>`}
    <div class="move-buttons"><button ref=${first} class="primary" onClick=${next}>${t("intake.next")}</button>
      <button onClick=${() => open(of.id)}>${t("alarm.open")}</button></div>
  </section>`;
}
