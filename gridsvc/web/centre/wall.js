// The wall: three views that take turns, no controls, and an emergency over everything. All that is drawn is bounded,
// so that a night of announcements leaves nothing behind.
import { computed, html, useEffect, useState } from "../shared/screen.js";
import { cityNow, decade, second } from "../shared/clock.js";
import { count, day, named, t, timeOfDay, word } from "../shared/language.js";
import { line } from "../shared/live.js";
import { Mark } from "../shared/marks.js";
import { TimeBar } from "../shared/timebar.js";
import { alarms, arrived, cameras, caseTurn, cases, categoryName, divisionName, lists, officers, ownerName } from "./city.js";
import { Emergency, emergencies } from "./emergency.js";
import { isDown } from "./figures.js";
import { within } from "./filters.js";
import { shown } from "./map.js";
import { MapPane } from "./mappane.js";
import { byNewest } from "./queue.js";
import { standingKnown } from "./standing.js";
import { Age } from "./topbar.js";
import { filters, goal, homeward, inFilter, isLate, leftOf } from "./view.js";

/** @import { Division } from "../shared/types.js" */

const VIEWS = /** @type {const} */ (["city", "newest", "duty"]);
const ROWS = 8; // what fits at a size that is read from five metres

/** The part of the city that this wall shows, and the divisions one step below it. */
const parts = computed(() => {
  const divisions = [...(lists.value?.divisions.values() ?? [])];
  const top = divisions.find((each) => each.code === filters.value.division)
    ?? divisions.find((each) => each.parent === null || !divisions.some((other) => other.code === each.parent));
  return { top, below: divisions.filter((each) => top !== undefined && each.parent === top.code) };
});

const figures = computed(() => {
  decade.value;
  const all = inFilter.value;
  return {
    open: all.length, late: all.filter(isLate).length, emergency: all.filter((each) => each.severity === "emergency").length,
    pool: all.filter((each) => each.pool !== null).length, onDuty: officers.value.filter((each) => each.on_duty).length,
    camerasDown: cameras.value.filter(isDown).length,
  };
});

/** @param {{turnMs: number}} props how long each view stands */
export function Wall({ turnMs }) {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((n) => n + 1), turnMs);
    return () => clearInterval(timer);
  }, [turnMs]);
  useEffect(() => {
    shown.value = { ...shown.peek(), buildings3d: false, cells: true, beats: false, officers: true, cameras: true, figure: "late" };
  }, []);
  caseTurn.value;
  arrived.clear(); // nothing pulses here
  const view = VIEWS[turn % VIEWS.length] ?? "city";
  const urgent = emergencies.value;
  const shownOne = urgent[turn % Math.max(1, urgent.length)];
  const at = shownOne !== undefined && shownOne.lon !== null && shownOne.lat !== null ? `${shownOne.lon},${shownOne.lat}` : "";
  useEffect(() => {
    if (at !== "") goal.value = { lon: Number(at.split(",")[0]), lat: Number(at.split(",")[1]), always: true };
    else if (goal.peek() !== null) homeward.value += 1;
  }, [at]);
  const stale = line.value.state !== "live";
  return html`<main class=${`wall view-${shownOne ? "emergency" : view} ${stale ? "is-stale" : ""}`} data-view=${shownOne ? "emergency" : view} data-turn=${turn}>
    <${Head} />
    <div class="wall-map" inert><${MapPane} /></div>
    ${shownOne ? html`<${Emergency} key=${shownOne.id} brief=${shownOne} nth=${turn % urgent.length} of=${urgent.length} />`
      : view === "city" ? html`<${ByLateness} />` : view === "newest" ? html`<${Newest} />` : html`<${Duty} />`}
    <${Figures} />
  </main>`;
}

function Head() {
  second.value;
  const top = parts.value.top;
  const waiting = alarms.value.length;
  return html`<header class="wall-head">
    <h1>${top ? named(top.name, top.name_en) : t("wall.title")}</h1>
    ${!standingKnown.value ? html`<p class="wall-alarms">${t("alarm.notWhole")}</p>` : waiting > 0 && html`<p class="wall-alarms">${t("alarm.count", { n: waiting })}</p>`}
    <${Age} />
    <p class="wall-clock"><span class="muted">${day(cityNow())}</span> ${timeOfDay(cityNow())}</p>
  </header>`;
}

function Figures() {
  const sums = figures.value;
  return html`<dl class="wall-figures">
    ${/** @type {const} */ (["open", "late", "emergency", "pool", "onDuty", "camerasDown"]).map((key) => html`<div key=${key} class=${`figure ${key} ${sums[key] > 0 ? "some" : ""}`}>
      <dd class="figure-n">${count(sums[key])}</dd><dt class="figure-word">${t(`figure.${key}`)}</dt></div>`)}
  </dl>`;
}

/** Where it is late: the divisions below, the latest first. */
function ByLateness() {
  decade.value;
  const divisions = lists.value?.divisions;
  const rows = parts.value.below.map((/** @type {Division} */ part) => {
    const here = divisions ? inFilter.value.filter((each) => within(each.division, part.code, divisions)) : [];
    const late = here.filter(isLate).length;
    return { part, open: here.length, late, share: here.length === 0 ? 0 : late / here.length };
  }).sort((one, other) => other.late - one.late || other.open - one.open || (one.part.code < other.part.code ? -1 : 1));
  return html`<section class="wall-side" aria-label=${t("wall.city")}>
    <h2>${t("wall.city")}</h2>
    <table class="wall-table">
      <thead><tr><th scope="col">${t("wall.division")}</th><th scope="col">${t("figure.late")}</th><th scope="col">${t("figure.open")}</th></tr></thead>
      <tbody>${rows.slice(0, ROWS).map(({ part, open, late, share }) => html`<tr key=${part.code}>
        <th scope="row">${named(part.name, part.name_en)}<svg class="wall-share" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
          <rect class="timebar-ground" width="100" height="3" /><rect class="wall-late" width=${100 * share} height="3" /></svg></th>
        <td class=${late > 0 ? "some" : ""}>${count(late)}</td><td>${count(open)}</td></tr>`)}</tbody>
    </table>
    ${rows.length > ROWS && html`<p class="muted">${t("alarm.more", { n: rows.length - ROWS })}</p>`}
  </section>`;
}

function Newest() {
  decade.value;
  const rows = [...inFilter.value].sort(byNewest).slice(0, ROWS);
  return html`<section class="wall-side" aria-label=${t("wall.newest")}>
    <h2>${t("wall.newest")}</h2>
    ${rows.length === 0 ? html`<p class="muted">${t("empty.cases")}</p>` : html`<ol class="wall-rows">
      ${rows.map((brief) => html`<li key=${brief.id}><${Mark} severity=${brief.severity} state=${brief.state} label=${word("severity", brief.severity)} size=${24} />
        <span class="wall-what"><b>${categoryName(brief)}</b><span class="muted">${divisionName(brief.division)} · ${word("state", brief.state)}${ownerName(brief) ? ` · ${ownerName(brief)}` : ""}</span></span>
        <${TimeBar} left=${leftOf(brief)} large=${true} /></li>`)}
    </ol>`}
  </section>`;
}

/** Who is there and has how much, and which cameras are not heard. */
function Duty() {
  caseTurn.value;
  const there = officers.value.filter((each) => each.on_duty).sort((one, other) => other.open_cases - one.open_cases || (one.id < other.id ? -1 : 1));
  const down = cameras.value.filter(isDown).sort((one, other) => (one.code < other.code ? -1 : 1));
  const owned = [...cases.value.values()].filter((each) => each.officer !== null).length;
  return html`<section class="wall-side wall-two" aria-label=${t("wall.duty")}>
    <div><h2>${t("wall.onDuty", { n: count(there.length), of: count(officers.value.length) })}</h2>
      <p class="muted">${t("wall.inHand", { n: count(owned) })}</p>
      ${there.length === 0 ? html`<p class="muted">${t("wall.nobodyOnDuty")}</p>` : html`<ul class="wall-rows">${there.slice(0, ROWS - 1).map((each) => html`<li key=${each.id}>
        <span class="wall-what"><b>${each.name}</b><span class="muted">${each.beat ?? ""}</span></span><span>${t("officer.cases", { n: each.open_cases })}</span></li>`)}</ul>`}
    </div>
    <div><h2>${t("wall.cameras", { n: count(cameras.value.length - down.length), of: count(cameras.value.length) })}</h2>
      ${down.length === 0 ? html`<p class="muted">${t("empty.camerasDown")}</p>` : html`<ul class="wall-rows">${down.slice(0, ROWS).map((each) => html`<li key=${each.code}>
        <span class="duty down" aria-hidden="true" /><span class="wall-what"><b>${each.name}</b><span class="muted">${word("camera", each.state)}</span></span></li>`)}</ul>`}
      ${down.length > ROWS && html`<p class="muted">${t("alarm.more", { n: down.length - ROWS })}</p>`}
    </div>
  </section>`;
}
