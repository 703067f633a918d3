// What the service did not take because the case had moved on: settled alone where nothing was decided meanwhile,
// else explained, with a choice.
import { html, useEffect, useState } from "../shared/screen.js";
import { moment, word } from "../shared/language.js";
import { ANNOUNCED, sentence } from "../shared/moveform.js";
import { Refused, ask } from "../shared/service.js";
import { again, discard } from "./outbox.js";
import { say, told } from "./say.js";

/** @import { CaseDetail } from "../shared/types.js" */
/** @import { Item } from "./keep.js" */

/** Being looked at: an item is settled once. @type {Set<string>} */
const busy = new Set();

/** What happened meanwhile, as the refusal tells it. @param {Item} item @returns {{version: number, move: string, actor_name: string | null, at: string}[]} */
const meanwhile = (item) => (Array.isArray(item.answer?.meanwhile) ? item.answer.meanwhile : []);

/** Send it again where only a rung, a reminder or an outage has come between: nobody is asked about that. @param {Item} item */
export async function settleAlone(item) {
  const version = item.answer?.current_version, rows = meanwhile(item);
  if (item.why.code !== "version_conflict" || typeof version !== "number" || rows.length === 0 || busy.has(item.id)) return;
  if (!/^\d+$/.test(item.if_match ?? "") || !rows.every((each) => ANNOUNCED.has(each.move))) return;
  busy.add(item.id);
  await again(item.id, { if_match: String(version) });
}

/** How it can be said anew: bound to my assignment where I have one. @param {CaseDetail} now */
export const boundTo = (now) => (now.case.assignment === null ? String(now.case.version) : `a:${now.case.assignment}`);

/**
 * What came between, what is there now, and what can be done.
 * @param {{item: Item}} props
 */
export function Choice({ item }) {
  const [now, setNow] = useState(/** @type {CaseDetail | null} */ (null));
  const [gone, setGone] = useState(false);
  const id = item.about.case;
  useEffect(() => {
    if (id === null || item.state !== "conflict") return undefined;
    const stop = new AbortController();
    ask(`/api/v1/cases/${id}`, stop.signal).then(setNow, (refused) => {
      if (!(refused instanceof Refused || refused instanceof DOMException)) throw refused; // then the bare words stand
      setGone(refused instanceof Refused && refused.status === 404);
    });
    return () => stop.abort();
  }, [item.id, item.state, id]);
  const possible = now !== null && now.moves.includes(item.kind);
  const rows = meanwhile(item).filter((each) => !ANNOUNCED.has(each.move)).slice(-3);
  const why = told("why", item.why.code) || sentence({ status: 409, code: item.why.code, message: item.why.detail, facts: item.answer ?? {} });
  return html`<div class="choice" role="alert" data-item=${item.id}>
    <p><b>${say("choice.title", { move: word("move", item.kind) })}</b> ${why}</p>
    ${rows.length > 0 && html`<ul class="small">${rows.map((each) => html`<li key=${each.version}>${say("choice.last", { who: each.actor_name ?? say("choice.service"), move: word("move", each.move), at: moment(each.at) })}</li>`)}</ul>`}
    ${now !== null && html`<p class="small">${say("choice.now", { state: word("state", now.case.state) })} ${possible ? "" : say("choice.impossible")}</p>`}
    ${gone && html`<p class="small">${say("task.gone")}</p>`}
    <div class="acts">
      ${possible && html`<button class="primary" onClick=${() => again(item.id, { if_match: boundTo(now) })}>${say("choice.anyway")}</button>`}
      ${item.state === "refused" && html`<button onClick=${() => again(item.id, {})}>${say("outbox.again")}</button>`}
      <button class="hurts" onClick=${() => { if (confirm(say("outbox.sure"))) void discard(item); }}>${say("outbox.discard")}</button>
    </div>
  </div>`;
}
