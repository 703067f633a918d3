// Calendars: the days of a year, what the sources did not agree on, and a new edition that is looked at before it counts.
import { html, useState } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { count, language, t } from "../shared/language.js";
import { Sure, Table, Waits, faultOf, packed, useAsked, useWrite } from "./adminparts.js";
import { ADMINS, holds } from "./roles.js";
import { say } from "./said.js";

/** @typedef {{code: string, name: string, edition: number, years: number[], missing: number[], categories: number, open_clocks: number, departments: string[], divisions: string[]}} Calendar */

/** A day of the calendar with its weekday, wherever the desk stands. @param {string} of */
const dayOf = (of) => new Intl.DateTimeFormat(language.value, { month: "2-digit", day: "2-digit", weekday: "short", timeZone: "UTC" }).format(new Date(`${of}T00:00:00Z`));

export function Calendars() {
  const [turn, setTurn] = useState(0);
  const [code, setCode] = useState("");
  const [year, setYear] = useState(new Date(cityNow()).getUTCFullYear());
  const asked = useAsked("/api/v1/calendars", turn);
  const calendars = /** @type {Calendar[]} */ (asked.value?.items ?? []);
  const chosen = calendars.find((each) => each.code === code) ?? calendars[0];
  const detail = useAsked(chosen ? `/api/v1/calendars/${encodeURIComponent(chosen.code)}?year=${year}` : "", turn);
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  if (!chosen) return html`<div class="empty"><p>${t("calendars.none")}</p></div>`;
  const years = [...new Set([...chosen.years, ...chosen.missing, year])].sort();
  const seen = detail.value;
  return html`<div class="admin-body">
    <div class="admin-controls flush">
      <label class="field grows"><span class="small muted">${t("calendars.calendar")}</span><select value=${chosen.code} onChange=${(/** @type {Event} */ event) => setCode(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>${calendars.map((each) => html`<option key=${each.code} value=${each.code}>${each.name} (${each.code})</option>`)}</select></label>
      <label class="field"><span class="small muted">${t("calendars.year")}</span><select id="calendar-year" value=${year} onChange=${(/** @type {Event} */ event) => setYear(Number(/** @type {HTMLSelectElement} */ (event.currentTarget).value))}>${years.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select></label>
    </div>
    <p class="small muted">${t("calendars.stands", { n: count(chosen.edition), years: chosen.years.join(", ") || "–", clocks: count(chosen.open_clocks), categories: count(chosen.categories) })}</p>
    ${chosen.missing.length > 0 && html`<p class="wrong small">${t("calendars.missing", { years: chosen.missing.join(", ") })}</p>`}
    ${seen === null ? html`<${Waits} of=${detail} />` : html`
      <${Table} title=${t("calendars.slots")} heads=${[t("calendars.weekday"), t("calendars.hours")]} rows=${Object.entries(seen.slots).map(([weekday, slots]) => [dayName(Number(weekday)), /** @type {[string, string][]} */ (slots).map((each) => each.join("–")).join(", ") || t("calendars.free")])} />
      ${!seen.published ? html`<p class="muted">${t("calendars.unpublished", { year })}</p>` : seen.days.length === 0 ? html`<p class="muted">${t("calendars.noDays", { year })}</p>` : ""}
      <${Table} title=${t("calendars.days", { year })} heads=${[t("calendars.day"), t("calendars.is"), t("rules.name")]} most=${366} rows=${seen.days.map((/** @type {any} */ each) => [dayOf(each.day), html`<span class=${`swatch ${each.works ? "moved" : "added"}`} aria-hidden="true" /> ${t(each.works ? "calendars.works" : "calendars.free")}`, each.name])} />
      <${Table} title=${t("calendars.disputed")} heads=${[t("calendars.day"), t("calendars.said")]} rows=${seen.disputed.map((/** @type {any} */ each) => [each.day, said(each)])} />`}
    ${holds(ADMINS) ? html`<${Next} key=${chosen.code} code=${chosen.code} published=${() => setTurn(turn + 1)} />` : html`<p class="muted small">${t("admin.adminsChange")}</p>`}
  </div>`;
}

/** @param {number} weekday ISO: 1 Monday */
const dayName = (weekday) => new Intl.DateTimeFormat(language.value, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, weekday));

const DAYS = /** @type {const} */ ({ "make-up workday": "dayIs.makeUp", "day off": "dayIs.off", "working day": "dayIs.working", weekend: "dayIs.weekend" });

/** A day as the service says it, with the name that it may have. @param {string} text */
function dayIs(text) {
  for (const [said, key] of Object.entries(DAYS)) if (text.startsWith(said)) return `${t(key)}${text.slice(said.length)}`;
  return text;
}

/** @param {{said: Record<string, string>}} of */
const said = (of) => Object.entries(of.said).map(([source, what]) => html`<div key=${source}><span class="muted">${source}</span> ${dayIs(what)}</div>`);

/** @param {{code: string, published: () => void}} props */
function Next({ code, published }) {
  const [files, setFiles] = useState(/** @type {File[]} */ ([]));
  const [follow, setFollow] = useState("");
  const [seen, setSeen] = useState(/** @type {any} */ (null));
  const sending = useWrite();
  const path = `/api/v1/calendars/${encodeURIComponent(code)}`;
  const body = async () => ({
    sources: await Promise.all(files.map(packed)), ...(follow === "" ? {} : { follow }),
  });
  /** @param {SubmitEvent} event */
  const look = async (event) => {
    event.preventDefault();
    setSeen(await sending.send(`${path}/preview`, await body()));
  };
  const publish = async () => {
    const answer = await sending.send(`${path}/editions`, await body());
    if (answer === null) return;
    say(t("calendars.published", { code, n: answer.edition }));
    setSeen(null);
    published();
  };
  const defects = /** @type {{code: string, message: string}[]} */ (sending.facts["defects"] ?? []);
  return html`<form class="admin-part" onSubmit=${look}><h4>${t("calendars.next")}</h4><p class="small muted">${t("calendars.nextSays")}</p>
    <label class="field"><span>${t("calendars.files")}</span><input id="calendar-files" type="file" multiple accept=".json" onChange=${(/** @type {Event} */ event) => { setFiles([.../** @type {HTMLInputElement} */ (event.currentTarget).files ?? []]); setSeen(null); }} /></label>
    ${files.length > 1 && html`<label class="field"><span>${t("calendars.follow")}</span><select id="calendar-follow" value=${follow} onChange=${(/** @type {Event} */ event) => { setFollow(/** @type {HTMLSelectElement} */ (event.currentTarget).value); setSeen(null); }}><option value="">${t("categories.unsaid")}</option>${files.map((each) => each.name).map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select></label>`}
    <div class="move-buttons"><button disabled=${sending.busy || files.length === 0}>${t("categories.preview")}</button></div>
    <p class="wrong small" role="alert">${sending.wrong}</p>
    <${Table} title=${t("calendars.disputed")} heads=${[t("calendars.said")]} rows=${defects.map((each) => [faultOf(each)])} />
    ${seen !== null && html`<p role="status"><b>${seen.same ? t("calendars.same") : t("calendars.would", { days: count(seen.days.length), years: seen.new_years.join(", ") || "–" })}</b></p>
      ${!seen.same && html`<p>${t("calendars.clocks", { n: count(seen.open_clocks), later: count(seen.later), earlier: count(seen.earlier), certain: count(seen.certain) })}</p>`}
      <${Table} title=${t("calendars.changes")} heads=${[t("calendars.day"), t("grids.before"), t("grids.after")]} most=${100} rows=${seen.days.map((/** @type {any} */ each) => [each.day, dayIs(each.before), dayIs(each.after)])} />
      <${Table} title=${t("calendars.disputed")} heads=${[t("calendars.day"), t("calendars.said")]} rows=${seen.disputed.map((/** @type {any} */ each) => [each.day, said(each)])} />
      ${!seen.same && html`<${Sure} label=${t("grids.publishGo")} go=${t("grids.publishYes")} disabled=${sending.busy} done=${() => void publish()} says=${t("calendars.says", { code, n: count(seen.edition), later: count(seen.later), earlier: count(seen.earlier) })} />`}`}
  </form>`;
}
