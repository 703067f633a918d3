// The review bench: one thing that a camera saw, its facts, its picture, its place; one key for each verdict.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { count, lasting, moment, named, t, word } from "../shared/language.js";
import { Refused, ask } from "../shared/service.js";
import { cameras, divisionName, lists } from "./city.js";
import { Picture } from "./picture.js";
import { failed, held, judge, loadReviews, openBench, takeBack, tally, waiting } from "./reviews.js";
import { JUDGES, holds } from "./roles.js";
import { NOTHING, sight } from "./sight.js";
import { goal } from "./view.js";

/** @import { Review } from "../shared/types.js" */
/** @import { Verdict } from "./reviews.js" */

/** @type {Record<string, Verdict>} */
const KEYS = { r: "real", f: "false", d: "duplicate" };

/** What was chosen for a word that stands in no label map: most often the next one is the same. @type {Map<string, string>} */
const chosenFor = new Map();

/** What each camera sees, once asked. @type {Map<string, Promise<any>>} */
const views = new Map();

/** @param {string} camera */
export function viewOf(camera) {
  let found = views.get(camera);
  if (found === undefined) {
    found = ask(`/api/v1/cameras/${encodeURIComponent(camera)}`).then((detail) => detail.field_of_view, (refused) => {
      if (!(refused instanceof Refused)) throw refused;
      views.delete(camera);
      return null;
    });
    views.set(camera, found);
    if (views.size > 500) views.delete(/** @type {string} */ (views.keys().next().value));
  }
  return found;
}

/** The category that a review has or is given, as a reference; "" none yet. @param {Review} review */
const guess = (review) => review.category ?? chosenFor.get(review.kind) ?? "";

/** A category by its reference, or by its code alone: then that of the default edition. @param {string} ref */
export function categoryOf(ref) {
  const all = lists.value?.categories;
  const known = all?.get(ref) ?? [...(all?.values() ?? [])].find((each) => each.code === ref);
  return known ? named(known.name, known.name_en) : ref;
}

export function Bench() {
  useEffect(() => openBench(), []);
  const queue = waiting.value, sums = tally.value, review = queue?.[0];
  return html`
    <header class="panel-head"><h2>${t("panel.review")} <span class="panel-count" aria-live="polite">${sums ? t("review.waiting", { n: count(sums.waiting) }) : ""}</span></h2>
      ${sums && html`<span class="small muted">${t("review.hour", { n: count(sums.judged), mine: count(sums.mine) })}</span>`}</header>
    ${failed.value !== "" && queue === null ? html`<div class="empty" role="alert"><p>${t(failed.value === "not_allowed" ? "review.notAllowed" : "trouble.other")}</p>
        <button onClick=${() => void loadReviews()}>${t("trouble.again")}</button><p class="small">${failed.value}</p></div>`
      : queue === null ? html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /><div class="skeleton-row" /></div>`
        : review === undefined ? html`<div class="empty"><p>${t("review.empty")}</p></div>`
          : html`<${One} key=${review.id} review=${review} next=${queue[1] ?? null} />`}
    <${LastVerdict} />`;
}

/** @param {{review: Review, next: Review | null}} props */
function One({ review, next }) {
  const may = holds(JUDGES);
  const [category, setCategory] = useState(guess(review));
  const [asks, setAsks] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  decade.value;

  /** @param {Verdict} verdict */
  const give = (verdict) => {
    if (verdict === "real" && category === "") {
      setAsks(true);
      /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector("select"))?.focus();
      return;
    }
    if (review.category === null && verdict === "real") chosenFor.set(review.kind, category);
    judge(review, verdict, verdict === "real" && review.category === null ? category : "");
  };

  // Before it is painted: who is quick presses the key for the next as soon as it is seen.
  useLayoutEffect(() => {
    /** @param {KeyboardEvent} event */
    const key = (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || target.matches("input, textarea, select")) return;
      const verdict = KEYS[event.key.toLowerCase()];
      if (verdict === undefined) return;
      event.preventDefault();
      give(verdict);
    };
    if (!may) return undefined;
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [category, may]);

  useEffect(() => {
    let gone = false;
    const spot = { lon: review.lon, lat: review.lat };
    sight.value = { ...NOTHING, spot };
    goal.value = { ...spot, always: true };
    void viewOf(review.camera).then((view) => {
      if (!gone) sight.value = { ...NOTHING, spot, view };
    });
    if (next !== null) {
      void viewOf(next.camera);
      const ahead = next.pictures.find((each) => each.image !== null);
      if (ahead?.image) new Image().src = ahead.image;
    }
    return () => {
      gone = true;
      sight.value = NOTHING;
    };
  }, [review.id]);

  const camera = cameras.value.find((each) => each.code === review.camera);
  const span = Date.parse(review.last_at) - Date.parse(review.first_at);
  return html`<section class="bench" data-review=${review.id} ref=${box} aria-label=${t("review.one")}>
    <${Picture} pictures=${review.pictures} none=${t("picture.none")} />
    <h3>${word("seen", review.kind)}${review.zone && ` · ${review.zone}`}${review.target && ` · ${word("seen", review.target)}`}</h3>
    <dl class="facts">
      <dt>${t("review.camera")}</dt><dd>${camera?.name ?? review.camera}<br /><span class="small muted">${review.camera}</span></dd>
      <dt>${t("review.seen")}</dt><dd>${moment(review.first_at)}${review.events > 1 ? ` – ${moment(review.last_at)}` : ""}
        <span class="muted"> · ${t("review.events", { n: count(review.events) })}${span > 60_000 ? ` · ${lasting(span)}` : ""}</span></dd>
      <dt>${t("review.waits")}</dt><dd>${lasting(cityNow() - Date.parse(review.opened_at))}</dd>
      <dt>${t("drawer.where")}</dt><dd>${divisionName(review.division)} <span class="muted">${review.cell}</span></dd>
      <dt>${t("review.why")}</dt><dd>${word("reviewWhy", review.why)}</dd>
      ${review.category !== null && html`<dt>${t("field.category")}</dt><dd>${categoryOf(review.category)}</dd>`}
    </dl>
    ${review.category === null && may && html`<label class="field"><span>${t("review.isWhat")}</span>
      <select value=${category} aria-invalid=${asks && category === ""} onChange=${(/** @type {Event} */ event) => {
        const select = /** @type {HTMLSelectElement} */ (event.currentTarget);
        setCategory(select.value);
        select.blur(); // the keys of the verdicts are the bench's again
      }}>
        <option value="">${t("field.choose")}</option>
        ${[...(lists.value?.categories.entries() ?? [])].map(([ref, each]) => html`<option key=${ref} value=${ref}>${each.code} ${named(each.name, each.name_en)}</option>`)}
      </select>${asks && category === "" && html`<span class="wrong" role="alert">${t("review.needsCategory")}</span>`}</label>`}
    ${may ? html`<div class="verdicts">
      ${Object.entries(KEYS).map(([key, verdict]) => html`<button key=${key} class=${verdict === "real" ? "primary" : ""} aria-keyshortcuts=${key.toUpperCase()} onClick=${() => give(verdict)}>
        <kbd>${key.toUpperCase()}</kbd> ${word("verdict", verdict)}</button>`)}
    </div>` : html`<p class="muted small">${t("review.looksOnly")}</p>`}
  </section>`;
}

function LastVerdict() {
  const last = held.value;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const key = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /** @type {HTMLElement} */ (event.target).matches("input, textarea, select")) return;
      if (event.key.toLowerCase() === "u") takeBack();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  return html`<p class="last-verdict small" aria-live="polite">${last === null ? html`<span class="muted">${t("review.keys")}</span>`
    : html`<span>${t("review.last", { kind: word("seen", last.review.kind), verdict: word("verdict", last.verdict) })}</span>
      <button class="quiet" aria-keyshortcuts="U" onClick=${takeBack}><kbd>U</kbd> ${t("review.takeBack")}</button>`}</p>`;
}
