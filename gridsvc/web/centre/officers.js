// Officers and duty: who is there, where and since when known, with how much in hand; the way of one today, and who takes
// over from him.
import { html, signal, useEffect, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { count, lasting, moment, t } from "../shared/language.js";
import { Refused, ask, askAll } from "../shared/service.js";
import { officers } from "./city.js";
import { DESK, holds } from "./roles.js";
import { NOTHING, sight } from "./sight.js";
import { goal, narrow, panel } from "./view.js";

/** @import { Officer, OnDuty, TakesOver, Trail } from "../shared/types.js" */

const AGAIN_MS = 20_000;
const STALE_MS = 5 * 60_000;

/** What the feed does not tell: shifts, absences, load. @type {import("../vendor/signals.mjs").Signal<Map<string, OnDuty>>} */
const rosters = signal(new Map());
const chosen = signal("");
const which = signal(/** @type {"all" | "on" | "absent"} */ ("all"));
const failed = signal("");

async function loadRosters() {
  try {
    const found = await askAll("/api/v1/officers?limit=500");
    rosters.value = new Map(found.map((each) => [each.id, each]));
    failed.value = "";
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    failed.value = refused.code;
  }
}

export function Officers() {
  useEffect(() => {
    if (!holds(DESK)) return undefined;
    void loadRosters();
    const again = setInterval(() => void loadRosters(), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  decade.value;
  const all = officers.value;
  const rows = all.filter((each) => which.value === "all" || (which.value === "on" ? each.on_duty : Boolean(rosters.value.get(each.id)?.absent_until)))
    .sort((one, other) => Number(other.on_duty) - Number(one.on_duty) || loadOf(other) - loadOf(one) || (one.id < other.id ? -1 : 1));
  const one = all.find((each) => each.id === chosen.value);
  if (one !== undefined) return html`<${One} key=${one.id} officer=${one} />`;
  return html`
    <header class="panel-head"><h2>${t("panel.officers")} <span class="panel-count">${count(all.filter((each) => each.on_duty).length)} / ${count(all.length)}</span></h2></header>
    <div class="shelves" role="group" aria-label=${t("officers.which")}>
      ${/** @type {const} */ (["all", "on", "absent"]).map((each) => html`<button key=${each} class="quiet" aria-pressed=${which.value === each} onClick=${() => { which.value = each; }}>${t(`officers.${each}`)}</button>`)}
    </div>
    ${failed.value !== "" && html`<p class="wrong small pad" role="alert">${t("trouble.other")} (${failed.value})</p>`}
    ${rows.length === 0 ? html`<div class="empty"><p>${t(all.length === 0 ? "empty.officers" : "empty.officersSo")}</p></div>` : html`<ul class="plain-list">
      ${rows.map((each) => html`<${Row} key=${each.id} officer=${each} />`)}</ul>`}`;
}

/** @param {Officer} officer */
const loadOf = (officer) => rosters.value.get(officer.id)?.load ?? 0;

/** Where he is, how exactly, and how old that is. @param {Officer} officer */
function placeLine(officer) {
  if (officer.lon === null || officer.at === null) return t("officers.noPlace");
  const age = cityNow() - Date.parse(officer.at);
  return t(age > STALE_MS ? "officers.placeOld" : "officers.place", { age: lasting(Math.max(0, age)), accuracy: officer.accuracy_m === null ? "?" : count(Math.round(officer.accuracy_m)) });
}

/** Shift, absence, or that he has neither. @param {Officer} officer */
function dutyLine(officer) {
  const his = rosters.value.get(officer.id);
  if (his?.absent_until) return t("officers.away", { until: moment(his.absent_until) });
  const duty = t(officer.on_duty ? "officer.on" : "officer.off");
  return his?.shift_until ? `${duty} · ${t("officers.shift", { until: moment(his.shift_until) })}` : duty;
}

/** @param {{officer: Officer}} props */
function Load({ officer }) {
  const his = rosters.value.get(officer.id);
  const most = his?.most_open ?? 0, share = Math.min(1, most > 0 ? officer.open_cases / most : 0);
  const words = most > 0 ? t("officers.load", { n: count(officer.open_cases), most: count(most) }) : t("officer.cases", { n: officer.open_cases });
  return html`<span class=${`load ${share >= 1 ? "full" : ""}`}><span class="small">${words}</span>
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="4" class="timebar-ground" /><rect width=${share * 100} height="4" class="load-is" /></svg></span>`;
}

/** @param {{officer: Officer}} props */
function Row({ officer }) {
  const { lon, lat } = officer;
  return html`<li class="plain-row" data-officer=${officer.id}>
    <span class=${`duty ${officer.on_duty ? "on" : "off"}`} aria-hidden="true" />
    <span class="plain-main"><button class="link" onClick=${() => { chosen.value = officer.id; }}>${officer.name}</button>
      <span class="muted">${dutyLine(officer)}${officer.beat ? ` · ${officer.beat}` : ""}</span>
      ${officer.on_duty && html`<span class="muted">${placeLine(officer)}</span>`}</span>
    <${Load} officer=${officer} />
    <button class="quiet" disabled=${lon === null || lat === null} onClick=${() => { if (lon !== null && lat !== null) goal.value = { lon, lat, always: true }; }}>${t("list.toMap")}</button>
  </li>`;
}

/** @param {{officer: Officer}} props */
function One({ officer }) {
  const [trail, setTrail] = useState(/** @type {Trail | null} */ (null));
  const [beside, setBeside] = useState(/** @type {TakesOver[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  // The way grows with each new place.
  useEffect(() => {
    const stop = new AbortController();
    ask(`/api/v1/officers/${officer.id}/trail`, stop.signal).then((/** @type {Trail} */ found) => {
      setTrail(found);
      const way = found.steps.filter((each) => !each.mocked && !each.jump).map((each) => /** @type {[number, number]} */ ([each.lon, each.lat]));
      if (officer.lon !== null && officer.lat !== null) way.push([officer.lon, officer.lat]);
      sight.value = { ...NOTHING, way };
    }, (refused) => { if (refused instanceof Refused) setWrong(refused.code); });
    return () => stop.abort();
  }, [officer.id, officer.at]);
  useEffect(() => {
    ask(`/api/v1/officers/${officer.id}/colleagues`).then((page) => setBeside(page.items), (refused) => { if (refused instanceof Refused) setWrong(refused.code); });
    if (officer.lon !== null && officer.lat !== null) goal.value = { lon: officer.lon, lat: officer.lat, always: true };
    return () => { sight.value = NOTHING; };
  }, [officer.id]);
  const his = rosters.value.get(officer.id);
  return html`
    <header class="panel-head"><button class="quiet icon-button" onClick=${() => { chosen.value = ""; }} aria-label=${t("officers.back")} title=${t("officers.back")}>←</button>
      <h2>${officer.name}</h2></header>
    <div class="panel-body" tabindex="0" role="group" aria-label=${t("officers.one")}>
      ${wrong !== "" && html`<p class="wrong" role="alert">${t("trouble.other")} (${wrong})</p>`}
      <p><span class=${`duty ${officer.on_duty ? "on" : "off"}`} aria-hidden="true" /> ${dutyLine(officer)}</p>
      <${Load} officer=${officer} />
      <dl class="facts">
        <dt>${t("officers.where")}</dt><dd>${officer.on_duty ? placeLine(officer) : "–"}</dd>
        <dt>${t("officers.beats")}</dt><dd>${his?.beats.join(" · ") || officer.beat || "–"}</dd>
        <dt>${t("officers.gets")}</dt><dd>${his ? t(his.there ? "officers.getsWork" : "officers.getsNone") : "–"}</dd>
        <dt>${t("officers.given")}</dt><dd>${his ? count(his.given_today) : "–"}</dd>
        ${his && (his.skills.length > 0 || his.teams.length > 0) && html`<dt>${t("officers.skills")}</dt><dd>${[...his.skills, ...his.teams].join(" · ")}</dd>`}
        <dt>${t("officers.trail")}</dt><dd>${trail === null ? "–" : trail.steps.length === 0 ? t("officers.noTrail") : t("officers.steps", { n: count(trail.steps.length), since: moment(trail.steps[0]?.at ?? trail.since) })}</dd>
      </dl>
      <button disabled=${officer.open_cases === 0} onClick=${() => { narrow({ officer: officer.id }); panel.value = "cases"; }}>${t("officers.hisCases", { n: officer.open_cases })}</button>
      <h3>${t("officers.takesOver")}</h3>
      ${beside === null ? "" : beside.length === 0 ? html`<p class="muted small">${t("officers.nobodyTakesOver")}</p>` : html`<ul class="near">
        ${beside.map((each) => html`<li key=${each.id}><button class="link" onClick=${() => { chosen.value = each.id; }}>${each.display_name}</button>
          <span class="muted">${[t(each.there ? "officers.isThere" : "officers.notThere"), t("officers.load", { n: each.open_cases, most: each.most_open })].join(" · ")}</span></li>`)}</ul>`}
    </div>`;
}
