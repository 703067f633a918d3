// Visits (走访): what is due and overdue, and the form of each. What the form says is on this phone until it has arrived,
// in a draft of its own and in the outbox, and nowhere else.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { distance, moment, named, t, word } from "../shared/language.js";
import { metresBetween } from "../shared/ground.js";
import { person } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { Choice } from "./conflicts.js";
import { draft as keptDraft, dropDraft, putDraft } from "./keep.js";
import { discard, enqueue } from "./outbox.js";
import { look, place } from "./positions.js";
import { say, told } from "./say.js";
import { go, register } from "./shell.js";
import { draftOf, isLate, loadWalks, pathOf, saidOf, toMake, visits } from "./walks.js";

/** @import { Fix, Item } from "./keep.js" */
/** @import { Visit } from "./walks.js" */

/** @typedef {{result: string, note: string, attributes: Record<string, string>}} Said */

register({ path: "visits", title: "visits.title", page: VisitsPage });

/** @param {Visit} of */
const leftOf = ({ state, due_at, opened_at }) => timeLeft({ state, due_at, since: opened_at, occurred_at: opened_at, paused: false, provisional: false }, cityNow());

/** @param {Visit} of */
const nameOf = (of) => `${named(of.category_name, of.category_name_en)} · ${of.subject}`;

/** @param {{rest: string}} props */
function VisitsPage({ rest: id }) {
  decade.value;
  useEffect(() => void loadWalks(), []);
  const known = visits.value;
  if (known === undefined) return html`<p role="status">${t("room.loading")}</p>`;
  if (known === null) return html`<p class="empty" role="alert">${say("visits.notKept")} <button onClick=${() => void loadWalks()}>${t("trouble.again")}</button></p>`;
  const of = known.list.find((each) => each.id === id);
  if (id !== "" && of === undefined) return html`<p class="empty" role="status">${say("visits.gone")} <a class="button" href="#/visits">${say("visits.title")}</a></p>`;
  if (of !== undefined) return html`<${One} key=${id} of=${of} />`;
  return html`<section class="visits">
    ${!known.fresh && html`<p class="tag" role="status">${say("task.asOf", { at: moment(known.at) })}</p>`}
    ${known.list.length === 0 && html`<p class="empty">${say("visits.none")}</p>`}
    <ul class="cards" aria-label=${say("visits.all")}>${known.list.map((each) => html`<${Row} key=${each.id} of=${each} />`)}</ul>
  </section>`;
}

/** @param {{of: Visit}} props */
function Row({ of }) {
  const said = saidOf(of.id), here = place.value;
  return html`<li><a class="card task-row" href=${`#/visits/${of.id}`} data-visit=${of.id} data-said=${said?.state ?? "no"}>
    <span class="task-head"><b>${nameOf(of)}</b>${said ? html`<span class="tag">${told("item", said.state)}</span>` : html`<${TimeBar} left=${leftOf(of)} />`}</span>
    <span class="small muted">${[say("visits.due", { day: of.due_on }), of.cell.slice(-3), here === null ? "" : distance(metresBetween(here.lon, here.lat, of.lon, of.lat))].filter(Boolean).join(" · ")}</span></a></li>`;
}

/** @param {{of: Visit}} props */
function One({ of }) {
  const said = saidOf(of.id);
  return html`<article class="task visit" data-visit=${of.id}>
    <h2>${named(of.category_name, of.category_name_en)}</h2>
    <p><b>${of.subject}</b> <span class="muted small">${[of.number ?? "", say("visits.due", { day: of.due_on })].filter(Boolean).join(" · ")}</span></p>
    ${said === undefined && html`<${TimeBar} left=${leftOf(of)} large=${true} />`}
    <div class="acts"><a class="button" href=${`geo:${of.lat.toFixed(6)},${of.lon.toFixed(6)}?q=${of.lat.toFixed(6)},${of.lon.toFixed(6)}`}>${say("task.navigate")}</a></div>
    ${said === undefined ? html`<${Form} of=${of} />` : html`<${OnItsWay} of=${of} item=${said} />`}
  </article>`;
}

/** What was said and is not with the service yet, or was not taken. @param {{of: Visit, item: Item}} props */
function OnItsWay({ of, item }) {
  const result = of.results.find((each) => each.code === item.body["result"]);
  const anew = async () => {
    const { result: code, note, attributes } = /** @type {Said} */ (item.body);
    const times = new Set(of.attributes.filter(({ kind }) => kind === "time").map(({ name }) => name));
    const typed = Object.entries(attributes).map(([name, value]) => [name, times.has(name) ? asTyped(value) : String(value)]);
    await putDraft(draftOf(of.id), item.by, { result: code, note, attributes: Object.fromEntries(typed) });
    await discard(item);
  };
  return html`<p class="waits" role="status" data-state=${item.state}><b>${result ? named(result.name, result.name_en) : word("move", "visit")}</b>
      <span class="small">${told("item", item.state)} · ${moment(item.captured_at)}</span></p>
    ${(item.state === "refused" || item.state === "conflict") && html`<${Choice} item=${item} />
      <button onClick=${anew}>${say("visits.anew")}</button>`}`;
}

/** A moment as a field for it has it, by the phone's zone. @param {string} at */
function asTyped(at) {
  const then = new Date(at);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** @param {{of: Visit}} props */
function Form({ of }) {
  const name = draftOf(of.id), by = person.value?.id ?? "";
  const [said, setSaid] = useState(/** @type {Said | null} */ (null));
  const [fix, setFix] = useState(/** @type {Fix | null} */ (null));
  const [missing, setMissing] = useState(/** @type {string[]} */ ([]));
  const [busy, setBusy] = useState(false);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    let gone = false;
    void keptDraft(name, by).then((kept) => { if (!gone) setSaid({ result: "", note: "", attributes: {}, ...kept }); });
    void look().then((found) => { if (!gone) setFix(found); });
    return () => { gone = true; };
  }, [name]);
  if (said === null) return null;
  /** @param {Partial<Said>} change */
  const write = (change) => {
    const next = { ...said, ...change };
    setSaid(next);
    void putDraft(name, by, next);
  };
  const whole = of.results.find((each) => each.code === said.result)?.wants_form === true;
  const send = async () => {
    const wanting = said.result === "" ? [word("field", "result")] : [];
    for (const each of whole ? of.attributes : []) if (each.required && (said.attributes[each.name] ?? "").trim() === "") wanting.push(each.name);
    setMissing(wanting);
    if (wanting.length > 0) {
      setTimeout(() => list.current?.focus());
      return;
    }
    setBusy(true);
    await enqueue({
      kind: "visit", method: "POST", path: pathOf(of.id), body: bodyOf(of, said, fix), draft: name,
      about: { case: of.case_id, says: `${of.category_name} ${of.subject}`, says_en: `${of.category_name_en} ${of.subject}` },
    });
    go("visits");
  };
  const away = async () => {
    await dropDraft(name);
    go("visits");
  };
  return html`<form class="move-form" novalidate autocomplete="off" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (!busy) void send(); }}>
    <label class="field"><span>${word("field", "result")}</span><select name="result" value=${said.result} onChange=${(/** @type {Event} */ event) => write({ result: valueOf(event) })}>
      <option value="">${t("field.choose")}</option>${of.results.map((each) => html`<option key=${each.code} value=${each.code} selected=${each.code === said.result}>${named(each.name, each.name_en)}</option>`)}</select></label>
    ${of.attributes.map((each) => {
      const value = said.attributes[each.name] ?? "";
      const change = (/** @type {Event} */ event) => write({ attributes: { ...said.attributes, [each.name]: valueOf(event) } });
      return html`<label class="field" key=${each.name}><span>${each.name}${whole && each.required ? "" : html` <span class="muted">${t("field.may")}</span>`}</span>
        ${each.kind === "choice" ? html`<select name=${each.name} value=${value} onChange=${change}><option value="">${t("field.choose")}</option>${each.choices.map((choice) => html`<option key=${choice} value=${choice} selected=${choice === value}>${choice}</option>`)}</select>`
          : html`<input name=${each.name} type=${each.kind === "number" ? "number" : each.kind === "time" ? "datetime-local" : "text"} step="any" maxlength="400" value=${value} onInput=${change} />`}</label>`;
    })}
    <label class="field"><span>${word("field", "note")} <span class="muted">${t("field.may")}</span></span><textarea name="note" rows="3" maxlength="4000" value=${said.note} onInput=${(/** @type {Event} */ event) => write({ note: valueOf(event) })} /></label>
    <p class="small muted">${say("visits.sealed")}</p>
    <p class="small" role="status">${fix === null ? say("visits.noFix") : say("visits.fix", { far: distance(metresBetween(fix.lon, fix.lat, of.lon, of.lat)), m: Math.round(fix.accuracy_m) })}</p>
    ${missing.length > 0 && html`<div class="missing" role="alert" tabindex="-1" ref=${list}><b>${say("report.missing")}</b><ul>${missing.map((each) => html`<li key=${each}>${each}</li>`)}</ul></div>`}
    <div class="acts"><button class="primary" disabled=${busy}>${say("visits.send")}</button><button type="button" onClick=${away}>${t("moves.cancel")}</button></div>
  </form>`;
}

/** @param {Visit} of @param {Said} said @param {Fix | null} fix */
function bodyOf(of, said, fix) {
  /** @type {Record<string, string | number>} */
  const attributes = {};
  for (const { name, kind } of of.attributes) {
    const value = (said.attributes[name] ?? "").trim();
    if (value !== "") attributes[name] = kind === "number" ? Number(value) : kind === "time" ? new Date(value).toISOString() : value;
  }
  return {
    result: said.result, attributes, note: said.note.trim(), // when it was made: the header Captured-At
    ...(fix === null ? {} : { location: { lon: fix.lon, lat: fix.lat, datum: "wgs84", accuracy_m: fix.accuracy_m } }),
  };
}

/** What home says of the visits that I have still to make. */
export function VisitsCard() {
  decade.value;
  const open = toMake.value, late = open.filter(isLate).length;
  if (open.length === 0) return null;
  return html`<a class="card task-row" href="#/visits" data-walk="visits"><span class="task-head"><b>${say("visits.home", { n: open.length })}</b>
    ${late > 0 && html`<span class="late-words">${say("visits.late", { n: late })}</span>`}</span></a>`;
}
