// My beat where the phone has no WebGL 2: the same cells, tasks and places, drawn so that every browser can. The pin of
// a report is put here too, by a tap.
import { html, signal } from "../shared/screen.js";
import { named, t, word } from "../shared/language.js";
import { OUTLINES } from "../shared/marks.js";
import { METRE } from "./place.js";
import { place } from "./positions.js";
import { say } from "./say.js";
import { go } from "./shell.js";
import { tasks } from "./tasks.js";
import { SIGNS } from "./walks.js";

/** @import { Walked } from "./walks.js" */
/** How cells stand, by code. @typedef {import("../vendor/signals.mjs").ReadonlySignal<Map<string, Walked>>} Stands */

/** @typedef {{code: string, name: string, outline: {type: "Polygon" | "MultiPolygon", coordinates: any}}} Cell */
/** @typedef {{code: string, name: string, cells: Cell[]}} Beat */
/** @typedef {{lon: number, lat: number}} Spot */

export const hasWebGl2 = document.createElement("canvas").getContext("webgl2") !== null;

/** undefined until they are known. */
export const beats = signal(/** @type {Beat[] | undefined} */ (undefined));

/** All corners of an outline. @param {any} coordinates @returns {[number, number][]} */
const corners = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(corners));

/** West, south, east, north of some cells. @param {Cell[]} cells @returns {[number, number, number, number] | null} */
export function boundsOf(cells) {
  const all = cells.flatMap((each) => corners(each.outline.coordinates));
  if (all.length === 0) return null;
  const lons = all.map(([lon]) => lon), lats = all.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Where the sign of a cell stands. @param {Cell} cell @returns {[number, number]} */
export function middleOf(cell) {
  const [west, south, east, north] = boundsOf([cell]) ?? [0, 0, 0, 0];
  return [(west + east) / 2, (south + north) / 2];
}

/** Tasks that have a place. */
export const placed = () => tasks.value.filter(({ of }) => of.lon !== null && of.lat !== null);

const WIDE = 320;

/**
 * @param {object} props
 * @param {[number, number, number, number]} props.around what it shows where no beat is known
 * @param {Spot | undefined} [props.at]
 * @param {Stands | undefined} [props.walked]
 * @param {{place: Spot | null, fix: (Spot & {accuracy_m: number}) | null, put: (at: Spot) => void} | undefined} [props.pin] of a report
 */
export function PlainMap({ around, at, walked, pin }) {
  const cells = (beats.value ?? []).flatMap((each) => each.cells);
  const [west, south, east, north] = boundsOf(cells) ?? around;
  const flat = Math.cos((((south + north) / 2) * Math.PI) / 180), high = Math.max(80, (WIDE * (north - south)) / ((east - west) * flat));
  /** @param {number} lon @param {number} lat */
  const spot = (lon, lat) => ({ x: ((lon - west) / (east - west)) * WIDE, y: ((north - lat) / (north - south)) * high });
  /** @param {any} coordinates @returns {string} */
  const path = (coordinates) => (typeof coordinates[0][0] === "number"
    ? `M${coordinates.map((/** @type {[number, number]} */ [lon, lat]) => { const { x, y } = spot(lon, lat); return `${x.toFixed(1)} ${y.toFixed(1)}`; }).join("L")}Z`
    : coordinates.map(path).join(""));
  const here = place.value;
  /** @param {MouseEvent} event */
  const tapped = ({ currentTarget, clientX, clientY }) => {
    const box = /** @type {SVGElement} */ (currentTarget).getBoundingClientRect();
    pin?.put({ lon: west + ((clientX - box.left) / box.width) * (east - west), lat: north - ((clientY - box.top) / box.height) * (north - south) });
  };
  return html`<p class="small muted" role="note">${t("map.plain")}</p>
  <svg class="beat-map plain" viewBox=${`0 0 ${WIDE} ${high}`} role=${pin ? "application" : "group"} aria-label=${say(pin ? "place.mapHint" : "home.beat")} onClick=${pin ? tapped : undefined}>
    ${cells.map((each) => html`<path key=${each.code} class="plain-cell" d=${path(each.outline.coordinates)} />`)}
    ${walked && cells.map((each) => {
      const state = walked.value.get(each.code), [lon, lat] = middleOf(each), { x, y } = spot(lon, lat);
      return state && html`<text key=${each.code} class=${`plain-walk ${state}`} x=${x} y=${y}>${SIGNS[state]}</text>`;
    })}
    ${(pin ? [] : placed()).map((task) => {
      const { x, y } = spot(task.of.lon ?? 0, task.of.lat ?? 0);
      return html`<g key=${task.id} class=${`mark ${task.severity}`} transform=${`translate(${x - 12} ${y - 12})`} onClick=${() => go(`task/${task.id}`)}>
        <title>${named(task.of.category_name, task.of.category_name_en)} · ${word("state", task.state)}</title>
        <path class="mark-ground" d=${OUTLINES[task.severity]} /><path class="mark-line" d=${OUTLINES[task.severity]} /></g>`;
    })}
    ${at && html`<circle class="plain-at" cx=${spot(at.lon, at.lat).x} cy=${spot(at.lon, at.lat).y} r="12" />`}
    ${pin?.fix && html`<circle class="plain-fix" cx=${spot(pin.fix.lon, pin.fix.lat).x} cy=${spot(pin.fix.lon, pin.fix.lat).y} r=${(pin.fix.accuracy_m * METRE * WIDE) / ((east - west) * flat)} />`}
    ${pin?.place && html`<circle class="plain-pin" cx=${spot(pin.place.lon, pin.place.lat).x} cy=${spot(pin.place.lon, pin.place.lat).y} r="7" />`}
    ${here && !pin && html`<circle class="plain-here" cx=${spot(here.lon, here.lat).x} cy=${spot(here.lon, here.lat).y} r="6" />`}
  </svg>`;
}
