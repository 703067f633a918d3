// Visits that wait: what is overdue, then what is due first. Who is visited is a key, and what a form says is not here.
import { html, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { count, day, named, t, word } from "../shared/language.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { Waits, useAgain, useAsked } from "./adminparts.js";
import { briefOf } from "./city.js";
import { goal, inDivision, leftOf, open, opened } from "./view.js";

/** @import { Visit } from "../shared/types.js" */

/** As the live feed has its case; one that is not in the feed as it was told. @param {Visit} visit */
function leftFor(visit) {
  const brief = briefOf(visit.case_id);
  return brief ? leftOf(brief) : timeLeft({ ...visit, occurred_at: visit.opened_at, paused: false, provisional: false }, cityNow());
}

export function Visits() {
  const turn = useAgain();
  const [pages, setPages] = useState(1);
  const asked = useAsked(`/api/v1/visits?open=true&order=due&limit=500${inDivision()}`, turn, pages);
  decade.value;
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  const rows = /** @type {Visit[]} */ (asked.value.items)
    .map((visit) => ({ visit, left: leftFor(visit) }))
    .filter(({ left }) => left.standing !== "over"); // it was made since
  const late = rows.filter(({ left }) => left.standing === "late").length;
  if (rows.length === 0) return html`<div class="empty"><p>${t("empty.visits")}</p></div>`;
  return html`<div class="patrols-page">
    <h3 class="pad">${t("visits.sums", { n: count(rows.length), late: count(late) })}</h3>
    <ul class="plain-list">${rows.map(({ visit, left }) => html`<li key=${visit.id} class=${`plain-row wraps ${opened.value === visit.case_id ? "is-open" : ""}`} data-visit=${visit.subject}>
      <span class="plain-main"><button class="link" onClick=${() => { open(visit.case_id); goal.value = { lon: visit.lon, lat: visit.lat, always: false }; }}>${visit.subject}</button>
        <span class="muted">${named(visit.category_name, visit.category_name_en)}</span>
        <span class="muted">${[t("visits.dueOn", { day: day(Date.parse(`${visit.due_on}T12:00:00Z`)) }), visit.officer_name ?? t("visits.nobody"), word("state", visit.state)].join(" · ")}</span></span>
      <span class="patrol-time"><${TimeBar} left=${left} /></span>
    </li>`)}</ul>
    ${asked.value.next != null && html`<p class="pad"><button onClick=${() => setPages(pages + 1)}>${t("visits.more", { n: count(rows.length) })}</button></p>`}
  </div>`;
}
