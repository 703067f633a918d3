// Where the officer stands: the best fix of some seconds, with how good and how old it is. Never an old one unsaid.
import { signal } from "../shared/screen.js";

/** @typedef {{lon: number, lat: number, accuracy_m: number, taken_at: number}} Fix */

/** @typedef {{state: "off" | "seeking" | "found" | "denied" | "none", best: Fix | null}} Seen */

export const seen = signal(/** @type {Seen} */ ({ state: "off", best: null }));

export const GOOD_M = 10; // better than this nobody waits for
export const POOR_M = 50; // worse than this somebody has to put the pin
const SEEK_MS = 8_000;
const STALE_MS = 120_000; // after that it is said loudly how old it is

let stop = () => {};

/** Look anew; what was found before does not count. Returns how to end it. */
export function seek() {
  stop();
  seen.value = { state: "seeking", best: null };
  if (!("geolocation" in navigator)) {
    seen.value = { state: "none", best: null };
    return stop;
  }
  const watch = navigator.geolocation.watchPosition(({ coords, timestamp }) => {
    const fix = { lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy, taken_at: timestamp };
    const { best } = seen.peek();
    if (best === null || fix.accuracy_m <= best.accuracy_m) seen.value = { state: fix.accuracy_m <= GOOD_M ? "found" : seen.peek().state, best: fix };
    if (fix.accuracy_m <= GOOD_M) stop();
  }, ({ code }) => {
    if (code === GeolocationPositionError.PERMISSION_DENIED) {
      seen.value = { state: "denied", best: null };
      stop();
    }
  }, { enableHighAccuracy: true, maximumAge: 0 });
  const timer = setTimeout(() => {
    seen.value = seen.peek().best === null ? { state: "none", best: null } : { ...seen.peek(), state: "found" };
    stop();
  }, SEEK_MS);
  stop = () => {
    navigator.geolocation.clearWatch(watch);
    clearTimeout(timer);
  };
  return () => stop();
}

/** @param {number} takenAt */
export const isStale = (takenAt) => Date.now() - takenAt > STALE_MS;

export const METRE = 1 / 111_320; // of a degree of latitude

/**
 * A place some metres away.
 * @param {{lon: number, lat: number}} from @param {number} east @param {number} north
 */
export const moved = ({ lon, lat }, east, north) => ({ lon: lon + (east * METRE) / Math.cos((lat * Math.PI) / 180), lat: lat + north * METRE });

/** On a ball, that is near enough to sort by. @param {number} lon @param {number} lat @param {number} toLon @param {number} toLat */
export const metresBetween = (lon, lat, toLon, toLat) => Math.hypot((toLat - lat) / METRE, ((toLon - lon) / METRE) * Math.cos((lat * Math.PI) / 180));

/**
 * Whether a place lies in a GeoJSON outline; the holes do not count.
 * @param {{type: string, coordinates: any}} outline @param {number} lon @param {number} lat
 */
export function lies(outline, lon, lat) {
  const polygons = outline.type === "Polygon" ? [outline.coordinates] : outline.coordinates;
  return polygons.some((/** @type {[number, number][][]} */ rings) => rings.reduce((inside, ring) => inside !== within(ring, lon, lat), false));
}

/** @param {[number, number][]} ring @param {number} lon @param {number} lat */
function within(ring, lon, lat) {
  let inside = false;
  for (let n = 0, before = ring.length - 1; n < ring.length; before = n++) {
    const [x, y] = /** @type {[number, number]} */ (ring[n]), [px, py] = /** @type {[number, number]} */ (ring[before]);
    if (y > lat !== py > lat && lon < ((px - x) * (lat - y)) / (py - y) + x) inside = !inside;
  }
  return inside;
}
