// The fields of a move's form, built from what the table of moves asks for.
import { html, useState } from "../shared/screen.js";
import { distance, named, t, word } from "../shared/language.js";
import { codesOf } from "../shared/moveform.js";
import { upload } from "../shared/service.js";
import { cases, categoryName, lists, officers } from "./city.js";
import { nearest } from "./drawer.js";
import { asksForPlace } from "./view.js";

/** @import { CaseDetail, MoveRule } from "../shared/types.js" */

const LONG = new Set(["reason", "note", "wanted", "reply", "description"]);

/**
 * @param {object} props
 * @param {string} props.name
 * @param {boolean} props.needed
 * @param {MoveRule} props.rule
 * @param {CaseDetail | null} props.detail null in a form for many cases
 */
export function Field({ name, needed, rule, detail }) {
  const label = html`<span>${word("field", name)}${needed ? "" : html` <span class="muted">${t("field.may")}</span>`}</span>`;
  const choices = choicesOf(name, rule, detail);
  if (name === "location") return html`<${PlaceField} label=${label} needed=${needed} />`;
  if (name === "into" || name === "cause") return html`<${CaseField} name=${name} label=${label} needed=${needed} detail=${detail} />`;
  if (choices !== null) {
    return html`<label class="field">${label}<select name=${name} required=${needed}>
      <option value="">${t("field.choose")}</option>
      ${choices.map(({ code, says }) => html`<option key=${code} value=${code}>${says}</option>`)}
    </select></label>`;
  }
  if (name === "evidence" || name === "before") {
    return html`<label class="field">${label}<input type="file" name=${name} accept="image/*" multiple required=${needed} /></label>`;
  }
  if (name === "until") return html`<label class="field">${label}<input type="datetime-local" name=${name} required=${needed} /></label>`;
  if (name === "satisfaction") return html`<label class="field">${label}<input type="number" name=${name} min="1" max="5" required=${needed} /></label>`;
  if (LONG.has(name)) return html`<label class="field">${label}<textarea name=${name} rows="2" required=${needed} maxlength="4000" /></label>`;
  return html`<label class="field">${label}<input name=${name} required=${needed} maxlength="400" /></label>`;
}

/**
 * The values of a field that has few; null: it is written.
 * @param {string} name
 * @param {MoveRule} rule
 * @param {CaseDetail | null} detail
 * @returns {{code: string, says: string}[] | null}
 */
function choicesOf(name, rule, detail) {
  const of = detail?.case;
  const known = codesOf(name, rule, of?.state);
  if (known !== null) return known;
  switch (name) {
    case "officer": return officerChoices(of ?? null);
    case "department":
      return (lists.value?.departments ?? []).map((each) => ({ code: each.code, says: named(each.name, each.name_en) }));
    case "division": return (detail?.divisions ?? []).map((each) => ({ code: each.code, says: each.name }));
    case "category":
      return [...(lists.value?.categories.entries() ?? [])].map(([ref, each]) => ({ code: ref, says: `${each.code} ${named(each.name, each.name_en)}` }));
    case "condition": {
      const category = of ? lists.value?.categories.get(of.category) : undefined;
      return (category?.conditions ?? []).map((each) => ({ code: each.code, says: each.says }));
    }
    case "call_back":
      return (detail?.call_backs ?? []).filter((each) => each.ended_at === null).map((each) => ({ code: each.id, says: `${word("level", each.level)} · ${reportOf(detail, each.report)}` }));
    default: return null;
  }
}

/** @param {CaseDetail | null} detail @param {string} id */
const reportOf = (detail, id) => detail?.reports.find((each) => each.id === id)?.acceptance_number ?? "";

/** On duty, the nearest first; then those on duty whose place is not known. @param {{lon: number | null, lat: number | null} | null} of */
function officerChoices(of) {
  const near = of ? nearest(of) : [];
  const placed = new Set(near.map(({ officer }) => officer.id));
  const others = officers.value.filter((each) => each.on_duty && !placed.has(each.id)).map((officer) => ({ officer, metres: null }));
  return [...near, ...others].slice(0, 200).map(({ officer, metres }) => ({
    code: officer.id,
    says: [officer.name, metres === null ? null : distance(metres), t("officer.cases", { n: officer.open_cases })].filter(Boolean).join(" · "),
  }));
}

/**
 * A place: two numbers, or a click on the map.
 * @param {{label: unknown, needed: boolean}} props
 */
function PlaceField({ label, needed }) {
  const [place, setPlace] = useState({ lon: "", lat: "" });
  const point = () => {
    asksForPlace.value = (lon, lat) => {
      asksForPlace.value = null;
      setPlace({ lon: lon.toFixed(6), lat: lat.toFixed(6) });
    };
  };
  /** @param {"lon" | "lat"} name */
  const number = (name) => html`<input name=${name} type="number" step="any" required=${needed} aria-label=${t(`field.${name}`)} placeholder=${t(`field.${name}`)}
    value=${place[name]} onInput=${(/** @type {Event} */ event) => setPlace({ ...place, [name]: /** @type {HTMLInputElement} */ (event.currentTarget).value })} />`;
  return html`<fieldset class="field"><legend>${label}</legend><div class="pair">${number("lat")}${number("lon")}
    <button type="button" aria-pressed=${asksForPlace.value !== null} onClick=${point}>${t("field.onMap")}</button></div></fieldset>`;
}

/**
 * Another case, by its number; those that are like this one come first.
 * @param {{name: string, label: unknown, needed: boolean, detail: CaseDetail | null}} props
 */
function CaseField({ name, label, needed, detail }) {
  const alike = (detail?.duplicates ?? []).map((each) => ({ id: each.id, number: each.number, says: distance(each.distance_m) }));
  const same = [...cases.value.values()].filter((each) => each.id !== detail?.case.id && each.number !== null)
    .filter((each) => detail === null || `${each.edition}:${each.category}` === detail.case.category || each.division === detail.case.divisions.at(-1))
    .slice(0, 200).map((each) => ({ id: each.id, number: each.number, says: categoryName(each) }));
  const known = [...alike, ...same.filter((each) => !alike.some((other) => other.id === each.id))];
  return html`<label class="field">${label}<select name=${name} required=${needed}>
    <option value="">${t("field.choose")}</option>
    ${known.map((each) => html`<option key=${each.id} value=${each.id}>${each.number ?? t("case.unnumbered")} · ${each.says}</option>`)}
  </select></label>`;
}

/**
 * What a form says, as the body of its move; photographs are sent first. Raises Refused.
 * @param {HTMLFormElement} form
 * @param {MoveRule} rule
 */
export async function read(form, rule) {
  const given = new FormData(form);
  /** @type {Record<string, unknown>} */
  const body = {};
  for (const name of [...rule.must_say, ...rule.may_say]) {
    if (name === "location") {
      const lon = String(given.get("lon") ?? ""), lat = String(given.get("lat") ?? "");
      if (lon !== "" && lat !== "") body[name] = { lon: Number(lon), lat: Number(lat), datum: "wgs84" };
    } else if (name === "evidence" || name === "before") {
      const files = /** @type {File[]} */ (given.getAll(name)).filter((each) => each.size > 0);
      if (files.length > 0) body[name] = await upload(files);
    } else {
      const text = String(given.get(name) ?? "").trim();
      if (text === "") continue;
      body[name] = name === "until" ? new Date(text).toISOString() : name === "satisfaction" ? Number(text) : text;
    }
  }
  return body;
}

