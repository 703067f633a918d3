// The report: photograph or words first, in any order, and sent with one tap. It says what is missing, never "no".
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { count, lasting, named, t } from "../shared/language.js";
import { categories, favourites, find, loadCategories, recent, star, used } from "./categories.js";
import { NAME, clear, draft, settled, sweepPhotos, takeUp, write } from "./draft.js";
import { photo as photoOf } from "./keep.js";
import { enqueue, outbox } from "./outbox.js";
import { Alike } from "./alike.js";
import { Unreadable, takePhoto } from "./photos.js";
import { POOR_M, seek } from "./place.js";
import { PlaceField } from "./placefield.js";
import { say, told } from "./say.js";
import { register } from "./shell.js";
import { Voice, endVoice } from "./voice.js";

/** @import { Category } from "./categories.js" */
/** @import { Draft } from "./draft.js" */

register({ path: "report", title: "report.title", page: ReportPage, tab: { icon: "M12 5v14M5 12h14", place: 3, main: true } });

const CHIPS = 6, FOUND = 20, MOST_PHOTOS = 8;

function ReportPage() {
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState("");
  const [sent, setSent] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    void takeUp().then(() => setReady(true)).then(sweepPhotos);
    loadCategories().then(() => setFailed(""), (refused) => setFailed(refused.code ?? String(refused)));
  }, [turn]);
  useEffect(() => (sent === "" ? seek() : undefined), [sent]);
  if (!ready) return html`<p role="status">${t("room.loading")}</p>`;
  if (sent !== "") return html`<${Sent} id=${sent} next=${() => setSent("")} />`;
  if (failed !== "" && categories.value === null) {
    return html`<p role="alert">${say("report.noCategories")}</p><button onClick=${() => setTurn(turn + 1)}>${t("trouble.again")}</button>`;
  }
  return html`<${Form} done=${setSent} />`;
}

/** @param {{done: (id: string) => void}} props */
function Form({ done }) {
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(/** @type {string[]} */ ([]));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const is = draft.value;
  const category = categories.value?.get(is.category);
  const still = missing.length > 0 ? missingOf(is, category) : []; // what has come meanwhile is not missing any more

  const send = async () => {
    await endVoice();
    const wanting = missingOf(draft.peek(), category);
    setMissing(wanting);
    if (wanting.length > 0 || category === undefined) {
      setTimeout(() => list.current?.focus());
      return;
    }
    setBusy(true);
    await settled();
    const { photos, voices } = draft.peek();
    const made = await enqueue({
      kind: "report", method: "POST", path: "/api/v1/reports", body: bodyOf(draft.peek(), category),
      photos: [...photos, ...voices].map((photo) => ({ photo, into: "attachments" })),
      about: { case: null, says: category.name, says_en: category.name_en }, draft: NAME,
    });
    await used(category.ref);
    clear();
    done(made.id);
  };

  return html`<form class="report" novalidate onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (!busy) void send(); }}>
    <${Photos} />
    <${CategoryField} chosen=${category} />
    ${category && html`<${Asked} category=${category} />`}
    <${PlaceField} />
    <label class="field"><span>${say("report.words")}</span>
      <textarea name="description" rows="2" maxlength="4000" value=${is.description} placeholder=${say("report.wordsHint")}
        onInput=${(/** @type {Event} */ event) => write({ description: valueOf(event) })}></textarea></label>
    <${Voice} />
    ${category && is.place && html`<${Alike} category=${category} place=${is.place} />`}
    ${still.length > 0 && html`<div class="missing" role="alert" tabindex="-1" ref=${list}><b>${say("report.missing")}</b>
      <ul>${still.map((each) => html`<li key=${each}>${each}</li>`)}</ul></div>`}
    <button class="primary send" disabled=${busy}>${say("report.send")}</button>
  </form>`;
}

/**
 * What is missing, in words.
 * @param {Draft} is @param {Category | undefined} category
 */
export function missingOf(is, category) {
  const wanting = [];
  if (category === undefined) wanting.push(say("missing.category"));
  if (is.place === null) wanting.push(say("missing.place"));
  else if (is.place.by === "before") wanting.push(say("missing.before", { age: lasting(Date.now() - is.place.taken_at) }));
  else if (is.place.by === "gps" && (is.place.accuracy_m ?? 0) > POOR_M) wanting.push(say("missing.pin", { n: count(Math.round(is.place.accuracy_m ?? 0)) }));
  if (is.photos.length === 0 && is.voices.length === 0 && is.description.trim() === "") wanting.push(say("missing.anything"));
  for (const each of category?.attributes ?? []) if (each.required && !is.attributes[each.name]) wanting.push(say("missing.attribute", { name: each.name }));
  return wanting;
}

/** @param {Draft} is @param {Category} category */
export function bodyOf(is, category) {
  const place = /** @type {import("./draft.js").Place} */ (is.place);
  /** @type {Record<string, string | number>} */
  const attributes = {};
  for (const { name, kind } of category.attributes) {
    const value = is.attributes[name] ?? "";
    if (value !== "") attributes[name] = kind === "number" ? Number(value) : kind === "time" ? new Date(value).toISOString() : value;
  }
  return {
    category: category.ref, description: is.description.trim(), attributes, // when it was said: the header Captured-At, which the service corrects
    location: { lon: round(place.lon), lat: round(place.lat), datum: "wgs84", ...(place.accuracy_m === null ? {} : { accuracy_m: Math.round(place.accuracy_m * 10) / 10 }) },
    ...(category.conditions.some(({ code }) => code === is.condition) ? { condition: is.condition } : {}),
  };
}

/** @param {number} degrees */
const round = (degrees) => Number(degrees.toFixed(6));

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

// ---- photographs --------------------------------------------------------------------------------

function Photos() {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(0);
  const { photos } = draft.value;

  /** @param {Event} event */
  const take = async (event) => {
    const input = /** @type {HTMLInputElement} */ (event.currentTarget);
    const files = [...(input.files ?? [])].slice(0, MOST_PHOTOS - photos.length);
    input.value = "";
    setWrong("");
    for (const file of files) {
      setBusy((n) => n + 1);
      try {
        const { id } = await takePhoto(file);
        write({ photos: [...draft.peek().photos, id] });
      } catch (failed) {
        if (!(failed instanceof Unreadable) && !(failed instanceof DOMException)) throw failed;
        setWrong(say(failed instanceof Unreadable ? "photo.unreadable" : "photo.noRoom"));
      } finally {
        setBusy((n) => n - 1);
      }
    }
  };
  return html`<div class="field photos">
    <ul aria-label=${say("photo.all")}>${photos.map((id, n) => html`<li key=${id}><${Thumb} id=${id} n=${n + 1} />
      <button type="button" class="quiet" aria-label=${say("photo.drop", { n: n + 1 })} onClick=${() => write({ photos: photos.filter((each) => each !== id) })}>✕</button></li>`)}</ul>
    ${photos.length < MOST_PHOTOS && html`<label class="button take"><input class="unseen" type="file" accept="image/*" capture="environment" name="photo" onChange=${take} />
      <svg class="icon" viewBox="0 0 24 24" width="28" height="28" aria-hidden="true"><path d="M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7" /></svg>
      <span>${say(busy > 0 ? "photo.busy" : photos.length === 0 ? "photo.take" : "photo.more")}</span></label>`}
    <p class="wrong" role="alert">${wrong}</p>
  </div>`;
}

/** @param {{id: string, n: number}} props */
function Thumb({ id, n }) {
  const [source, setSource] = useState("");
  useEffect(() => {
    let made = "";
    void photoOf(id).then((found) => {
      if (found === undefined) return;
      made = URL.createObjectURL(found.blob);
      setSource(made);
    });
    return () => URL.revokeObjectURL(made);
  }, [id]);
  return source === "" ? null : html`<img src=${source} alt=${say("photo.one", { n })} width="72" height="72" />`;
}

// ---- the category -------------------------------------------------------------------------------

/** @param {{chosen: Category | undefined}} props */
export function CategoryField({ chosen }) {
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const all = categories.value;
  const first = [...new Set([...favourites.value, ...recent.value])].flatMap((ref) => all?.get(ref) ?? []).slice(0, CHIPS);
  const take = (/** @type {string} */ ref) => {
    write({ category: ref, condition: "", attributes: {} });
    setTyped("");
    setOpen(false);
  };
  const found = find(typed, FOUND);
  const majors = open && typed.trim() === "" ? [...(all?.values() ?? [])] : [];
  return html`<fieldset class="field categories"><legend>${say("report.category")}</legend>
    <div class="chips">
      ${first.map((each) => html`<button type="button" key=${each.ref} aria-pressed=${each.ref === chosen?.ref} onClick=${() => take(each.ref)}>${nameOf(each)}</button>`)}
      ${chosen && !first.includes(chosen) && html`<button type="button" aria-pressed="true" onClick=${() => setOpen(true)}>${nameOf(chosen)}</button>`}
    </div>
    <label><span class="unseen">${say("category.search")}</span>
      <input type="search" name="category" autocomplete="off" value=${typed} placeholder=${say("category.search")} onInput=${(/** @type {Event} */ event) => setTyped(valueOf(event))} /></label>
    ${typed.trim() === "" && html`<button type="button" class="quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}>${say("category.all")}</button>`}
    ${typed.trim() !== "" && html`<p class="small muted" role="status">${say("category.found", { n: found.length })}</p>`}
    <ul class="found">${[...found, ...majors].map((each) => html`<li key=${each.ref}>
      <button type="button" class="quiet pick" onClick=${() => take(each.ref)}><b>${nameOf(each)}</b> <span class="small muted">${named(each.major_name, each.major_name_en)}</span></button>
      <button type="button" class="quiet" aria-pressed=${favourites.value.includes(each.ref)} aria-label=${say("category.star", { name: nameOf(each) })} onClick=${() => star(each.ref)}>${favourites.value.includes(each.ref) ? "★" : "☆"}</button>
    </li>`)}</ul>
  </fieldset>`;
}

/** @param {Category} each */
const nameOf = (each) => named(each.name, each.name_en);

/** What the category asks for beside words. @param {{category: Category}} props */
export function Asked({ category }) {
  const { attributes, condition } = draft.value;
  return html`${category.conditions.length > 1 && html`<label class="field"><span>${say("report.condition")}</span>
      <select name="condition" value=${condition} onChange=${(/** @type {Event} */ event) => write({ condition: valueOf(event) })}><option value="">${say("report.unknown")}</option>
        ${category.conditions.map((each) => html`<option key=${each.code} value=${each.code}>${each.says}</option>`)}</select></label>`}
    ${category.attributes.map(({ name, kind, choices, required }) => {
      const change = (/** @type {Event} */ event) => write({ attributes: { ...draft.peek().attributes, [name]: valueOf(event) } });
      return html`<label class="field" key=${name}><span>${name} <span class="muted small">${required ? say("report.wanted") : ""}</span></span>
        ${kind === "choice" ? html`<select value=${attributes[name] ?? ""} onChange=${change}><option value="">${say("report.unknown")}</option>${choices.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select>`
          : html`<input type=${kind === "number" ? "number" : kind === "time" ? "datetime-local" : "text"} step="any" maxlength="400" value=${attributes[name] ?? ""} onInput=${change} />`}</label>`;
    })}`;
}

// ---- afterwards ---------------------------------------------------------------------------------

/** @param {{id: string, next: () => void}} props */
function Sent({ id, next }) {
  const made = outbox.value?.find((each) => each.id === id);
  const first = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const answer = made?.state === "done" ? made.answer : null;
  return html`<section class="sent"><p role="status"><b>${answer ? say("sent.arrived", { number: answer.acceptance_number }) : say("sent.kept")}</b></p>
    ${made && !answer && html`<p class="small">${told("item", made.state)} · ${told("why", made.why.code) || made.why.detail}</p>`}
    ${answer?.case.cell && html`<p class="small">${say("place.cell", { cell: answer.case.cell })}</p>`}
    <button class="primary" ref=${first} onClick=${next}>${say("sent.next")}</button>
    <a class="button" href="#/outbox">${say("outbox.title")}</a></section>`;
}
