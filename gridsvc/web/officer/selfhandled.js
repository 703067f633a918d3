// Put right on the spot (自行处置): both photographs, one form, one act. It shares its draft with the report, so that
// whoever began one and then mended the thing goes on here with what he had.
import { html, useEffect, useState } from "../shared/screen.js";
import { t } from "../shared/language.js";
import { Refused } from "../shared/service.js";
import { categories, loadCategories, used } from "./categories.js";
import { NAME, clear, draft, settled, sweepPhotos, takeUp, write } from "./draft.js";
import { Photos } from "./fields.js";
import { enqueue, outbox } from "./outbox.js";
import { seek } from "./place.js";
import { PlaceField } from "./placefield.js";
import { Asked, CategoryField, bodyOf, missingOf } from "./report.js";
import { say, told } from "./say.js";
import { register } from "./shell.js";

/** @import { Draft } from "./draft.js" */
/** @import { Taken } from "./fields.js" */

register({ path: "self", title: "self.title", page: SelfPage });

function SelfPage() {
  const [ready, setReady] = useState(false);
  const [sent, setSent] = useState("");
  useEffect(() => {
    void takeUp().then(() => setReady(true)).then(sweepPhotos);
    loadCategories().catch((refused) => {
      if (!(refused instanceof Refused)) throw refused; // the form says that there are none
    });
  }, []);
  useEffect(() => (sent === "" ? seek() : undefined), [sent]);
  if (!ready) return html`<p role="status">${t("room.loading")}</p>`;
  if (sent !== "") return html`<${Sent} id=${sent} />`;
  if (categories.value === null) return html`<p role="status">${say("report.noCategories")}</p>`;
  return html`<${Form} done=${setSent} />`;
}

/** @param {Draft} of @returns {Taken[]} */
const takenOf = (of) => [...of.photos.map((photo) => ({ photo, into: "before" })), ...of.after.map((photo) => ({ photo, into: "evidence" }))];

/** @param {{done: (id: string) => void}} props */
function Form({ done }) {
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState(/** @type {string[]} */ ([]));
  const is = draft.value, category = categories.value?.get(is.category);
  const taken = takenOf(is);
  /** @param {(there: Taken[]) => Taken[]} does */
  const change = (does) => {
    const now = does(takenOf(draft.peek()));
    const of = (/** @type {string} */ into) => now.filter((each) => each.into === into).map((each) => each.photo);
    write({ photos: of("before"), after: of("evidence") });
  };
  const send = async () => {
    const wanting = missingOf(draft.peek(), category);
    if (draft.peek().photos.length === 0) wanting.push(say("self.wantsBefore"));
    if (draft.peek().after.length === 0) wanting.push(say("self.wantsAfter"));
    setMissing(wanting);
    if (wanting.length > 0 || category === undefined) return;
    setBusy(true);
    await settled();
    const { condition: _condition, ...body } = bodyOf(draft.peek(), category);
    const made = await enqueue({
      kind: "self_handle", method: "POST", path: "/api/v1/self-handled", body, photos: takenOf(draft.peek()),
      about: { case: null, says: category.name, says_en: category.name_en }, draft: NAME,
    });
    await used(category.ref);
    clear();
    done(made.id);
  };
  return html`<form class="report self" novalidate onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (!busy) void send(); }}>
    <p class="small">${say("self.says")}</p>
    <${Photos} label=${say("self.before")} into="before" needed=${true} taken=${taken} change=${change} />
    <${Photos} label=${say("self.after")} into="evidence" needed=${true} taken=${taken} change=${change} />
    <${CategoryField} chosen=${category} />
    ${category && html`<${Asked} category=${category} />`}
    <${PlaceField} />
    <label class="field"><span>${say("report.words")}</span>
      <textarea name="description" rows="2" maxlength="4000" value=${is.description}
        onInput=${(/** @type {Event} */ event) => write({ description: /** @type {HTMLTextAreaElement} */ (event.currentTarget).value })}></textarea></label>
    ${missing.length > 0 && html`<div class="missing" role="alert"><b>${say("report.missing")}</b><ul>${missing.map((each) => html`<li key=${each}>${each}</li>`)}</ul></div>`}
    <button class="primary send" disabled=${busy}>${say("self.send")}</button>
  </form>`;
}

/** @param {{id: string}} props */
function Sent({ id }) {
  const made = outbox.value?.find((each) => each.id === id), answer = made?.state === "done" ? made.answer : null;
  return html`<section class="sent"><p role="status"><b>${answer ? say("sent.arrived", { number: answer.acceptance_number }) : say("self.kept")}</b></p>
    ${made && !answer && html`<p class="small">${told("item", made.state)} · ${told("why", made.why.code) || made.why.detail}</p>`}
    <a class="button primary" href="#/">${say("self.next")}</a><a class="button" href="#/outbox">${say("outbox.title")}</a></section>`;
}
