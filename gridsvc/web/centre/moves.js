// The moves that this person may try on a case, as the service offers them; what each will do, before it is done;
// its form; and, where somebody was faster, the choice.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { moment, t, word } from "../shared/language.js";
import { ANNOUNCED, fieldsOf, sentence } from "../shared/moveform.js";
import { Refused, ask, askAll, newKey, write } from "../shared/service.js";
import { lists } from "./city.js";
import { who } from "./drawer.js";
import { Field, read } from "./fields.js";
import { say } from "./said.js";

export { fieldsOf, sentence } from "../shared/moveform.js";

/** @import { CaseDetail, HistoryRow } from "../shared/types.js" */

/** What one does here most often, in the order of a case's life; the others stand behind "more". */
const FIRST = ["locate", "file", "answer", "respond", "assign", "forward", "accept", "arrive", "start", "hand_in", "close", "rework", "resume", "settle_appeal", "call_back", "reply"];
const HURTS = new Set(["reject", "cancel", "merge"]);

/** @param {{detail: CaseDetail, history: HistoryRow[], again: () => void}} props */
export function Moves({ detail, history, again }) {
  const [chosen, setChosen] = useState("");
  const [more, setMore] = useState(false);
  const offered = detail.moves;
  // What somebody writes stays, also where another has been faster and the move is offered no more.
  if (chosen !== "") {
    return html`<footer class="moves"><${MoveForm} key=${chosen} detail=${detail} history=${history} move=${chosen} again=${again} done=${() => setChosen("")} /></footer>`;
  }
  if (offered.length === 0) return html`<footer class="moves"><p class="muted small">${t("moves.none")}</p></footer>`;
  const first = offered.filter((each) => FIRST.includes(each)).slice(0, 4);
  const rest = offered.filter((each) => !first.includes(each));
  const shown = more || first.length === 0 ? [...first, ...rest] : first;
  return html`<footer class="moves" aria-label=${t("moves.title")}>
    <div class="move-buttons">
      ${shown.map((each, n) => html`<button key=${each} class=${n === 0 && first.length > 0 ? "primary" : HURTS.has(each) ? "hurts" : ""} onClick=${() => setChosen(each)} title=${word("does", each)}>${word("move", each)}</button>`)}
      ${rest.length > 0 && first.length > 0 && html`<button class="quiet" aria-expanded=${more} onClick=${() => setMore(!more)}>${t(more ? "moves.fewer" : "moves.more", { n: rest.length })}</button>`}
    </div>
  </footer>`;
}

/**
 * @typedef {object} Conflict
 * @property {CaseDetail} now
 * @property {HistoryRow[]} rows
 */

/**
 * @param {object} props
 * @param {CaseDetail} props.detail
 * @param {HistoryRow[]} props.history
 * @param {string} props.move
 * @param {() => void} props.again
 * @param {() => void} props.done
 */
function MoveForm({ detail, history, move, again, done }) {
  const rule = lists.value?.moves.get(move);
  const [before] = useState(detail.case);
  const [decidedOn, setDecidedOn] = useState(before.version);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [conflict, setConflict] = useState(/** @type {Conflict | null} */ (null));
  const [attempt, setAttempt] = useState(() => ({ key: newKey(), spelled: "" }));
  const choice = useRef(/** @type {HTMLElement | null} */ (null));
  const overtaken = conflict ?? (busy || detail.moves.includes(move) ? null : { now: detail, rows: history });
  useEffect(() => choice.current?.scrollIntoView({ block: "nearest" }), [overtaken === null]);
  if (rule === undefined) return null;

  /** @param {HTMLFormElement} form @param {number} version */
  const send = async (form, version) => {
    setBusy(true);
    setWrong("");
    try {
      const body = await read(form, rule);
      // The same words sent again, after an answer that was lost, must be the same move.
      const spelled = JSON.stringify([body, version]);
      const key = attempt.spelled === "" || attempt.spelled === spelled ? attempt.key : newKey();
      setAttempt({ key, spelled });
      await write("POST", `/api/v1/cases/${detail.case.id}/${move}`, body, { key, ifMatch: String(version) });
      say(t("moves.done", { move: word("move", move), number: detail.case.number ?? "" }));
      done();
      again();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      if (refused.code === "version_conflict") {
        const [now, rows] = await Promise.all([
          /** @type {Promise<CaseDetail>} */ (ask(`/api/v1/cases/${detail.case.id}`)),
          /** @type {Promise<HistoryRow[]>} */ (askAll(`/api/v1/cases/${detail.case.id}/history?limit=500`)),
        ]);
        if (rows.every((each) => each.version <= version || ANNOUNCED.has(each.move))) return void (await send(form, now.case.version));
        setConflict({ now, rows });
      } else setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };

  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void send(/** @type {HTMLFormElement} */ (event.currentTarget), decidedOn);
  };
  const fields = fieldsOf(rule);
  const possible = overtaken?.now.moves.includes(move) ?? true;
  const meanwhile = overtaken?.rows.filter((each) => each.version > decidedOn && !ANNOUNCED.has(each.move)) ?? [];
  return html`<form class="move-form" onSubmit=${submit}>
    <h3>${word("move", move)}</h3>
    <p class="small muted">${word("does", move)}</p>
    ${fields.map(({ name, needed }) => html`<${Field} key=${name} name=${name} needed=${needed} rule=${rule} detail=${detail} />`)}
    ${overtaken && html`<div class="conflict" role="alert" ref=${choice}>
      <p><b>${t("conflict.title")}</b> ${t("conflict.says", { state: word("state", overtaken.now.case.state), before: word("state", before.state) })}</p>
      <ul class="small">${meanwhile.slice(-3).map((each) => html`<li key=${each.version}>${moment(each.at)} <b>${word("move", each.move)}</b> ${who(each)}</li>`)}</ul>
      ${!possible && html`<p>${t("conflict.impossible")}</p>`}
      <div class="move-buttons">
        ${possible && html`<button type="button" class="primary" onClick=${(/** @type {Event} */ event) => {
          const version = overtaken.now.case.version;
          setDecidedOn(version);
          setConflict(null);
          void send(/** @type {HTMLFormElement} */ (/** @type {HTMLElement} */ (event.currentTarget).closest("form")), version);
        }}>${t("conflict.anyway")}</button>`}
        <button type="button" onClick=${() => { done(); again(); }}>${t("conflict.look")}</button>
      </div>
    </div>`}
    <p class="wrong" role="alert">${wrong}</p>
    ${!overtaken && html`<div class="move-buttons">
      <button class=${HURTS.has(move) ? "primary hurts" : "primary"} disabled=${busy}>${t(busy ? "moves.busy" : "moves.go", { move: word("move", move) })}</button>
      <button type="button" onClick=${done}>${t("moves.cancel")}</button>
    </div>`}
  </form>`;
}
