// The fields of a move's form on a phone, made from what the table of moves asks for: photographs by the camera, the
// place by the phone, the rest by choice where there is one.
import { html, useEffect, useState } from "../shared/screen.js";
import { distance, named, t, word } from "../shared/language.js";
import { codesOf } from "../shared/moveform.js";
import { metresBetween } from "../shared/ground.js";
import { askAll } from "../shared/service.js";
import { photo as photoOf } from "./keep.js";
import { Unreadable, takePhoto } from "./photos.js";
import { look } from "./positions.js";
import { say } from "./say.js";
import { askOrKept } from "./session.js";

/** @import { Case, CaseDetail, Department, MoveRule } from "../shared/types.js" */
/** @import { Fix } from "./keep.js" */

/** @typedef {{photo: string, into: string}} Taken */
/** What becomes of the photographs that are there by then: two fields may take some at once. @typedef {(does: (taken: Taken[]) => Taken[]) => void} Change */
/** @typedef {{values: Record<string, string>, photos: Taken[], fix: Fix | null}} Draft */

const LONG = new Set(["reason", "note", "wanted", "reply", "description"]);

/**
 * @param {object} props
 * @param {string} props.name
 * @param {boolean} props.needed
 * @param {MoveRule} props.rule
 * @param {CaseDetail} props.detail
 * @param {Draft} props.draft
 * @param {(change: Partial<Draft>) => void} props.write
 * @param {Change} props.photos
 */
export function Field({ name, needed, rule, detail, draft, write, photos }) {
  const label = html`<span>${word("field", name)}${needed ? "" : html` <span class="muted">${t("field.may")}</span>`}</span>`;
  const codes = useCodes(name, rule, detail);
  const value = draft.values[name] ?? "";
  const onInput = (/** @type {Event} */ event) => write({ values: { ...draft.values, [name]: /** @type {HTMLInputElement} */ (event.currentTarget).value } });
  if (name === "location") return html`<${Here} of=${detail.case} fix=${draft.fix} found=${(/** @type {Fix | null} */ fix) => write({ fix })} />`;
  if (name === "evidence" || name === "before") {
    // With both, it must be plain which is which.
    const which = !rule.may_say.includes("before") ? label : say(name === "before" ? "self.before" : "self.after");
    return html`<${Photos} label=${which} into=${name} needed=${needed} taken=${draft.photos} change=${photos} />`;
  }
  if (codes !== null) {
    return html`<label class="field">${label}<select name=${name} value=${value} required=${needed} onChange=${onInput}>
      <option value="">${t("field.choose")}</option>
      ${codes.map(({ code, says }) => html`<option key=${code} value=${code} selected=${code === value}>${says}</option>`)}
    </select></label>`;
  }
  if (LONG.has(name)) return html`<label class="field">${label}<textarea name=${name} rows="3" required=${needed} maxlength="4000" value=${value} onInput=${onInput} /></label>`;
  return html`<label class="field">${label}<input name=${name} required=${needed} maxlength="400" value=${value} onInput=${onInput} /></label>`;
}

/**
 * What a field may say, where that is few; null: it is written.
 * @param {string} name @param {MoveRule} rule @param {CaseDetail} detail
 */
function useCodes(name, rule, detail) {
  const [asked, setAsked] = useState(/** @type {{code: string, says: string}[]} */ ([]));
  useEffect(() => {
    let gone = false;
    const list = name === "officer" ? askOrKept("/api/v1/officers/me/handover").then(({ body }) => body.colleagues.map((/** @type {{id: string, display_name: string}} */ each) => ({ code: each.id, says: each.display_name })))
      : name === "department" ? askOrKept("/api/v1/departments", askAll).then(({ body }) => body.map((/** @type {Department} */ each) => ({ code: each.code, says: named(each.name, each.name_en) })))
        : null;
    list?.then((found) => { if (!gone) setAsked(found); }, () => undefined); // nothing to choose from: the form says so
    return () => { gone = true; };
  }, [name]);
  const known = codesOf(name, rule, detail.case.state);
  if (known !== null) return known;
  if (name === "officer" || name === "department") return asked;
  if (name === "division") return detail.divisions.map((each) => ({ code: each.code, says: each.name }));
  return null;
}

/**
 * Photographs, by the camera or from the album; each is on the phone as soon as it is shown.
 * @param {{label: unknown, into: string, needed: boolean, taken: Taken[], change: Change}} props
 */
export function Photos({ label, into, needed, taken, change }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const mine = taken.filter((each) => each.into === into);
  const add = async (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.currentTarget), files = [...(input.files ?? [])];
    setBusy(true);
    setWrong("");
    try {
      for (const file of files) {
        const { id } = await takePhoto(file);
        change((there) => [...there, { photo: id, into }]);
      }
    } catch (odd) {
      if (!(odd instanceof Unreadable)) throw odd;
      setWrong(say("field.unreadable"));
    } finally {
      input.value = "";
      setBusy(false);
    }
  };
  return html`<fieldset class="field photos-field" data-into=${into}><legend>${label}</legend>
    <div class="taken">${mine.map(({ photo }) => html`<${Small} key=${photo} id=${photo} away=${() => change((there) => there.filter((each) => each.photo !== photo))} />`)}
      <label class="button take">${say(busy ? "field.taking" : "field.take")}
        <input class="unseen" type="file" name=${into} accept="image/*" multiple required=${needed && mine.length === 0} onChange=${add} /></label></div>
    <p class="wrong small" role="alert">${wrong}</p>
  </fieldset>`;
}

/** @param {{id: string, away: () => void}} props */
function Small({ id, away }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    let made = "";
    void photoOf(id).then((found) => {
      if (found === undefined) return;
      made = URL.createObjectURL(found.blob);
      setAddress(made);
    });
    return () => URL.revokeObjectURL(made);
  }, [id]);
  return html`<span class="small-photo">${address !== "" && html`<img src=${address} alt=${say("field.photo")} />`}
    <button type="button" onClick=${away} aria-label=${say("field.takeAway")}>×</button></span>`;
}

/** The service takes an arrival from this far, and as much more as the place is inexact, within bounds. */
const NEAR_M = 200, INEXACT_M = 100;

/**
 * Where the phone is, made out now; how far that is from the case, and how sure.
 * @param {{of: Case, fix: Fix | null, found: (fix: Fix | null) => void}} props
 */
function Here({ of, fix, found }) {
  const [seeking, setSeeking] = useState(false);
  const seek = async () => {
    setSeeking(true);
    found(await look());
    setSeeking(false);
  };
  useEffect(() => void seek(), []);
  const metres = fix !== null && of.lon !== null && of.lat !== null ? metresBetween(fix.lon, fix.lat, of.lon, of.lat) : null;
  const far = metres !== null && metres > NEAR_M + Math.min(INEXACT_M, fix?.accuracy_m ?? 0);
  return html`<div class="field here" role="status">
    <p>${seeking ? say("here.seeking") : fix === null ? say("here.none") : metres === null ? say("here.accuracy", { m: Math.round(fix.accuracy_m) })
      : say("here.says", { far: distance(metres), m: Math.round(fix.accuracy_m) })}</p>
    ${!seeking && far && html`<p class="wrong">${say("here.far")}</p>`}
    ${fix?.mocked && html`<p class="wrong">${say("here.mocked")}</p>`}
    ${!seeking && html`<button type="button" onClick=${seek}>${say("here.again")}</button>`}
  </div>`;
}
