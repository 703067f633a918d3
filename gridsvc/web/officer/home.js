// Home: what rings, what is to be done by urgency, my beat, and whether I am on duty.
import { html, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { distance, moment, named, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { metresBetween } from "../shared/ground.js";
import { person } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { BeatMap } from "./beatmap.js";
import { DutySwitch } from "./duty.js";
import { enqueue } from "./outbox.js";
import { PatrolCard } from "./patrol.js";
import { place } from "./positions.js";
import { say, told } from "./say.js";
import { register } from "./shell.js";
import { is, leftOf, loadWork, tasks, waitingFor, work } from "./tasks.js";
import { VisitsCard } from "./visits.js";

/** @import { Errand, Task } from "./tasks.js" */

register({ path: "", title: "home.title", page: Home, tab: { icon: "M4 11l8-7 8 7v9h-5v-6H9v6H4z", place: 1 } });

function Home() {
  decade.value;
  const me = person.value, all = work.value;
  if (!me) return null;
  const officer = is(me, "officer");
  return html`<section class="home">
    <div class="who"><b>${me.display_name}</b>${officer && html`<${DutySwitch} />`}</div>
    ${all === undefined && html`<p role="status">${t("room.loading")}</p>`}
    ${all === null && html`<p class="empty" role="alert">${say("home.unknown")} <button onClick=${() => void loadWork()}>${t("trouble.again")}</button></p>`}
    ${all && !all.fresh && html`<p class="tag" role="status">${say("task.asOf", { at: moment(all.at) })}</p>`}
    ${all && all.calls.map((call) => html`<${Ringing} key=${call.id} call=${call} />`)}
    ${officer && html`<div class="cards walks"><${PatrolCard} /><${VisitsCard} /></div>`}
    ${all && html`<ul class="cards tasks" aria-label=${say("home.tasks")}>
      ${all.checks.map((each) => html`<${Asked} key=${each.id} errand=${each} says=${told("check", each.kind ?? "")} since=${each.sent_at} />`)}
      ${tasks.value.map((each) => html`<${Row} key=${each.id} task=${each} />`)}
      ${all.parts.map((each) => html`<${Asked} key=${each.id} errand=${each} says=${say("home.part")} since=${each.asked_at} />`)}
    </ul>`}
    ${all && all.calls.length + all.checks.length + tasks.value.length + all.parts.length === 0 && html`<p class="empty">${say("home.nothing")}</p>`}
    ${officer && html`<p class="acts"><a class="button" href="#/self">${say("self.title")}</a></p>
      <h2>${say("home.beat")}</h2><${BeatMap} />`}
  </section>`;
}

/** @param {{lon: number | null, lat: number | null}} to */
function away({ lon, lat }) {
  const here = place.value;
  return here === null || lon === null || lat === null ? "" : distance(metresBetween(here.lon, here.lat, lon, lat));
}

/** @param {{task: Task}} props */
function Row({ task }) {
  const { of } = task, left = leftOf(task);
  return html`<li><a class=${`card task-row ${task.severity}`} href=${`#/task/${task.id}`} data-task=${task.id} data-state=${task.state}>
    <span class="task-head"><${Mark} severity=${task.severity} state=${task.state} standing=${left.standing} size=${24} label=${word("severity", task.severity)} />
      <b>${named(of.category_name, of.category_name_en)}</b><${TimeBar} left=${left} /></span>
    <span class="small muted">${[word("state", task.state), of.address || (of.cell ?? "").slice(-3), away(of), task.waits > 0 ? say("home.waits", { n: task.waits }) : ""].filter(Boolean).join(" · ")}</span></a></li>`;
}

/** A check or a part that was asked of me. @param {{errand: Errand, says: string, since: string | undefined}} props */
function Asked({ errand, says, since }) {
  if (waitingFor(errand.case_id).some((each) => each.kind === "check" || each.kind === "co_hand_in" || each.kind === "co_decline")) return null;
  const left = timeLeft({ state: errand.state === "closed" ? "handled" : errand.state, due_at: errand.due_at ?? null, since: since ?? null, occurred_at: since ?? "", paused: false, provisional: false }, cityNow());
  return html`<li><a class="card task-row" href=${`#/task/${errand.case_id}`} data-errand=${errand.id}>
    <span class="task-head"><b>${says}: ${named(errand.category_name, errand.category_name_en)}</b><${TimeBar} left=${left} /></span>
    <span class="small muted">${[errand.wanted ?? errand.note ?? "", errand.address, away(errand)].filter(Boolean).join(" · ")}</span></a></li>`;
}

/** An emergency that rings: yes, or no with a reason. @param {{call: Errand}} props */
function Ringing({ call }) {
  const [saysNo, setSaysNo] = useState(false);
  const [why, setWhy] = useState("");
  const [words, setWords] = useState("");
  if (waitingFor(call.case_id).length > 0) return null;
  const reason = call.decline?.find((each) => each.code === why);
  /** @param {string} move @param {Record<string, unknown>} body */
  const reply = (move, body) => enqueue({
    kind: move, method: "POST", path: `/api/v1/cases/${call.case_id}/${move}`, body, if_match: `c:${call.id}`,
    about: { case: call.case_id, says: call.category_name, says_en: call.category_name_en },
  });
  return html`<section class="ringing" role="alert" data-call=${call.id}>
    <p><b>${say(call.move === "answer" ? "call.own" : "call.help")}</b><br />${named(call.category_name, call.category_name_en)} · ${call.address || call.description}
      ${typeof call.distance_m === "number" ? ` · ${distance(call.distance_m)}` : ""}</p>
    ${!saysNo && html`<div class="acts"><button class="primary" onClick=${() => reply(call.move ?? "answer", {})}>${say("call.yes")}</button>
      <button onClick=${() => setSaysNo(true)}>${say("call.no")}</button></div>`}
    ${saysNo && html`<form onSubmit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); void reply("decline", { reason_code: why, ...(words.trim() === "" ? {} : { reason: words.trim() }) }); }}>
      <label>${word("field", "reason_code")}<select required value=${why} onChange=${(/** @type {Event} */ event) => setWhy(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
        <option value="">${t("field.choose")}</option>${call.decline?.map((each) => html`<option key=${each.code} value=${each.code}>${named(each.name, each.name_en)}</option>`)}</select></label>
      ${reason?.wants_words && html`<label>${word("field", "reason")}<textarea required rows="2" onInput=${(/** @type {Event} */ event) => setWords(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} /></label>`}
      <div class="acts"><button class="primary">${say("call.no")}</button><button type="button" onClick=${() => setSaysNo(false)}>${t("moves.cancel")}</button></div>
    </form>`}
  </section>`;
}
