// One act on every case that is picked, with an outcome for each.
import { html, signal, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { moment, t, word } from "../shared/language.js";
import { Refused, newKey, person, write } from "../shared/service.js";
import { Sure } from "./adminparts.js";
import { cases, lists } from "./city.js";
import { Field, read } from "./fields.js";
import { fieldsOf, sentence } from "./moves.js";
import { say } from "./said.js";
import { picked } from "./view.js";

/** @import { MoveRule } from "../shared/types.js" */

const MOST = 200;
const DISPATCH = new Set(["dispatcher", "supervisor"]);
const DESK = new Set(["acceptor", "dispatcher", "supervisor"]);
const BY = /** @type {Record<string, Set<string>>} */ ({ assign: DISPATCH, suspend: DISPATCH, extend: DISPATCH, remind: DESK, link: DESK, unlink: DESK, close: DESK });

/** Acts on many that can be taken back (docs/rules/bulk.md); before any other it is asked. */
const TAKEN_BACK = new Set(["assign", "suspend", "extend", "remind"]);

/** What this desk has done to many at last, until it cannot be taken back any more. @type {import("../vendor/signals.mjs").Signal<{id: string, move: string, n: number, until: number} | null>} */
const last = signal(null);

/** The last act on many, and its undoing. */
export function LastBulk() {
  const [busy, setBusy] = useState(false);
  const act = last.value;
  decade.value;
  if (act === null || act.until <= cityNow()) return null;
  const undo = async () => {
    setBusy(true);
    try {
      const answer = await write("POST", `/api/v1/bulk/${act.id}/undo`, {}, { key: `undo-${act.id}` });
      const refused = answer.items.find((/** @type {{refused: object | null}} */ each) => each.refused !== null);
      say(t("bulk.undone", { n: answer.undone, refused: answer.refused }) + (refused ? ` ${sentence({ ...refused.refused, message: refused.refused.detail })}` : ""));
      last.value = null;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      say(sentence(refused));
    }
    setBusy(false);
  };
  return html`<p class="last-bulk small"><span>${t("bulk.last", { move: word("move", act.move), n: act.n, until: moment(act.until) })}</span>
    <button class="quiet" disabled=${busy} onClick=${() => void undo()}>${t("bulk.undo")}</button></p>`;
}

export function BulkBar() {
  const [chosen, setChosen] = useState("");
  const me = person.value;
  const moves = [...(lists.value?.moves.values() ?? [])].filter((each) => each.in_bulk && me?.roles.some(({ role }) => BY[each.move]?.has(role)));
  const rule = moves.find((each) => each.move === chosen);
  return html`<section class="bulk" aria-label=${t("bulk.title")}>
    <p><b>${t("bulk.picked", { n: picked.value.size })}</b> <button class="quiet" onClick=${() => { picked.value = new Set(); }}>${t("bulk.none")}</button></p>
    ${rule ? html`<${BulkForm} key=${rule.move} rule=${rule} done=${() => setChosen("")} />` : html`<div class="move-buttons">
      ${moves.map((each) => html`<button key=${each.move} onClick=${() => setChosen(each.move)} title=${word("does", each.move)}>${word("move", each.move)}</button>`)}
    </div>`}
  </section>`;
}

/** @param {{rule: MoveRule, done: () => void}} props */
function BulkForm({ rule, done }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [attempt, setAttempt] = useState(() => ({ key: newKey(), spelled: "" }));
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const many = Math.min(picked.value.size, MOST);
  const send = async () => {
    const element = form.current;
    if (element === null || !element.reportValidity()) return;
    setBusy(true);
    setWrong("");
    try {
      const said = await read(element, rule);
      const all = [...picked.peek()];
      const items = all.slice(0, MOST).flatMap((id) => {
        const brief = cases.peek().get(id);
        return brief === undefined ? [] : [{ case: id, version: brief.version }];
      });
      const body = { ...said, items }, spelled = JSON.stringify(body);
      const key = attempt.spelled === "" || attempt.spelled === spelled ? attempt.key : newKey();
      setAttempt({ key, spelled });
      const answer = await write("POST", `/api/v1/bulk/${rule.move}`, body, { key });
      const refused = answer.items.filter((/** @type {{refused: object | null}} */ each) => each.refused !== null);
      say(t("bulk.done", { n: answer.moved, refused: answer.refused }));
      if (answer.moved > 0 && TAKEN_BACK.has(rule.move)) last.value = { id: answer.id, move: rule.move, n: answer.moved, until: Date.parse(answer.undo_until) };
      picked.value = new Set([...refused.map((/** @type {{case: string}} */ each) => each.case), ...all.slice(MOST)]);
      if (refused.length > 0) setWrong(sentence({ ...refused[0].refused, message: refused[0].refused.detail }));
      else done();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="move-form" ref=${form} onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (TAKEN_BACK.has(rule.move)) void send(); }}>
    <p class="small muted">${word("does", rule.move)}${picked.value.size > MOST ? ` ${t("bulk.most", { n: MOST })}` : ""}</p>
    ${fieldsOf(rule).map(({ name, needed }) => html`<${Field} key=${name} name=${name} needed=${needed} rule=${rule} detail=${null} />`)}
    <p class="wrong" role="alert">${wrong}</p>
    <div class="move-buttons">${TAKEN_BACK.has(rule.move) ? html`<button class="primary" disabled=${busy}>${t(busy ? "moves.busy" : "moves.go", { move: word("move", rule.move) })}</button>` : html`<${Sure} label=${t(busy ? "moves.busy" : "bulk.go", { move: word("move", rule.move), n: many })} go=${t("bulk.yes", { move: word("move", rule.move), n: many })} disabled=${busy || many === 0}
        says=${t("bulk.says", { n: many, does: word("does", rule.move) })} done=${() => void send()} />`}
      <button type="button" onClick=${done}>${t("moves.cancel")}</button></div>
  </form>`;
}
