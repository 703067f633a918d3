// An area that somebody has drawn: as text for the page's address, and which places lie in it. Its edges are straight in
// degrees; a circle is one on the ground. The service reads the same text (geo/sketch.py) and answers the same.
import { areaOf, metresApart, spotAt } from "../shared/geodesy.js";

/** @import { Spot } from "../shared/geodesy.js" */

/**
 * @typedef {{kind: "box", west: number, south: number, east: number, north: number}
 *   | {kind: "circle", at: Spot, metres: number}
 *   | {kind: "ring", ring: Spot[]}} Area
 */

const MOST_CORNERS = 100;
const MOST_METRES = 100_000;

/** @param {number} degrees */
const short = (degrees) => String(Math.round(degrees * 1e6) / 1e6); // a tenth of a metre

/** @param {Area} area */
export function spell(area) {
  switch (area.kind) {
    case "box": return ["box", ...[area.west, area.south, area.east, area.north].map(short)].join(",");
    case "circle": return ["circle", ...area.at.map(short), String(Math.round(area.metres * 10) / 10)].join(",");
    case "ring": return ["ring", ...area.ring.flat().map(short)].join(",");
  }
}

/** What a text says, null where it says none. @param {string} text @returns {Area | null} */
export function readArea(text) {
  const [kind, ...said] = text.split(",");
  const given = said.map((each) => (/^-?[0-9]{1,6}(\.[0-9]{1,15})?$/.test(each) ? Number(each) : NaN));
  if (given.some(Number.isNaN)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = given;
  if (kind === "box" && given.length === 4) return onEarth([[a, b], [c, d]]) && a < c && b < d ? { kind, west: a, south: b, east: c, north: d } : null;
  if (kind === "circle" && given.length === 3) return onEarth([[a, b]]) && c > 0 && c <= MOST_METRES ? { kind, at: [a, b], metres: c } : null;
  if (kind !== "ring" || given.length % 2 === 1 || given.length < 6 || given.length > 2 * MOST_CORNERS) return null;
  /** @type {Spot[]} */
  const ring = [];
  for (let n = 0; n < given.length; n += 2) ring.push([given[n] ?? 0, given[n + 1] ?? 0]);
  return onEarth(ring) && !crosses(ring) && areaOf(ring) > 0 ? { kind, ring } : null;
}

/** @param {Spot[]} spots */
const onEarth = (spots) => spots.every(([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 90);

/**
 * On which side of the line through two spots a third lies.
 * @param {Spot} from @param {Spot} to @param {Spot} spot
 */
const side = (from, to, spot) => Math.sign((to[0] - from[0]) * (spot[1] - from[1]) - (to[1] - from[1]) * (spot[0] - from[0]));

/** Whether a ring runs over itself: then nobody could say what is inside. @param {Spot[]} ring */
export function crosses(ring) {
  const corner = (/** @type {number} */ n) => /** @type {Spot} */ (ring[n % ring.length]);
  for (let one = 0; one < ring.length; one += 1) {
    if (corner(one)[0] === corner(one + 1)[0] && corner(one)[1] === corner(one + 1)[1]) return true;
    for (let other = one + 2; other < ring.length; other += 1) {
      if (one === 0 && other === ring.length - 1) continue; // they meet where the ring closes
      const [a, b, c, d] = [corner(one), corner(one + 1), corner(other), corner(other + 1)];
      if (side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0) return true;
    }
  }
  return false;
}

/** Whether a place lies in it; its edge belongs to it. @param {Area} area @param {Spot} spot */
export function contains(area, spot) {
  const [lon, lat] = spot;
  if (area.kind === "box") return lon >= area.west && lon <= area.east && lat >= area.south && lat <= area.north;
  if (area.kind === "circle") return metresApart(area.at, spot) <= area.metres;
  let inside = false;
  for (let n = 0; n < area.ring.length; n += 1) {
    const from = /** @type {Spot} */ (area.ring[n]), to = /** @type {Spot} */ (area.ring[(n + 1) % area.ring.length]);
    if (side(from, to, spot) === 0 && between(from, to, spot)) return true;
    if (from[1] > lat !== to[1] > lat && lon < ((to[0] - from[0]) * (lat - from[1])) / (to[1] - from[1]) + from[0]) inside = !inside;
  }
  return inside;
}

/** @param {Spot} from @param {Spot} to @param {Spot} spot */
const between = (from, to, spot) =>
  spot[0] >= Math.min(from[0], to[0]) && spot[0] <= Math.max(from[0], to[0]) && spot[1] >= Math.min(from[1], to[1]) && spot[1] <= Math.max(from[1], to[1]);

/** Its outline, closed. @param {Area} area @returns {Spot[]} */
export function outlineOf(area) {
  if (area.kind === "box") {
    const { west, south, east, north } = area;
    return [[west, south], [east, south], [east, north], [west, north], [west, south]];
  }
  if (area.kind === "circle") return Array.from({ length: 73 }, (_, n) => spotAt(area.at, n * 5, area.metres));
  return [...area.ring, /** @type {Spot} */ (area.ring[0])];
}

/** @type {{text: string, area: Area | null}} */
let last = { text: "", area: null };

/** The same as readArea; asked of every case, it reads a text once. @param {string} text */
export function areaNamed(text) {
  if (last.text !== text) last = { text, area: readArea(text) };
  return last.area;
}
