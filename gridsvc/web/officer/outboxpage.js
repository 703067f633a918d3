// What waits to be sent, each with its state and why.
import { html, useEffect } from "../shared/screen.js";
import { count, moment, named, t, word } from "../shared/language.js";
import { person } from "../shared/service.js";
import { again, discard, hurry, mayGo, outbox, pending } from "./outbox.js";
import { measure, storage } from "./install.js";
import { say, told } from "./say.js";
import { isOpen } from "./send.js";
import { register } from "./shell.js";

/** @import { Item } from "./keep.js" */

register({ path: "outbox", title: "outbox.title", page: OutboxPage, tab: { icon: "M4 13v6h16v-6M12 4v11M7 9l5-5 5 5", place: 4, badge: () => pending.value } });

const MB = 1_048_576;

function OutboxPage() {
  useEffect(() => void measure(), [outbox.value?.length]);
  const all = outbox.value;
  if (all === undefined) return html`<p role="status">${t("room.loading")}</p>`;
  const { used, quota, persisted } = storage.value;
  const open = all.filter((each) => each.state !== "done"), sent = all.filter((each) => each.state === "done").reverse();
  return html`<section class="outbox">
    ${all.length === 0 && html`<p class="empty">${say("outbox.empty")}</p>`}
    <ul class="cards" aria-label=${say("outbox.title")}>${[...open, ...sent].map((each) => html`<${Row} key=${each.id} item=${each} />`)}</ul>
    ${quota > 0 && html`<p class="small muted">${say("outbox.storage", { used: count(Math.round(used / MB)), free: count(Math.round((quota - used) / MB)) })}
      ${" "}${say(persisted ? "outbox.persisted" : "outbox.notPersisted")}</p>`}
  </section>`;
}

/** @param {{item: Item}} props */
function Row({ item }) {
  const { state, why, about } = item;
  const share = why.of ? Math.round((100 * (why.done ?? 0)) / why.of) : 0;
  const mine = item.by === person.value?.id;
  return html`<li class=${`card item ${state}`} data-item=${item.id} data-state=${state}>
    <div class="item-head"><b>${named(about.says, about.says_en)}</b><span class="tag">${told("kind", item.kind) || word("move", item.kind)}</span></div>
    <p class="item-state"><span aria-hidden="true">${SIGN[state]}</span> ${told("item", state)} ${state === "uploading" && why.of ? say("outbox.share", { n: share }) : ""}
      <span class="muted small">${moment(item.captured_at)}</span></p>
    <p class=${`small ${state === "refused" || state === "conflict" ? "wrong" : "muted"}`}>${whyOf(item)}</p>
    ${state === "uploading" && html`<progress max="100" value=${share} aria-label=${say("outbox.share", { n: share })}></progress>`}
    ${mine && state !== "done" && html`<div class="item-acts">
      ${state === "conflict" && about.case !== null && html`<a class="button primary" href=${`#/task/${about.case}`}>${say("outbox.choose")}</a>`}
      ${isOpen(item) ? html`<button onClick=${() => hurry(item.id)}>${say("outbox.now")}</button>` : html`<button onClick=${() => again(item.id, {})}>${say("outbox.again")}</button>`}
      ${mayGo(item) && html`<button class="quiet hurts" onClick=${() => { if (confirm(say("outbox.sure"))) void discard(item); }}>${say("outbox.discard")}</button>`}
    </div>`}
  </li>`;
}

const SIGN = { waiting: "…", uploading: "↻", sending: "↻", done: "✓", refused: "✕", conflict: "!" };

/** Why it stands where it stands. @param {Item} item */
function whyOf({ state, why, answer, settled_at }) {
  if (state === "done") return [answer?.acceptance_number ?? answer?.case?.number ?? "", settled_at ? say("outbox.arrived", { at: moment(settled_at) }) : ""].filter(Boolean).join(" · ");
  return told("why", why.code) || why.detail || why.code;
}
