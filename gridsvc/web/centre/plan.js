// What a preview would change, on the map: cells of a draft by what becomes of them, cases by whom they go to, beats that
// change hands; and the cells of a patrol by how they stand. Each kind has its word on the map too.
import { effect, signal } from "../shared/screen.js";
import { briefOf } from "./city.js";
import { ink } from "./theme.js";

/** @import { GeoJSONSource, Map as MapLibre } from "../vendor/maplibre-gl.mjs" */

/**
 * @typedef {object} Plan
 * @property {{kind: string, says: string, geometry: {type: string, coordinates: any}}[]} cells
 * @property {{kind: string, says: string, lon: number, lat: number}[]} spots
 * @property {string[]} beats their codes
 */

/** @type {Plan} */
export const NO_PLAN = { cells: [], spots: [], beats: [] };

/** @type {import("../vendor/signals.mjs").Signal<Plan>} */
export const plan = signal(NO_PLAN);

/**
 * Cases as spots, those that are open and have a place.
 * @template T
 * @param {T[]} rows @param {(row: T) => string} id @param {(row: T) => string} kind @param {(row: T) => string} says
 */
export const spotsOf = (rows, id, kind, says) => rows.flatMap((each) => {
  const brief = briefOf(id(each));
  return brief === null || brief.lon === null || brief.lat === null ? [] : [{ kind: kind(each), says: says(each), lon: brief.lon, lat: brief.lat }];
});

/** @param {any} coordinates @param {[number, number][]} into */
function corners(coordinates, into) {
  if (typeof coordinates[0] === "number") into.push(coordinates);
  else for (const each of coordinates) corners(each, into);
}

/** West, south, east, north of all that changes; null where nothing has a place. @param {Plan} of */
export function boundsOf({ cells, spots }) {
  /** @type {[number, number][]} */
  const points = spots.map((each) => [each.lon, each.lat]);
  for (const each of cells) corners(each.geometry.coordinates, points);
  if (points.length === 0) return null;
  const lons = points.map(([lon]) => lon), lats = points.map(([, lat]) => lat);
  const least = (/** @type {number[]} */ of) => of.reduce((one, other) => Math.min(one, other));
  const most = (/** @type {number[]} */ of) => of.reduce((one, other) => Math.max(one, other));
  return /** @type {[number, number, number, number]} */ ([least(lons), least(lats), most(lons), most(lats)]);
}

/** @param {{kind: string, says: string}} of @param {object} geometry */
const feature = ({ kind, says }, geometry) => ({ type: "Feature", properties: { kind, says }, geometry });

/**
 * Draw it until the returned function is called.
 * @param {MapLibre} map
 */
export function keepPlan(map) {
  const none = /** @type {import("../vendor/maplibre-gl.mjs").GeoJSONSourceSpecification} */ ({ type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const font = /** @type {[string]} */ (["Noto Sans SC Variable"]);
  const halo = { "text-halo-color": ink("surface-1"), "text-halo-width": 2 };
  /** @type {any} */
  const colour = ["match", ["get", "kind"], "added", ink("ok"), "removed", ink("late"), "redrawn", ink("soon"), "walked", ink("ok"), "missed", ink("late"), "unknown", ink("muted"), "routed", ink("soon"), "stays", ink("late"), ink("accent")];
  for (const name of ["plan-cells", "plan-spots"]) map.addSource(name, none);
  map.addLayer({ id: "plan-cells", type: "fill", source: "plan-cells", paint: { "fill-color": colour, "fill-opacity": 0.4 } });
  map.addLayer({ id: "plan-cells-line", type: "line", source: "plan-cells", paint: { "line-color": colour, "line-width": 2 } });
  if (map.getSource("beats")) {
    map.addLayer({ id: "plan-beats", type: "line", source: "beats", "source-layer": "beats", filter: ["in", ["get", "code"], ["literal", []]], paint: { "line-color": ink("accent"), "line-width": 3 } });
  }
  map.addLayer({ id: "plan-spots", type: "circle", source: "plan-spots", paint: { "circle-radius": 13, "circle-color": colour, "circle-opacity": 0.3, "circle-stroke-color": colour, "circle-stroke-width": 3 } });
  map.addLayer({ id: "plan-cell-names", type: "symbol", source: "plan-cells", minzoom: 13, layout: { "text-field": ["get", "says"], "text-font": font, "text-size": 11 }, paint: { "text-color": ink("text"), ...halo } });
  map.addLayer({ id: "plan-spot-names", type: "symbol", source: "plan-spots", layout: { "text-field": ["get", "says"], "text-font": font, "text-size": 12, "text-anchor": "top", "text-offset": [0, 1.2], "text-optional": true }, paint: { "text-color": ink("text"), ...halo } });

  /** @param {string} name @param {object[]} features */
  const draw = (name, features) => {
    void /** @type {GeoJSONSource} */ (map.getSource(name)).setData(/** @type {any} */ ({ type: "FeatureCollection", features }));
  };
  let before = ""; // what changes its state where it lies moves no map
  return effect(() => {
    const { cells, spots, beats } = plan.value;
    draw("plan-cells", cells.map((each) => feature(each, each.geometry)));
    draw("plan-spots", spots.map((each) => feature(each, { type: "Point", coordinates: [each.lon, each.lat] })));
    if (map.getLayer("plan-beats")) map.setFilter("plan-beats", ["in", ["get", "code"], ["literal", beats]]);
    const bounds = boundsOf(plan.value);
    /** @type {HTMLElement} */ (map.getContainer()).dataset["plan"] = String(cells.length + spots.length);
    const whole = String(bounds);
    const to = bounds === null || whole === before ? undefined : map.cameraForBounds(bounds, { padding: 80, maxZoom: 15.5 });
    before = whole;
    if (to?.center && to.zoom !== undefined) map.jumpTo({ center: to.center, zoom: to.zoom });
  });
}
