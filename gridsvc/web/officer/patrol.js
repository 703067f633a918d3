// The patrol of this shift (巡查): which cells are walked, which are not, how long there is. Nobody ticks anything.
import { computed, html, useEffect } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { moment, t } from "../shared/language.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { BeatMap } from "./beatmap.js";
import { beats } from "./plainmap.js";
import { say, told } from "./say.js";
import { register } from "./shell.js";
import { SIGNS, WALKED, chosen, loadWalks, patrols, runs, shown, stands } from "./walks.js";

/** @import { Patrol } from "./walks.js" */

register({ path: "patrol", title: "patrol.title", page: PatrolPage });

/** What the city calls the cells of my beats. */
const names = computed(() => new Map((beats.value ?? []).flatMap((each) => each.cells).map(({ code, name }) => [code, name])));

/** @param {Patrol} of */
const leftOf = ({ from_at, until_at }) => timeLeft({ state: "assigned", due_at: until_at, since: from_at, occurred_at: from_at, paused: false, provisional: false }, cityNow());

/** @param {Patrol} of */
const done = ({ counts, cells }) => ({ done: counts.walked, all: cells.length });

function PatrolPage() {
  decade.value;
  useEffect(() => void loadWalks(), []);
  const known = patrols.value, of = shown.value;
  if (known === undefined) return html`<p role="status">${t("room.loading")}</p>`;
  if (known === null) return html`<p class="empty" role="alert">${say("patrol.notKept")} <button onClick=${() => void loadWalks()}>${t("trouble.again")}</button></p>`;
  if (of === undefined) return html`<p class="empty">${say("patrol.none")}</p>`;
  const cells = WALKED.flatMap((state) => of.cells.filter((each) => each.state === state));
  return html`<section class="patrol" data-patrol=${of.id}>
    ${!known.fresh && html`<p class="tag" role="status">${say("task.asOf", { at: moment(known.at) })}</p>`}
    ${known.list.length > 1 && html`<div class="chips" role="group" aria-label=${say("patrol.which")}>${known.list.map((each) => html`<button key=${each.id} aria-pressed=${each.id === of.id} onClick=${() => { chosen.value = each.id; }}>
      ${each.beat} · ${moment(each.from_at)}</button>`)}</div>`}
    <p class="patrol-share"><b>${say("patrol.share", done(of))}</b> <span class="muted small">${say("patrol.span", { beat: of.beat, from: moment(of.from_at), until: moment(of.until_at) })}</span></p>
    <progress max=${of.cells.length} value=${of.counts.walked} aria-label=${say("patrol.share", done(of))}></progress>
    ${runs(of) ? html`<${TimeBar} left=${leftOf(of)} large=${true} />` : html`<p class="tag">${say("patrol.over")}</p>`}
    <p class="small">${WALKED.filter((state) => of.counts[state] > 0).map((state) => `${SIGNS[state]} ${told("walk", state)} ${of.counts[state]}`).join(" · ")}</p>
    <${BeatMap} walked=${stands} />
    <p class="small muted">${say("patrol.how", { n: of.times, min: Math.round(of.stay_s / 6) / 10 })}</p>
    <ul class="cells" aria-label=${say("patrol.cells")}>${cells.map((each) => html`<li key=${each.cell} class=${each.state} data-cell=${each.cell} data-state=${each.state}>
      <span class="sign" aria-hidden="true">${SIGNS[each.state]}</span><b>${names.value.get(each.cell) || each.cell}</b>
      <span>${told("walk", each.state)}${of.times > 1 ? ` ${say("patrol.times", { n: each.times, all: of.times })}` : ""}</span></li>`)}</ul>
  </section>`;
}

/** What home says of the patrols that run. */
export function PatrolCard() {
  decade.value;
  return html`${(patrols.value?.list ?? []).filter(runs).map((each) => html`<a key=${each.id} class="card task-row" href="#/patrol" data-walk=${each.id} onClick=${() => { chosen.value = each.id; }}>
    <span class="task-head"><b>${say("patrol.home", done(each))}</b><${TimeBar} left=${leftOf(each)} /></span></a>`)}`;
}
