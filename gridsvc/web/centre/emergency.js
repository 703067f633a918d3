// An emergency on the wall: what, where, since when, who is on the way and how far, and what a camera saw of it.
import { computed, html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, second } from "../shared/clock.js";
import { distance, lasting, moment, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { ask } from "../shared/service.js";
import { alarms, caseTurn, categoryName, departmentName, divisionName, officerOf } from "./city.js";
import { inFilter } from "./view.js";

/** @import { Brief, Officer } from "../shared/types.js" */

/** Until somebody is at work there, whoever has acknowledged it. */
const NOBODY_THERE_YET = new Set(["reported", "filed", "assigned", "accepted"]);
const EARTH_M = 6_371_008.8;
const MOVED_M = 10; // less is the receiver's own wandering

/** Emergencies that take the wall, the newest first: nobody has acknowledged them, or nobody is at work there yet. */
export const emergencies = computed(() => {
  caseTurn.value;
  const rings = new Set(alarms.value.filter((each) => each.kind === "emergency").map((each) => each.case));
  return inFilter.value
    .filter((each) => each.severity === "emergency" && (rings.has(each.id) || NOBODY_THERE_YET.has(each.state)))
    .sort((one, other) => Date.parse(other.occurred_at) - Date.parse(one.occurred_at) || (one.id < other.id ? 1 : -1));
});

/**
 * Along the great circle, in metres: as the crow flies.
 * @param {{lon: number, lat: number}} one
 * @param {{lon: number, lat: number}} other
 */
export function metresBetween(one, other) {
  const rad = Math.PI / 180;
  const half = Math.sin(((other.lat - one.lat) * rad) / 2) ** 2
    + Math.cos(one.lat * rad) * Math.cos(other.lat * rad) * Math.sin(((other.lon - one.lon) * rad) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.sqrt(half));
}

/**
 * How far somebody is now, and at the fix before.
 * @typedef {{at: string, now: number, before: number, first: number}} Way
 */

/**
 * A further fix of somebody who is on the way.
 * @param {Way | undefined} way
 * @param {string} at
 * @param {number} metres
 * @returns {Way}
 */
export function further(way, at, metres) {
  if (way === undefined) return { at, now: metres, before: metres, first: metres };
  return at === way.at ? way : { at, now: metres, before: way.now, first: way.first };
}

/** @param {Way} way @returns {"closing" | "leaving" | "standing"} */
export const trend = (way) => (way.before - way.now > MOVED_M ? "closing" : way.now - way.before > MOVED_M ? "leaving" : "standing");

/** @typedef {{address: string, responder: string | null, called: string[]}} Known */

/**
 * @param {object} props
 * @param {Brief} props.brief
 * @param {number} props.nth
 * @param {number} props.of
 */
export function Emergency({ brief, nth, of }) {
  const [known, setKnown] = useState(/** @type {Known | null} */ (null));
  const [pictures, setPictures] = useState(/** @type {{id: string, image: string | null, camera: string, received_at: string}[]} */ ([]));
  const ways = useRef(/** @type {Map<string, Way>} */ (new Map()));
  second.value;
  useEffect(() => {
    const stop = new AbortController();
    // What cannot be had now is asked for again with the next version; the brief says the rest.
    ask(`/api/v1/cases/${brief.id}`, stop.signal).then((detail) => { if (!stop.signal.aborted) setKnown(detail.case); }, () => undefined);
    ask(`/api/v1/cases/${brief.id}/camera-pictures?limit=500`, stop.signal).then((page) => {
      if (!stop.signal.aborted) setPictures(page.items.filter((/** @type {{image: string | null}} */ each) => each.image !== null));
    }, () => undefined);
    return () => stop.abort();
  }, [brief.id, brief.version]);
  const goes = [...new Set([known?.responder, brief.officer?.id].filter((each) => typeof each === "string"))];
  const called = (known?.called ?? []).filter((each) => !goes.includes(each));
  const alarm = alarms.value.find((each) => each.kind === "emergency" && each.case === brief.id);
  const picture = pictures.at(-1);
  return html`<section class="wall-emergency" aria-label=${word("severity", "emergency")}>
    <h2><${Mark} severity="emergency" state=${brief.state} label="" size=${24} />${word("severity", "emergency")}${brief.exercise ? ` · ${t("wall.exercise")}` : ""}
      ${of > 1 && html`<span class="wall-nth">${nth + 1} / ${of}</span>`}</h2>
    <p class="wall-name">${categoryName(brief)}</p>
    <p>${divisionName(brief.division)}${known?.address ? ` · ${known.address}` : ""}${brief.cell ? ` · ${brief.cell}` : ""}</p>
    <p>${word("state", brief.state)} · ${t("wall.since", { at: moment(brief.occurred_at), span: lasting(cityNow() - Date.parse(brief.occurred_at)) })}
      ${alarm === undefined ? "" : ` · ${t("wall.unseen")}`}</p>
    <h3>${t("wall.onTheWay")}</h3>
    ${goes.length === 0 && called.length === 0 && html`<p class="wall-nobody">${brief.department ? departmentName(brief.department) : t("wall.nobody")}</p>`}
    <ul class="wall-rows">${[...goes, ...called].slice(0, 4).map((id) => html`<${OnTheWay} key=${id} id=${id} name=${brief.officer?.id === id ? brief.officer.name : ""} called=${called.includes(id)} to=${brief} ways=${ways.current} />`)}</ul>
    ${called.length > 4 && html`<p class="muted">${t("alarm.more", { n: goes.length + called.length - 4 })}</p>`}
    ${picture && html`<figure class="wall-picture"><img src=${picture.image} alt=${t("wall.picture", { camera: picture.camera })} /><figcaption>${picture.camera} · ${moment(picture.received_at)}</figcaption></figure>`}
  </section>`;
}

/**
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.name
 * @param {boolean} props.called it rings with him, and he has not answered
 * @param {Brief} props.to
 * @param {Map<string, Way>} props.ways
 */
function OnTheWay({ id, name, called, to, ways }) {
  const officer = /** @type {Officer | null} */ (officerOf(id));
  let far = t("wall.noFix");
  /** @type {"closing" | "leaving" | "standing" | ""} */
  let how = "";
  if (officer !== null && officer.lon !== null && officer.lat !== null && officer.at !== null && to.lon !== null && to.lat !== null) {
    const way = further(ways.get(id), officer.at, metresBetween({ lon: officer.lon, lat: officer.lat }, { lon: to.lon, lat: to.lat }));
    ways.set(id, way);
    how = trend(way);
    far = distance(way.now);
  }
  return html`<li><span class="wall-what"><b>${officer?.name ?? name}</b>
    <span class="muted">${called ? t("wall.rings") : word("state", to.state)}${officer?.at ? ` · ${t("officer.seen", { at: moment(officer.at) })}` : ""}</span></span>
    <span class=${`wall-far ${how}`}>${far}${how !== "" && html` <span>${{ closing: "▼", leaving: "▲", standing: "■" }[how]} ${word("way", how)}</span>`}</span></li>`;
}
