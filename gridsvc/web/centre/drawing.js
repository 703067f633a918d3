// What the tools look like on the map, and drawing by the pointer: terra-draw, loaded when a tool is first taken in hand.
import { effect } from "../shared/screen.js";
import { corners, finish, outlines, sketch, tool } from "./tools.js";
import { ink } from "./theme.js";

/** @import { GeoJSONSource, Map as MapLibre } from "../vendor/maplibre-gl.mjs" */
/** @import { GeoJSONStoreFeatures, TerraDraw } from "../vendor/terra-draw.mjs" */
/** @import { Spot } from "../shared/geodesy.js" */
/** @import { Tool } from "./tools.js" */

const MODES = /** @type {const} */ ({ rectangle: "rectangle", polygon: "polygon", circle: "circle", distance: "linestring", surface: "polygon" });

/** @param {string} type @param {unknown} coordinates */
const feature = (type, coordinates) => ({ type: "Feature", properties: {}, geometry: { type, coordinates } });

/**
 * Draw it, and let people draw, until the returned function is called.
 * @param {MapLibre} map
 */
export function keepTools(map) {
  /** @type {{type: "geojson", data: {type: "FeatureCollection", features: []}}} */
  const none = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  for (const name of ["area", "measured"]) map.addSource(name, none);
  const under = map.getLayer("clusters") ? "clusters" : undefined;
  map.addLayer({ id: "area", type: "fill", source: "area", paint: { "fill-color": ink("accent"), "fill-opacity": 0.1 } }, under);
  map.addLayer({ id: "area-edge", type: "line", source: "area", paint: { "line-color": ink("accent"), "line-width": 2 } }, under);
  map.addLayer({ id: "measured", type: "line", source: "measured", paint: { "line-color": ink("accent"), "line-width": 3, "line-dasharray": [2, 1] } }, under);
  map.addLayer({
    id: "measured-corners", type: "circle", source: "measured", filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 4, "circle-color": ink("surface-1"), "circle-stroke-color": ink("accent"), "circle-stroke-width": 2 },
  }, under);

  /** @param {string} name @param {object[]} features */
  const draw = (name, features) => {
    void /** @type {GeoJSONSource} */ (map.getSource(name)).setData(/** @type {any} */ ({ type: "FeatureCollection", features }));
  };
  const stop = effect(() => {
    const { ring, line, pen, corners: set } = outlines.value;
    draw("area", ring.length > 0 ? [feature("Polygon", [ring])] : []);
    draw("measured", [...[line, pen].filter((each) => each.length > 1).map((each) => feature("LineString", each)), ...set.map((each) => feature("Point", each))]);
  });

  let turn = 0, over = false;
  /** @type {TerraDraw | null} */
  let pen = null;
  const layDown = () => {
    pen?.stop();
    pen = null;
  };
  const stopTaking = effect(() => {
    const of = tool.value, byKeys = corners.value.length > 0, mine = ++turn;
    layDown();
    if (of === "" || byKeys) return;
    void penFor(map, of).then((ready) => {
      if (over || mine !== turn) return;
      pen = ready;
      ready.start();
      ready.setMode(MODES[of]);
    });
  });
  return () => {
    over = true;
    stop();
    stopTaking();
    layDown();
  };
}

/** @param {MapLibre} map @param {Tool} of */
async function penFor(map, of) {
  const [drawn, { TerraDrawMapLibreGLAdapter }] = await Promise.all([import("../vendor/terra-draw.mjs"), import("../vendor/terra-draw-maplibre-gl-adapter.mjs")]);
  const colour = /** @type {`#${string}`} */ (ink("accent"));
  const styles = { fillColor: colour, fillOpacity: 0.1, outlineColor: colour, outlineWidth: 2 };
  const validation = (/** @type {GeoJSONStoreFeatures} */ shape, /** @type {{updateType: string}} */ { updateType }) =>
    updateType === "finish" || updateType === "commit" ? drawn.ValidateNotSelfIntersecting(shape) : { valid: true };
  const modes = {
    rectangle: () => new drawn.TerraDrawRectangleMode({ styles }),
    circle: () => new drawn.TerraDrawCircleMode({ styles }),
    polygon: () => new drawn.TerraDrawPolygonMode({ styles: { ...styles, closingPointColor: colour }, validation }),
    linestring: () => new drawn.TerraDrawLineStringMode({ styles: { lineStringColor: colour, lineStringWidth: 3 } }),
  };
  const pen = new drawn.TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map }), modes: [modes[MODES[of]]()] });
  pen.on("change", (ids) => {
    for (const id of ids) {
      const shape = pen.hasFeature(id) ? pen.getSnapshotFeature(id) : undefined;
      if (shape && shape.geometry.type !== "Point") sketch.value = { line: cornersOf(of, shape), set: Number(shape.properties["committedCoordinateCount"] ?? 0) };
    }
  });
  pen.on("finish", (id) => {
    const shape = pen.getSnapshotFeature(id);
    // It is still at work on the click that ended it.
    if (shape) queueMicrotask(() => finish(cornersOf(of, shape)));
  });
  return pen;
}

/** The corners as tools.js makes an area of them. @param {Tool} of @param {GeoJSONStoreFeatures} shape @returns {Spot[]} */
function cornersOf(of, shape) {
  if (shape.geometry.type === "LineString") return /** @type {Spot[]} */ (shape.geometry.coordinates.map(([lon, lat]) => [lon, lat]));
  if (shape.geometry.type !== "Polygon") return [];
  const ring = /** @type {Spot[]} */ ((shape.geometry.coordinates[0] ?? []).slice(0, -1).map(([lon, lat]) => [lon, lat]));
  const first = ring[0], third = ring[2];
  if (first === undefined) return [];
  if (of === "rectangle") return third === undefined ? [] : [first, third];
  if (of !== "circle") return ring;
  const middle = /** @type {Spot} */ ([0, 1].map((axis) => ring.reduce((sum, each) => sum + (each[axis] ?? 0), 0) / ring.length));
  return [middle, first];
}
