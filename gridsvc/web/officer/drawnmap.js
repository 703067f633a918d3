// The map of my beat as MapLibre draws it: loaded when a map is shown (beatmap.js), since it is the largest part of the app.
import { effect, html, useEffect, useRef } from "../shared/screen.js";
import { fillOf } from "../shared/marks.js";
import { addIcons, iconName, styleOf } from "../centre/mapstyle.js";
import { ink, theme } from "../centre/theme.js";
import { Map as MapLibre, setWorkerUrl } from "../vendor/maplibre-gl.mjs";
import { beats, boundsOf, middleOf, placed } from "./plainmap.js";
import { place } from "./positions.js";
import { say } from "./say.js";
import { go } from "./shell.js";
import { leftOf } from "./tasks.js";
import { SIGNS, WALKED } from "./walks.js";

/** @import { GeoJSONSource } from "../vendor/maplibre-gl.mjs" */
/** @import { MapLayers } from "../shared/types.js" */
/** @import { Stands } from "./plainmap.js" */
/** @import { Walked } from "./walks.js" */

setWorkerUrl(new URL("../vendor/maplibre-gl-worker.mjs", import.meta.url).href);

/** @typedef {{type: "Feature", properties: Record<string, unknown>, geometry: {type: "Point" | "Polygon" | "MultiPolygon", coordinates: any}}} Feature */

/** @param {Feature[]} features */
const collection = (features) => ({ type: /** @type {const} */ ("FeatureCollection"), features });

/** @type {Record<Walked, string>} */
const INKS = { open: "accent", unknown: "muted", missed: "late", walked: "ok" };

const SIGN_PX = 26;
/** As large as a cell has room for. @type {any} */
const SIGN_SIZE = ["interpolate", ["exponential", 2], ["zoom"], 13, 0.22, 15.2, 1];

/** A sign on a round ground, as a picture for the map. @param {Walked} state @param {number} ratio */
function drawSign(state, ratio) {
  const canvas = new OffscreenCanvas(SIGN_PX * ratio, SIGN_PX * ratio);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")), half = SIGN_PX / 2;
  pen.scale(ratio, ratio);
  pen.beginPath();
  pen.arc(half, half, half - 2, 0, 2 * Math.PI);
  pen.fillStyle = ink("surface-1");
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = pen.fillStyle = ink(INKS[state]);
  pen.stroke();
  pen.font = `bold ${half + 2}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(SIGNS[state], half, half + 1);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** The cells of a patrol, coloured and with a sign each; kept in step until the returned function is called. @param {MapLibre} map @param {Stands} walked */
function drawWalked(map, walked) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  for (const state of WALKED) map.addImage(`walk/${state}`, drawSign(state, ratio), { pixelRatio: ratio });
  map.addSource("walked", { type: "geojson", data: collection([]) });
  map.addSource("walked-signs", { type: "geojson", data: collection([]) });
  map.addLayer({
    id: "walked-fill", type: "fill", source: "walked",
    paint: { "fill-color": ["match", ["get", "state"], "walked", ink(INKS.walked), "missed", ink(INKS.missed), "unknown", ink(INKS.unknown), ink(INKS.open)], "fill-opacity": 0.25 },
  }, "mine-line");
  map.addLayer({ id: "walked-signs", type: "symbol", source: "walked-signs", layout: { "icon-image": ["concat", "walk/", ["get", "state"]], "icon-size": SIGN_SIZE, "icon-allow-overlap": true } }, "here");
  return effect(() => {
    const mine = (beats.value ?? []).flatMap((each) => each.cells).flatMap((cell) => {
      const state = walked.value.get(cell.code);
      return state === undefined ? [] : [{ cell, properties: { state } }];
    });
    /** @type {GeoJSONSource} */ (map.getSource("walked")).setData(collection(mine.map(({ cell, properties }) => ({ type: "Feature", properties, geometry: cell.outline }))));
    /** @type {GeoJSONSource} */ (map.getSource("walked-signs")).setData(collection(mine.map(({ cell, properties }) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates: middleOf(cell) } }))));
  });
}

/** @param {{map: MapLayers, at?: {lon: number, lat: number} | undefined, walked?: Stands | undefined}} props */
export function DrawnMap({ map: layers, at, walked }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const chosen = theme.value, mine = beats.value ?? [];
  const which = [...walked?.value.keys() ?? []].join(); // another patrol is another map, another state is not
  useEffect(() => {
    const container = /** @type {HTMLDivElement} */ (box.current);
    const all = mine.flatMap((each) => each.cells), looked = walked?.peek();
    const bounds = boundsOf(looked ? all.filter(({ code }) => looked.has(code)) : all) ?? boundsOf(all) ?? layers.bounds;
    const map = new MapLibre({
      container, style: styleOf(layers, { buildings3d: false, cells: true, beats: false, officers: false, cameras: false, components: false, heat: false }), fadeDuration: 0,
      attributionControl: false, cooperativeGestures: false, dragRotate: false, pitchWithRotate: false, maxZoom: 19, minZoom: 9,
      ...(at ? { center: [at.lon, at.lat], zoom: 16 } : { bounds, fitBoundsOptions: { padding: 16, maxZoom: 16 } }),
      locale: { "Map.Title": say("home.beat") },
    });
    Object.assign(container, { map }); // for whoever looks at the page from outside: tests, and the console
    let stop = () => {};
    map.on("style.load", () => {
      addIcons(map);
      map.addSource("mine", { type: "geojson", data: collection(mine.flatMap((each) => each.cells).map(({ code, outline }) => ({ type: "Feature", properties: { code }, geometry: outline }))) });
      map.addSource("here", { type: "geojson", data: collection([]) });
      map.addLayer({ id: "mine-fill", type: "fill", source: "mine", paint: { "fill-color": ink("accent"), "fill-opacity": 0.12 } }, "roads");
      map.addLayer({ id: "mine-line", type: "line", source: "mine", paint: { "line-color": ink("accent"), "line-width": 1.6 } });
      map.addLayer({ id: "here", type: "circle", source: "here", paint: { "circle-radius": 7, "circle-color": ink("officer"), "circle-stroke-color": ink("surface-1"), "circle-stroke-width": 2 } });
      const stops = [
        effect(() => void /** @type {GeoJSONSource} */ (map.getSource("cases")).setData(collection(placed().map((task) => ({
          type: "Feature", properties: { id: task.id, icon: iconName(task.severity, fillOf(task.state), leftOf(task).standing), quiet: false, late: false, weight: 0 },
          geometry: { type: "Point", coordinates: [task.of.lon ?? 0, task.of.lat ?? 0] },
        }))))),
        effect(() => void /** @type {GeoJSONSource} */ (map.getSource("here")).setData(collection(place.value === null ? [] : [
          { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [place.value.lon, place.value.lat] } },
        ]))),
      ];
      if (walked) stops.push(drawWalked(map, walked));
      stop = () => stops.forEach((each) => each());
    });
    map.on("click", "cases", (event) => go(`task/${String(event.features?.[0]?.properties["id"])}`));
    map.on("idle", () => { container.dataset["idle"] = "yes"; });
    map.on("error", ({ error }) => { container.dataset["failed"] = error.message; }); // a tile that is not there offline
    return () => {
      stop();
      map.remove();
    };
  }, [layers, chosen, beats.value, at?.lon, at?.lat, which]);
  return html`<div class="beat-map" ref=${box} /><p class="small muted attribution">${layers.attribution}</p>`;
}
