// One act on every case that is picked, with an outcome for each.
import { html, useState } from "../shared/screen.js";
import { t, word } from "../shared/language.js";
import { Refused, newKey, person, write } from "../shared/service.js";
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
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      const said = await read(/** @type {HTMLFormElement} */ (event.currentTarget), rule);
      const all = [...picked.peek()];
      const items = all.slice(0, MOST).flatMap((id) => {
        const brief = cases.peek().get(id);
        return brief === undefined ? [] : [{ case: id, version: brief.version }];
      });
      const body = { ...said, items }, spelled = JSON.stringify(body);
      const key = attempt.spelled === "" || attempt.spelled === spelled ? attempt.key : newKey();
      setAttempt({ key, spelled });
      const answer = await write("POST", `/api/v1/bulk/${rule.move}`, body, { key });
      const refused = answer.items.filter((/** @type {{outcome: string}} */ each) => each.outcome !== "moved");
      say(t("bulk.done", { n: answer.items.length - refused.length, refused: refused.length }));
      picked.value = new Set([...refused.map((/** @type {{case: string}} */ each) => each.case), ...all.slice(MOST)]);
      if (refused.length > 0) setWrong(`${word("refused", refused[0].code)}`);
      else done();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="move-form" onSubmit=${submit}>
    <p class="small muted">${word("does", rule.move)}${picked.value.size > MOST ? ` ${t("bulk.most", { n: MOST })}` : ""}</p>
    ${fieldsOf(rule).map(({ name, needed }) => html`<${Field} key=${name} name=${name} needed=${needed} rule=${rule} detail=${null} />`)}
    <p class="wrong" role="alert">${wrong}</p>
    <div class="move-buttons"><button class="primary" disabled=${busy}>${t(busy ? "moves.busy" : "moves.go", { move: word("move", rule.move) })}</button>
      <button type="button" onClick=${done}>${t("moves.cancel")}</button></div>
  </form>`;
}
