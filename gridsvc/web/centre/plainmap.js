// Where the device has no WebGL 2: the same cases and officers on a plain map that every browser can draw.
import { html, useState } from "../shared/screen.js";
import { decade } from "../shared/clock.js";
import { t, word } from "../shared/language.js";
import { OUTLINES } from "../shared/marks.js";
import { categoryName, officers } from "./city.js";
import { ComponentCard, chosenComponent, componentSpot } from "./component.js";
import { plan } from "./plan.js";
import { sight } from "./sight.js";
import { Tools, outlines, put, tool } from "./tools.js";
import { asksForPlace, inFilter, leftOf, open, opened } from "./view.js";

/** @import { MapLayers } from "../shared/types.js" */

const WIDTH = 1000;

/** @param {{city: MapLayers}} props */
export function PlainMap({ city }) {
  const [west, south, east, north] = city.bounds;
  const [zoom, setZoom] = useState({ x: 0, y: 0, times: 1 });
  decade.value;
  const flat = Math.cos((((south + north) / 2) * Math.PI) / 180); // a degree of longitude is shorter by this
  const height = (WIDTH * (north - south)) / ((east - west) * flat);
  /** @param {number} lon @param {number} lat */
  const at = (lon, lat) => ({ x: ((lon - west) / (east - west)) * WIDTH, y: ((north - lat) / (north - south)) * height });
  const view = { w: WIDTH / zoom.times, h: height / zoom.times };
  /** @param {number} times */
  const zoomTo = (times) => {
    const next = Math.min(32, Math.max(1, zoom.times * times));
    const middle = { x: zoom.x + view.w / 2, y: zoom.y + view.h / 2 };
    setZoom({ times: next, x: clamp(middle.x - WIDTH / next / 2, WIDTH - WIDTH / next), y: clamp(middle.y - height / next / 2, height - height / next) });
  };
  /** @param {number} dx @param {number} dy */
  const move = (dx, dy) => setZoom({ ...zoom, x: clamp(zoom.x + dx * view.w, WIDTH - view.w), y: clamp(zoom.y + dy * view.h, height - view.h) });
  const size = 22 / zoom.times;
  /** @param {PointerEvent} event */
  const place = (event) => {
    const asked = asksForPlace.peek();
    if (asked === null && tool.peek() === "") return;
    const box = /** @type {SVGSVGElement} */ (event.currentTarget);
    const inverse = box.getScreenCTM()?.inverse();
    if (!inverse) return;
    const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
    const [lon, lat] = backFrom(spot);
    if (asked !== null) asked(lon, lat);
    else put([lon, lat]);
  };
  /** @param {{x: number, y: number}} spot @returns {[number, number]} */
  const backFrom = (spot) => [west + (spot.x / WIDTH) * (east - west), north - (spot.y / height) * (north - south)];
  /** @param {[number, number][]} line */
  const path = (line) => line.map(([lon, lat], n) => { const { x, y } = at(lon, lat); return `${n === 0 ? "M" : "L"}${x} ${y}`; }).join("");
  return html`<div class="map plain-map">
    <p class="map-note" role="note">${t("map.plain")}</p>
    <svg viewBox=${`${zoom.x} ${zoom.y} ${view.w} ${view.h}`} role="group" aria-label=${t("map.title")} onClick=${place}>
      <rect width=${WIDTH} height=${height} class="plain-ground" />
      ${Array.from({ length: 9 }, (_, n) => html`<path key=${n} class="plain-line" d=${`M${(n + 1) * (WIDTH / 10)} 0V${height}M0 ${(n + 1) * (height / 10)}H${WIDTH}`} />`)}
      ${officers.value.filter((each) => each.on_duty && each.lon !== null && each.lat !== null).map((each) => {
        const spot = at(each.lon ?? 0, each.lat ?? 0);
        return html`<circle key=${each.id} class="plain-officer" cx=${spot.x} cy=${spot.y} r=${size / 3}><title>${each.name}</title></circle>`;
      })}
      ${inFilter.value.slice(0, 2000).filter((each) => each.lon !== null && each.lat !== null).map((each) => {
        const spot = at(each.lon ?? 0, each.lat ?? 0), left = leftOf(each);
        return html`<g key=${each.id} class=${`plain-case mark ${each.severity} ${left.standing} ${opened.value === each.id ? "opened" : ""}`}
          transform=${`translate(${spot.x - size / 2} ${spot.y - size / 2}) scale(${size / 24})`} onClick=${(/** @type {Event} */ event) => { if (asksForPlace.peek() === null && tool.peek() === "") { event.stopPropagation(); open(each.id); } }}>
          <title>${`${categoryName(each)} · ${word("severity", each.severity)} · ${word("state", each.state)}`}</title>
          <circle class="plain-ring" cx="12" cy="12" r="13" /><path class="mark-ground" d=${OUTLINES[each.severity]} /><path class="mark-line" d=${OUTLINES[each.severity]} />
        </g>`;
      })}
      ${plan.value.cells.map((each, n) => html`<path key=${n} class=${`plan-cell ${each.kind}`} d=${outline(each.geometry, at)}><title>${each.says}</title></path>`)}
      ${plan.value.spots.map((each, n) => html`<circle key=${n} class=${`plan-spot ${each.kind}`} cx=${at(each.lon, each.lat).x} cy=${at(each.lon, each.lat).y} r=${size * 0.7}><title>${each.says}</title></circle>`)}
      <path class="plain-area" d=${path(outlines.value.ring)} />
      ${[outlines.value.line, outlines.value.pen].map((line, n) => html`<path key=${n} class="plain-measure" d=${path(line)} />`)}
      ${outlines.value.corners.map(([lon, lat], n) => html`<circle key=${n} class="plain-corner" cx=${at(lon, lat).x} cy=${at(lon, lat).y} r=${size / 5} />`)}
      ${tool.value !== "" && html`<path class="plain-middle" d=${`M${zoom.x + view.w / 2 - size / 3} ${zoom.y + view.h / 2}h${(size * 2) / 3}M${zoom.x + view.w / 2} ${zoom.y + view.h / 2 - size / 3}v${(size * 2) / 3}`} />`}
      ${componentSpot.value && html`<circle class="plain-spot" cx=${at(componentSpot.value.lon, componentSpot.value.lat).x} cy=${at(componentSpot.value.lon, componentSpot.value.lat).y} r=${size / 2} />`}
      ${sight.value.spot && html`<circle class="plain-spot" cx=${at(sight.value.spot.lon, sight.value.spot.lat).x} cy=${at(sight.value.spot.lon, sight.value.spot.lat).y} r=${size / 2} />`}
    </svg>
    <div class="map-tools" role="group" aria-label=${t("map.tools")}>
      <button onClick=${() => zoomTo(2)} aria-label=${t("map.in")}>+</button>
      <button onClick=${() => zoomTo(0.5)} aria-label=${t("map.out")}>−</button>
      <button onClick=${() => move(0, -0.25)} aria-label=${t("map.north")}>↑</button>
      <button onClick=${() => move(0, 0.25)} aria-label=${t("map.south")}>↓</button>
      <button onClick=${() => move(-0.25, 0)} aria-label=${t("map.west")}>←</button>
      <button onClick=${() => move(0.25, 0)} aria-label=${t("map.east")}>→</button>
      <${Tools} middle=${() => backFrom({ x: zoom.x + view.w / 2, y: zoom.y + view.h / 2 })} />
    </div>
    ${chosenComponent.value !== "" && html`<${ComponentCard} close=${() => { chosenComponent.value = ""; }} />`}
  </div>`;
}

/**
 * The rings of a polygon, or of several.
 * @param {{type: string, coordinates: any}} geometry @param {(lon: number, lat: number) => {x: number, y: number}} at
 */
const outline = (geometry, at) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates).flat()
  .map((/** @type {[number, number][]} */ ring) => `M${ring.map(([lon, lat]) => `${at(lon, lat).x} ${at(lon, lat).y}`).join("L")}Z`).join("");

/** @param {number} value @param {number} most */
const clamp = (value, most) => Math.min(Math.max(0, value), Math.max(0, most));
