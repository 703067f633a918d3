// A small map with one pin: the circle is as large as the place is uncertain, a tap moves the pin.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { Refused } from "../shared/service.js";
import { styleOf } from "../centre/mapstyle.js";
import { ink } from "../centre/theme.js";
import { Map as MapLibre, setWorkerUrl } from "../vendor/maplibre-gl.mjs";
import { moved } from "./place.js";
import { say } from "./say.js";
import { askOrKept } from "./session.js";

/** @import { GeoJSONSource } from "../vendor/maplibre-gl.mjs" */
/** @import { Place } from "./draft.js" */

setWorkerUrl(new URL("../vendor/maplibre-gl-worker.mjs", import.meta.url).href);

const CORNERS = 48;
const PLAIN = { buildings3d: false, cells: true, beats: false, officers: false, cameras: false, components: false, heat: false };

/**
 * @param {object} props
 * @param {Place | null} props.place
 * @param {{lon: number, lat: number, accuracy_m: number} | null} props.fix
 * @param {(at: {lon: number, lat: number}) => void} props.put
 */
export function PinMap({ place, fix, put }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const live = useRef(/** @type {MapLibre | null} */ (null));
  const now = useRef({ place, fix, put });
  now.current = { place, fix, put };
  const [failed, setFailed] = useState("");

  const [attribution, setAttribution] = useState("");

  useEffect(() => {
    if (failed !== "" || box.current === null) return undefined;
    const container = box.current;
    let gone = false;
    askOrKept("/api/v1/map").then(({ body }) => {
      if (gone) return;
      setAttribution(body.attribution);
      const { place: pin, fix: found } = now.current;
      const at = pin ?? found;
      const map = new MapLibre({
        container, style: styleOf(body, PLAIN), fadeDuration: 0, attributionControl: false, maxZoom: 19, minZoom: 8, dragRotate: false, pitchWithRotate: false,
        ...(at === null ? { bounds: body.bounds } : { center: [at.lon, at.lat], zoom: 17 }), locale: { "Map.Title": say("place.map") },
      });
      live.current = map;
      map.on("style.load", () => {
        map.addSource("circle", empty()).addSource("pin", empty());
        map.addLayer({ id: "circle", type: "fill", source: "circle", paint: { "fill-color": ink("accent"), "fill-opacity": 0.22 } });
        map.addLayer({ id: "circle-edge", type: "line", source: "circle", paint: { "line-color": ink("accent"), "line-width": 2 } });
        map.addLayer({ id: "pin", type: "circle", source: "pin", paint: { "circle-radius": 8, "circle-color": ink("late"), "circle-stroke-color": ink("surface-1"), "circle-stroke-width": 3 } });
        draw(map, now.current.place, now.current.fix, true);
      });
      map.on("click", ({ lngLat }) => now.current.put({ lon: lngLat.lng, lat: lngLat.lat }));
      map.on("idle", () => { container.dataset["idle"] = "yes"; });
      map.on("error", ({ error }) => { container.dataset["failed"] = error.message; }); // a tile that is not kept: the rest is there
    }, (refused) => setFailed(refused instanceof Refused ? refused.code : String(refused)));
    return () => {
      gone = true;
      live.current?.remove();
      live.current = null;
    };
  }, [failed]);
  useEffect(() => {
    if (live.current?.getSource("pin")) draw(live.current, place, fix, false);
  }, [place?.lon, place?.lat, fix?.accuracy_m]);

  if (failed !== "") return html`<p class="small">${say("place.noMap")}</p>`;
  return html`<div class="pinmap" ref=${box} role="application" aria-label=${say("place.mapHint")}></div><p class="small muted">${say("place.mapHint")} ${attribution}</p>`;
}

/** @returns {{type: "geojson", data: {type: "FeatureCollection", features: []}}} */
const empty = () => ({ type: "geojson", data: { type: "FeatureCollection", features: [] } });

/** @param {MapLibre} map @param {Place | null} place @param {{lon: number, lat: number, accuracy_m: number} | null} fix @param {boolean} goes */
function draw(map, place, fix, goes) {
  const pin = /** @type {GeoJSONSource} */ (map.getSource("pin")), circle = /** @type {GeoJSONSource} */ (map.getSource("circle"));
  void pin.setData({ type: "FeatureCollection", features: place === null ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [place.lon, place.lat] } }] });
  const ring = fix === null ? [] : Array.from({ length: CORNERS + 1 }, (_, n) => {
    const turn = (2 * Math.PI * n) / CORNERS, at = moved(fix, fix.accuracy_m * Math.cos(turn), fix.accuracy_m * Math.sin(turn));
    return [at.lon, at.lat];
  });
  void circle.setData({ type: "FeatureCollection", features: ring.length === 0 ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }] });
  if (goes && fix !== null) {
    const west = moved(fix, -fix.accuracy_m, -fix.accuracy_m), east = moved(fix, fix.accuracy_m, fix.accuracy_m);
    map.fitBounds([west.lon, west.lat, east.lon, east.lat], { padding: 24, maxZoom: 18, animate: false });
  }
}
