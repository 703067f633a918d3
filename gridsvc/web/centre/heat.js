// Where the cases of the filters lie close together: one hue, light to strong.
import { effect } from "../shared/screen.js";
import { ink } from "./theme.js";

/** @import { GeoJSONSource, Map as MapLibre } from "../vendor/maplibre-gl.mjs" */
/** @import { Signal, ReadonlySignal } from "../vendor/signals.mjs" */

/** With the heat on, single cases are drawn from here on, and bubbles not at all: they would hide it. */
const SINGLE_FROM = 15;

/**
 * Draw it while it is shown, until the returned function is called.
 * @param {MapLibre} map
 * @param {ReadonlySignal<Map<string, {feature: {geometry: object}}>>} drawn every case that the map draws
 * @param {Signal<{heat: boolean}>} shown
 */
export function keepHeat(map, drawn, shown) {
  map.addSource("heat", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({
    id: "heat", type: "heatmap", source: "heat", layout: { visibility: "none" },
    paint: {
      "heatmap-radius": ["interpolate", ["exponential", 1.6], ["zoom"], 9, 10, 12, 24, 16, 70],
      "heatmap-intensity": ["interpolate", ["linear"], ["zoom"], 9, 0.9, 15, 1.2],
      "heatmap-opacity": 0.85,
      "heatmap-color": [
        "interpolate", ["linear"], ["heatmap-density"],
        0, "rgba(0,0,0,0)", 0.15, ink("ramp-1"), 0.35, ink("ramp-2"), 0.55, ink("ramp-3"), 0.75, ink("ramp-4"), 1, ink("ramp-5"),
      ],
    },
  }, map.getLayer("road-names") ? "road-names" : "cameras");
  let before = "";
  return effect(() => {
    const is = shown.value.heat;
    map.setLayoutProperty("heat", "visibility", is ? "visible" : "none");
    for (const id of ["clusters", "cluster-counts"]) map.setLayoutProperty(id, "visibility", is ? "none" : "visible");
    map.setLayerZoomRange("cases", is ? SINGLE_FROM : 0, 24);
    if (!is) return;
    const all = [...drawn.value];
    const now = all.map(([id, { feature }]) => `${id}${JSON.stringify(feature.geometry)}`).join();
    if (now === before) return; // a case that has only grown late lies where it lay
    before = now;
    void /** @type {GeoJSONSource} */ (map.getSource("heat")).setData(/** @type {any} */ ({
      type: "FeatureCollection", features: all.map(([id, { feature }]) => ({ type: "Feature", properties: { id }, geometry: feature.geometry })),
    }));
  });
}
