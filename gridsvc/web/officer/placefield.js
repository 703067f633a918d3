// The place of a report: what was measured, how good and how old it is, which cell it will be, and the pin in the hand.
import { effect, html, useEffect, useState } from "../shared/screen.js";
import { count, lasting, t } from "../shared/language.js";
import { second } from "../shared/clock.js";
import { Refused, ask, askAll, person } from "../shared/service.js";
import { draft, write } from "./draft.js";
import { answer } from "./keep.js";
import { PlainMap, beats, hasWebGl2 } from "./plainmap.js";
import { POOR_M, isStale, lies, moved, seek, seen } from "./place.js";
import { say } from "./say.js";
import { askOrKept } from "./session.js";
import { is } from "./tasks.js";

/** @import { Place } from "./draft.js" */

const STEP_M = 5;

export function PlaceField() {
  const [map, setMap] = useState(false);
  const { place } = draft.value;
  const { state, best } = seen.value;
  const before = place?.by === "before", poor = place !== null && place.by === "gps" && (place.accuracy_m ?? 0) > POOR_M;

  // What is measured is the place, until somebody has put the pin.
  useEffect(() => effect(() => {
    const { best: fix } = seen.value;
    const now = draft.peek().place;
    if (fix !== null && (now === null || now.by === "before" || (now.by === "gps" && (now.taken_at !== fix.taken_at || now.accuracy_m !== fix.accuracy_m)))) write({ place: { ...fix, by: "gps" } });
  }), []);
  useEffect(() => {
    if ((poor || before) && state !== "seeking") setMap(true);
  }, [poor, before, state]);

  const put = (/** @type {{lon: number, lat: number}} */ at) => write({ place: { ...at, accuracy_m: null, taken_at: Date.now(), by: "hand" } });
  const anew = () => {
    write({ place: null });
    seek();
  };
  return html`<div class="field place">
    <div class="place-says" role="status">
      ${place !== null ? html`<${Says} place=${place} />`
        : html`<span>${say(state === "denied" ? "place.denied" : state === "none" ? "place.none" : "place.seeking")}</span>`}
    </div>
    ${poor && state !== "seeking" && html`<p class="wrong" role="alert">${say("place.poor", { n: count(Math.round(place?.accuracy_m ?? 0)) })}</p>`}
    ${before && state !== "seeking" && html`<p class="wrong" role="alert">${say("place.before", { age: ageOf(place?.taken_at ?? 0) })}</p>`}
    <div class="acts">
      <button type="button" aria-expanded=${map} onClick=${() => setMap(!map)}>${say(map ? "place.hideMap" : "place.map")}</button>
      <button type="button" disabled=${state === "seeking"} onClick=${anew}>${say(state === "seeking" ? "place.measuring" : "place.again")}</button>
    </div>
    ${map && html`<${Map} place=${place} fix=${best} put=${put} />
      ${place !== null && html`<div class="nudge" role="group" aria-label=${say("place.move", { n: STEP_M })}>
        ${/** @type {const} */ ([["west", -1, 0, "←"], ["north", 0, 1, "↑"], ["south", 0, -1, "↓"], ["east", 1, 0, "→"]]).map(([side, east, north, sign]) =>
          html`<button type="button" key=${side} aria-label=${SIDES[side]()} onClick=${() => put(moved(place, east * STEP_M, north * STEP_M))}>${sign}</button>`)}
        ${(poor || before) && html`<button type="button" onClick=${() => put(place)}>${say("place.right")}</button>`}</div>`}`}
  </div>`;
}

const SIDES = { west: () => say("place.west"), north: () => say("place.north"), south: () => say("place.south"), east: () => say("place.east") };

/** @param {{place: Place}} props */
function Says({ place }) {
  const [cell, setCell] = useState("");
  const at = `${place.lon.toFixed(6)},${place.lat.toFixed(6)}`;
  const stale = (second.value, isStale(place.taken_at));
  useEffect(() => {
    const stop = new AbortController();
    void cellOf(place, stop.signal).then((found) => {
      if (!stop.signal.aborted) setCell(found);
    });
    return () => stop.abort();
  }, [at]);
  return html`<b>${place.by === "hand" ? say("place.byHand") : say("place.gps", { n: count(Math.round(place.accuracy_m ?? 0)) })}</b>
    ${place.by !== "hand" && html` <span class=${stale ? "wrong" : "muted"}>${say("place.age", { age: ageOf(place.taken_at) })}</span>`}
    <span class="small cell">${cell}</span>`;
}

/** @param {number} at */
const ageOf = (at) => (Date.now() - at < 60_000 ? say("place.seconds", { n: Math.max(0, Math.round((Date.now() - at) / 1000)) }) : lasting(Date.now() - at));

/**
 * Which cell it will be, in words: by the service, without it by the outlines of the own beat that are kept.
 * @param {Place} place @param {AbortSignal} signal
 */
async function cellOf(place, signal) {
  try {
    const owner = await ask(`/api/v1/cells?lon=${place.lon.toFixed(6)}&lat=${place.lat.toFixed(6)}&datum=wgs84`, signal);
    return [say("place.cell", { cell: owner.cell }), owner.border ? say("place.border") : ""].filter(Boolean).join(" · ");
  } catch (refused) {
    if (signal.aborted) return "";
    if (!(refused instanceof Refused)) throw refused;
    if (refused.status !== 0) return refused.code === "outside_the_grid" ? say("place.outside") : refused.message;
    const kept = await answer("/api/v1/me/beats", person.peek()?.id ?? "");
    const cells = (kept?.body ?? []).flatMap((/** @type {{cells: {code: string, outline: any}[]}} */ beat) => beat.cells);
    const found = cells.find((/** @type {{outline: any}} */ each) => lies(each.outline, place.lon, place.lat));
    return found ? say("place.cell", { cell: found.code }) : say("place.cellLater");
  }
}

/** @param {{place: Place | null, fix: {lon: number, lat: number, accuracy_m: number} | null, put: (at: {lon: number, lat: number}) => void}} props */
function Map({ place, fix, put }) {
  const [Pin, setPin] = useState(/** @type {{of: typeof import("./pinmap.js").PinMap} | null} */ (null));
  const [around, setAround] = useState(/** @type {[number, number, number, number] | null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    // A megabyte that nobody needs while the fix is good: it is loaded when a map is wanted.
    const me = person.peek();
    if (hasWebGl2) import("./pinmap.js").then(({ PinMap }) => setPin({ of: PinMap }), () => setFailed(true));
    else Promise.all([askOrKept("/api/v1/map"), me && is(me, "officer") ? askOrKept("/api/v1/me/beats", askAll) : { body: [] }]).then(([{ body: map }, { body: mine }]) => {
      beats.value = mine;
      setAround(map.bounds);
    }, () => setFailed(true));
  }, []);
  if (failed) return html`<p class="small">${say("place.noMap")}</p>`;
  if (around !== null) return html`<${PlainMap} around=${around} pin=${{ place, fix, put }} /><p class="small muted">${say("place.mapHint")}</p>`;
  return Pin === null ? html`<p role="status">${t("room.loading")}</p>` : html`<${Pin.of} place=${place} fix=${fix} put=${put} />`;
}
