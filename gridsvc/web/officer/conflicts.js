// What the service did not take because the case had moved on: settled alone where nothing was decided meanwhile,
// else explained, with a choice.
import { html, useEffect, useState } from "../shared/screen.js";
import { moment, word } from "../shared/language.js";
import { ANNOUNCED, sentence } from "../shared/moveform.js";
import { Refused, ask, askAll } from "../shared/service.js";
import { again, discard } from "./outbox.js";
import { say, told } from "./say.js";

/** @import { CaseDetail, HistoryRow } from "../shared/types.js" */
/** @import { Item } from "./keep.js" */

/** Being looked at: an item is settled once. @type {Set<string>} */
const busy = new Set();

/** @param {Item} item */
const sinceOf = (item) => (item.why.code === "version_conflict" && /^\d+$/.test(item.if_match ?? "") ? Number(item.if_match) : null);

/** Send it again where only a rung, a reminder or an outage has come between: nobody is asked about that. @param {Item} item */
export async function settleAlone(item) {
  const since = sinceOf(item);
  if (since === null || item.about.case === null || busy.has(item.id)) return;
  busy.add(item.id);
  try {
    const rows = /** @type {HistoryRow[]} */ (await askAll(`/api/v1/cases/${item.about.case}/history?limit=500`));
    const later = rows.filter((each) => each.version > since);
    const last = later.at(-1);
    if (last !== undefined && later.every((each) => ANNOUNCED.has(each.move))) await again(item.id, { if_match: String(last.version) });
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // no network: looked at again when it is back
  } finally {
    busy.delete(item.id);
  }
}

/** How it can be said anew: bound to my assignment where I have one. @param {CaseDetail} now */
export const boundTo = (now) => (now.case.assignment === null ? String(now.case.version) : `a:${now.case.assignment}`);

/**
 * What came between, what is there now, and what can be done.
 * @param {{item: Item}} props
 */
export function Choice({ item }) {
  const [now, setNow] = useState(/** @type {{detail: CaseDetail, last: HistoryRow | undefined} | null} */ (null));
  const id = item.about.case;
  useEffect(() => {
    if (id === null || item.state !== "conflict") return undefined;
    const stop = new AbortController();
    Promise.all([ask(`/api/v1/cases/${id}`, stop.signal), askAll(`/api/v1/cases/${id}/history?limit=500`)]).then(
      ([detail, rows]) => setNow({ detail, last: rows.filter((/** @type {HistoryRow} */ each) => !ANNOUNCED.has(each.move)).at(-1) }),
      (refused) => { if (!(refused instanceof Refused || refused instanceof DOMException)) throw refused; }, // then the bare words stand
    );
    return () => stop.abort();
  }, [item.id, item.state, id]);
  const possible = now !== null && now.detail.moves.includes(item.kind);
  const why = told("why", item.why.code) || sentence({ status: 409, code: item.why.code, message: item.why.detail, facts: item.answer ?? {} });
  return html`<div class="choice" role="alert" data-item=${item.id}>
    <p><b>${say("choice.title", { move: word("move", item.kind) })}</b> ${why}</p>
    ${now?.last && html`<p class="small">${say("choice.last", { who: now.last.actor_name ?? say("choice.service"), move: word("move", now.last.move), at: moment(now.last.at) })}
      ${" "}${say("choice.now", { state: word("state", now.detail.case.state) })}</p>`}
    ${now !== null && !possible && html`<p class="small">${say("choice.impossible")}</p>`}
    <div class="acts">
      ${possible && html`<button class="primary" onClick=${() => again(item.id, { if_match: boundTo(now.detail) })}>${say("choice.anyway")}</button>`}
      ${item.state === "refused" && html`<button onClick=${() => again(item.id, {})}>${say("outbox.again")}</button>`}
      <button class="hurts" onClick=${() => { if (confirm(say("outbox.sure"))) void discard(item); }}>${say("outbox.discard")}</button>
    </div>
  </div>`;
}
