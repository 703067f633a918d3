// What the map draws, in which order and colours: a base map quieter than the data, then what the city is made of,
// then what happens in it.
import { drawMark } from "../shared/marks.js";
import { slices } from "../vendor/noto-sans-sc.mjs";
import { ink } from "./theme.js";

/** @import { MapLayers, Severity } from "../shared/types.js" */
/** @import { Fill } from "../shared/marks.js" */
/** @import { Map as MapLibre, StyleSpecification, LayerSpecification, SourceSpecification, ExpressionSpecification } from "../vendor/maplibre-gl.mjs" */

const FONT = /** @type {[string]} */ (["Noto Sans SC Variable"]);
/** @type {{type: "geojson", data: {type: "FeatureCollection", features: []}}} */
const NOTHING = { type: "geojson", data: { type: "FeatureCollection", features: [] } };

/** Up to this zoom cases that lie together are one bubble. */
export const CLUSTERED_TO = 13;

/** From how many cases on a cell has the next step of the ramp. */
export const STEPS = /** @type {const} */ ([1, 2, 3, 5, 8]);

/** @typedef {{buildings3d: boolean, cells: boolean, beats: boolean, officers: boolean, cameras: boolean, components: boolean, heat: boolean}} Shown */

/**
 * The whole style in the theme of the page.
 * @param {MapLayers} map
 * @param {Shown} shown
 * @returns {StyleSpecification}
 */
export function styleOf(map, shown) {
  /** @type {Record<string, SourceSpecification>} */
  const sources = {};
  for (const name of ["divisions", "cells", "beats", "roads", "water", "buildings"]) {
    const layer = map.layers[name];
    if (layer === undefined) continue;
    sources[name] = {
      type: "vector", minzoom: layer.minzoom, maxzoom: layer.maxzoom,
      tiles: [`${location.origin}/tiles/${name}/{z}/{x}/{y}.mvt?v=${encodeURIComponent(layer.version)}`],
      ...(name === "cells" ? { promoteId: { cells: "code" } } : {}),
    };
  }
  sources["cases"] = {
    ...NOTHING, cluster: true, clusterMaxZoom: CLUSTERED_TO, clusterRadius: 34, promoteId: "id",
    clusterProperties: { late: ["+", ["case", ["get", "late"], 1, 0]] },
  };
  sources["emergencies"] = { ...NOTHING, promoteId: "id" };
  sources["opened"] = NOTHING;
  sources["officers"] = NOTHING;
  sources["cameras"] = NOTHING; // no id of the library's: codes of twenty digits are no number that it could keep
  return {
    version: 8, name: "gridsvc", sources,
    "font-faces": { [FONT[0]]: slices.map(([file, ranges]) => ({ url: new URL(`../vendor/noto-sans-sc/${file}`, import.meta.url).href, "unicode-range": ranges })) },
    layers: layersOf(shown).filter((layer) => !("source" in layer) || layer.source in sources),
    transition: { duration: 0, delay: 0 },
  };
}

/** @returns {ExpressionSpecification} */
const ramp = () =>
  /** @type {ExpressionSpecification} */ ([
    "step", ["coalesce", ["feature-state", "n"], 0], "rgba(0,0,0,0)",
    ...STEPS.flatMap((from, n) => [from, ink(`ramp-${n + 1}`)]),
  ]);

/**
 * @param {Shown} shown
 * @returns {LayerSpecification[]}
 */
function layersOf(shown) {
  /** @param {boolean} is */
  const visible = (is) => ({ visibility: /** @type {"visible" | "none"} */ (is ? "visible" : "none") });
  const halo = { "text-halo-color": ink("map-land"), "text-halo-width": 1.4 };
  return [
    { id: "land", type: "background", paint: { "background-color": ink("map-land") } },
    { id: "water", type: "fill", source: "water", "source-layer": "water", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": ink("map-water") } },
    { id: "streams", type: "line", source: "water", "source-layer": "water", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": ink("map-water"), "line-width": 2 } },
    {
      id: "cells-load", type: "fill", source: "cells", "source-layer": "cells", layout: visible(shown.cells),
      paint: { "fill-color": ramp(), "fill-opacity": 0.62 },
    },
    {
      id: "roads", type: "line", source: "roads", "source-layer": "roads",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": ink("map-road"),
        "line-width": [
          "interpolate", ["exponential", 1.6], ["zoom"],
          11, ["match", ["get", "class"], ["motorway", "primary"], 1.4, "secondary", 0.8, 0.2],
          17, ["match", ["get", "class"], ["motorway", "primary"], 14, "secondary", 9, "path", 1.5, 5],
        ],
      },
    },
    {
      id: "buildings", type: "fill", source: "buildings", "source-layer": "buildings", minzoom: 14.5, layout: visible(!shown.buildings3d),
      paint: { "fill-color": ink("map-building"), "fill-opacity": 0.85 },
    },
    {
      id: "cells-line", type: "line", source: "cells", "source-layer": "cells", minzoom: 13, layout: visible(shown.cells),
      paint: { "line-color": ink("map-line"), "line-width": 0.7, "line-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.25, 16, 0.8] },
    },
    {
      id: "beats-line", type: "line", source: "beats", "source-layer": "beats", layout: visible(shown.beats),
      paint: { "line-color": ink("accent"), "line-width": 1.2, "line-dasharray": [2, 2] },
    },
    {
      id: "divisions-line", type: "line", source: "divisions", "source-layer": "divisions",
      paint: {
        "line-color": ink("map-border"),
        "line-width": ["match", ["get", "level"], "city", 2.4, "district", 2, "street", 1.1, 0.5],
        "line-dasharray": [4, 2],
      },
    },
    {
      id: "buildings-3d", type: "fill-extrusion", source: "buildings", "source-layer": "buildings", minzoom: 14, layout: visible(shown.buildings3d),
      paint: {
        "fill-extrusion-color": ink("map-building"), "fill-extrusion-opacity": 0.85, "fill-extrusion-vertical-gradient": true,
        "fill-extrusion-height": ["coalesce", ["get", "height_m"], ["*", 3, ["coalesce", ["get", "levels"], 3]]],
      },
    },
    {
      id: "road-names", type: "symbol", source: "roads", "source-layer": "roads", minzoom: 14.5, filter: ["has", "name"],
      layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "symbol-spacing": 420 },
      paint: { "text-color": ink("map-text"), ...halo },
    },
    {
      id: "division-names", type: "symbol", source: "divisions", "source-layer": "labels",
      layout: {
        "text-field": ["get", "name"], "text-font": FONT, "text-letter-spacing": 0.08, "text-padding": 6,
        "text-size": ["match", ["get", "level"], ["city", "district"], 15, "street", 12.5, 11],
        "symbol-sort-key": ["match", ["get", "level"], "city", 0, "district", 1, "street", 2, 3],
      },
      paint: { "text-color": ink("map-text"), ...halo },
    },
    {
      id: "cell-names", type: "symbol", source: "cells", "source-layer": "labels", minzoom: 16, layout: {
        ...visible(shown.cells), "text-field": ["slice", ["get", "code"], -3], "text-font": FONT, "text-size": 10.5,
      },
      paint: { "text-color": ink("map-text"), "text-opacity": 0.8, ...halo },
    },
    {
      id: "cameras", type: "symbol", source: "cameras", minzoom: 12.5, layout: {
        ...visible(shown.cameras), "icon-image": ["get", "icon"], "icon-rotate": ["get", "bearing"], "icon-rotation-alignment": "map",
        "icon-allow-overlap": true, "icon-size": ["interpolate", ["linear"], ["zoom"], 12.5, 0.55, 16, 1],
      },
    },
    {
      id: "officers-accuracy", type: "circle", source: "officers", minzoom: 14, layout: visible(shown.officers),
      paint: {
        "circle-color": ink("officer"), "circle-opacity": 0.12, "circle-pitch-alignment": "map",
        "circle-radius": ["interpolate", ["exponential", 2], ["zoom"], 0, ["get", "spread"], 22, ["*", ["get", "spread"], 4194304]],
      },
    },
    {
      id: "officers", type: "symbol", source: "officers", layout: {
        ...visible(shown.officers), "icon-image": ["get", "icon"], "icon-allow-overlap": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.5, 14, 0.9],
        "text-field": ["step", ["zoom"], "", 14.5, ["get", "name"]], "text-font": FONT, "text-size": 11, "text-anchor": "top",
        "text-offset": [0, 0.8], "text-optional": true,
      },
      paint: { "text-color": ink("text"), ...halo },
    },
    {
      id: "clusters", type: "circle", source: "cases", filter: ["has", "point_count"],
      paint: {
        "circle-color": ink("surface-1"), "circle-opacity": 0.92,
        "circle-radius": ["step", ["get", "point_count"], 12, 10, 15, 100, 19, 1000, 24],
        "circle-stroke-width": ["case", [">", ["get", "late"], 0], 3, 1.5],
        "circle-stroke-color": ["case", [">", ["get", "late"], 0], ink("late"), ink("mark")],
      },
    },
    {
      id: "cluster-counts", type: "symbol", source: "cases", filter: ["has", "point_count"],
      layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": FONT, "text-size": 12, "text-allow-overlap": true },
      paint: { "text-color": ink("text") },
    },
    {
      id: "opened", type: "circle", source: "opened",
      paint: { "circle-radius": 21, "circle-color": ink("accent"), "circle-opacity": 0.22, "circle-stroke-color": ink("accent"), "circle-stroke-width": 2 },
    },
    {
      id: "cases", type: "symbol", source: "cases", filter: ["!", ["has", "point_count"]],
      layout: { "icon-image": ["get", "icon"], "icon-allow-overlap": true, "symbol-sort-key": ["get", "weight"] },
      paint: { "icon-opacity": ["case", ["get", "quiet"], 0.38, 1] },
    },
    {
      id: "emergencies", type: "symbol", source: "emergencies",
      layout: { "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-size": 1.2 },
      paint: { "icon-opacity": ["case", ["get", "quiet"], 0.6, 1] },
    },
  ];
}

const RINGS = { plenty: "", none: "", soon: "soon", late: "late", paused: "muted", over: "" };

/**
 * The icon of a case: its name says all that decides how it looks.
 * @param {Severity} severity
 * @param {Fill} fill
 * @param {keyof typeof RINGS} standing
 */
export const iconName = (severity, fill, standing) => `${severity}/${fill}/${RINGS[standing]}`;

/**
 * Draw every icon in the colours of the page.
 * @param {MapLibre} map
 */
export function addIcons(map) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  for (const severity of /** @type {Severity[]} */ (["low", "normal", "high", "emergency"])) {
    for (const fill of /** @type {Fill[]} */ (["hollow", "dot", "half", "solid", "tick"])) {
      for (const ring of ["", "soon", "late", "muted"]) {
        const loud = severity === "emergency";
        const pixels = drawMark(severity, fill, {
          ground: ink(loud ? "emergency-ground" : "surface-1"), line: ink(loud ? "emergency" : "mark"),
          ring: ring === "" ? "" : ink(ring), dashed: ring === "muted",
        }, ratio);
        map.addImage(`${severity}/${fill}/${ring}`, pixels, { pixelRatio: ratio });
      }
    }
  }
  map.addImage("officer", drawOfficer(ink("officer"), ratio), { pixelRatio: ratio });
  map.addImage("officer-stale", drawOfficer(ink("muted"), ratio), { pixelRatio: ratio });
  map.addImage("camera", drawCamera(ink("camera"), false, ratio), { pixelRatio: ratio });
  map.addImage("camera-down", drawCamera(ink("late"), true, ratio), { pixelRatio: ratio });
}

/**
 * @param {number} side
 * @param {number} ratio
 */
function sheet(side, ratio) {
  const canvas = new OffscreenCanvas(side * ratio, side * ratio);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(ratio, ratio);
  return { pen, pixels: () => pen.getImageData(0, 0, canvas.width, canvas.height) };
}

/**
 * A head and shoulders in a disc.
 * @param {string} colour
 * @param {number} ratio
 */
function drawOfficer(colour, ratio) {
  const { pen, pixels } = sheet(26, ratio);
  pen.fillStyle = ink("surface-1");
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(13, 13, 10.5, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.clip();
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(13, 10.5, 3.6, 0, 2 * Math.PI);
  pen.fill();
  pen.beginPath();
  pen.ellipse(13, 21.5, 6.6, 6, 0, 0, 2 * Math.PI);
  pen.fill();
  return pixels();
}

/**
 * A cone that looks north; the map turns it to where the camera looks.
 * @param {string} colour
 * @param {boolean} down
 * @param {number} ratio
 */
function drawCamera(colour, down, ratio) {
  const { pen, pixels } = sheet(40, ratio);
  pen.fillStyle = colour;
  pen.globalAlpha = 0.3;
  pen.beginPath();
  pen.moveTo(20, 20);
  pen.arc(20, 20, 18, -Math.PI / 2 - 0.55, -Math.PI / 2 + 0.55);
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = ink("surface-1");
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(20, 20, 5, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  if (down) {
    pen.strokeStyle = colour;
    pen.lineWidth = 2.2;
    pen.beginPath();
    pen.moveTo(12, 12);
    pen.lineTo(28, 28);
    pen.moveTo(28, 12);
    pen.lineTo(12, 28);
    pen.stroke();
  }
  return pixels();
}
