// What the map shows of one thing that somebody looks at: the place of a review, a camera's field of view, the way of an
// officer; and, from near by, what every camera sees.
import { effect, signal } from "../shared/screen.js";
import { Refused, ask } from "../shared/service.js";
import { ink } from "./theme.js";

/** @import { GeoJSONSource, Map as MapLibre } from "../vendor/maplibre-gl.mjs" */
/** @import { Polygon } from "../shared/types.js" */

/**
 * @typedef {object} Sight
 * @property {{lon: number, lat: number} | null} spot
 * @property {Polygon | null} view
 * @property {[number, number][]} way
 */

/** @type {Sight} */
export const NOTHING = { spot: null, view: null, way: [] };

/** @type {import("../vendor/signals.mjs").Signal<Sight>} */
export const sight = signal(NOTHING);

const FROM_ZOOM = 15; // a camera sees some fifty metres: from farther away its view is a dot

/** @param {object} geometry */
const feature = (geometry) => ({ type: "Feature", properties: {}, geometry });

/**
 * Draw it until the returned function is called.
 * @param {MapLibre} map
 */
export function keepSight(map) {
  /** @type {{type: "geojson", data: {type: "FeatureCollection", features: []}}} */
  const none = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  for (const name of ["all-views", "view", "way", "spot"]) map.addSource(name, none);
  const under = map.getLayer("cameras") ? "cameras" : undefined;
  map.addLayer({ id: "all-views", type: "fill", source: "all-views", minzoom: FROM_ZOOM, paint: { "fill-color": ink("camera"), "fill-opacity": 0.12, "fill-outline-color": ink("camera") } }, under);
  map.addLayer({ id: "view", type: "fill", source: "view", paint: { "fill-color": ink("camera"), "fill-opacity": 0.35 } }, under);
  map.addLayer({ id: "view-edge", type: "line", source: "view", paint: { "line-color": ink("camera"), "line-width": 2 } }, under);
  map.addLayer({ id: "way", type: "line", source: "way", layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": ink("officer"), "line-width": 3, "line-opacity": 0.8 } }, under);
  map.addLayer({ id: "spot", type: "circle", source: "spot", paint: { "circle-radius": 11, "circle-color": ink("accent"), "circle-opacity": 0.25, "circle-stroke-color": ink("accent"), "circle-stroke-width": 3 } });

  /** @param {string} name @param {object[]} features */
  const draw = (name, features) => {
    void /** @type {GeoJSONSource} */ (map.getSource(name)).setData(/** @type {any} */ ({ type: "FeatureCollection", features }));
  };
  const stop = effect(() => {
    const { spot, view, way } = sight.value;
    draw("spot", spot ? [feature({ type: "Point", coordinates: [spot.lon, spot.lat] })] : []);
    draw("view", view ? [feature(view)] : []);
    draw("way", way.length > 1 ? [feature({ type: "LineString", coordinates: way })] : []);
  });

  let asking = new AbortController();
  const look = () => {
    asking.abort();
    if (map.getZoom() < FROM_ZOOM || map.getLayoutProperty("cameras", "visibility") === "none") return;
    const mine = asking = new AbortController();
    const box = map.getBounds();
    const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((each) => each.toFixed(6)).join(",");
    ask(`/api/v1/cameras.geojson?limit=500&bbox=${bbox}`, mine.signal).then(
      (found) => mine.signal.aborted || draw("all-views", found.features.map((/** @type {{geometry: object}} */ each) => feature(each.geometry))),
      (failed) => {
        if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // it is asked again when the map moves
      },
    );
  };
  map.on("moveend", look);
  look();
  return () => {
    stop();
    asking.abort();
  };
}
