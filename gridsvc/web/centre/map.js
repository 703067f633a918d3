// The map of the room. It draws what the lists hold, sends clicks back, and moves only when it is told to.
import { computed, effect, html, signal, useEffect, useRef } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { t } from "../shared/language.js";
import { fillOf } from "../shared/marks.js";
import { Map as MapLibre, setWorkerUrl } from "../vendor/maplibre-gl.mjs";
import { briefOf, cameras, officers } from "./city.js";
import { isDown } from "./figures.js";
import { ComponentCard, chosenComponent, keepComponents } from "./component.js";
import { keepTools } from "./drawing.js";
import { keepHeat } from "./heat.js";
import { Legend } from "./legend.js";
import { addIcons, iconName, styleOf } from "./mapstyle.js";
import { keepPlan } from "./plan.js";
import { keepSight } from "./sight.js";
import { theme } from "./theme.js";
import { Tools, corners, put, tool } from "./tools.js";
import { asksForPlace, chosenCamera, filters, goal, homeward, inFilter, isLate, leftOf, listed, marked, narrow, open, opened, panel, pointed } from "./view.js";

/** @typedef {{type: "Feature", properties: Record<string, unknown>, geometry: {type: "Point", coordinates: [number, number]}}} Feature */
/** @import { GeoJSONSource } from "../vendor/maplibre-gl.mjs" */
/** @import { Brief, MapLayers } from "../shared/types.js" */
/** @import { All } from "./legend.js" */

setWorkerUrl(new URL("../vendor/maplibre-gl-worker.mjs", import.meta.url).href);

const KEPT = "gridsvc.map";
const STALE_MS = 5 * 60_000; // an officer who was not heard for longer is drawn grey
const WEIGHT = { low: 0, normal: 1, high: 2, emergency: 3 };

/** @type {import("../vendor/signals.mjs").Signal<All>} */
export const shown = signal({ buildings3d: false, cells: true, beats: false, officers: true, cameras: true, components: true, heat: false, figure: "open", category: "", ...kept() });

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {Partial<All>} change */
function show(change) {
  shown.value = { ...shown.peek(), ...change };
  localStorage.setItem(KEPT, JSON.stringify(shown.peek()));
}

/** @param {{lon: number, lat: number}} at @param {Record<string, unknown>} properties @returns {Feature} */
const point = ({ lon, lat }, properties) => ({
  type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] },
});

/** Every case that is drawn, as the map needs it, by id. */
const drawn = computed(() => {
  decade.value;
  const bright = panel.value === "queue" ? new Set(listed.value) : null;
  /** @type {Map<string, {key: string, loud: boolean, feature: Feature}>} */
  const made = new Map();
  for (const brief of inFilter.value) {
    if (brief.lon === null || brief.lat === null) continue;
    const icon = iconName(brief.severity, fillOf(brief.state), leftOf(brief).standing);
    const quiet = bright !== null && !bright.has(brief);
    const properties = { id: brief.id, icon, quiet, late: isLate(brief), weight: WEIGHT[brief.severity] };
    made.set(brief.id, {
      key: `${icon}${quiet}${brief.lon},${brief.lat}`, loud: brief.severity === "emergency",
      feature: point({ lon: brief.lon, lat: brief.lat }, properties),
    });
  }
  return made;
});

/** How many cases, late ones, or cases of one category, each cell has: of those that the filters let through. */
const loads = computed(() => {
  const { figure, category } = shown.value;
  const counts = { open: () => true, late: isLate, category: (/** @type {Brief} */ brief) => `${brief.edition}:${brief.category}` === category }[figure];
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const brief of inFilter.value) {
    if (brief.cell !== null && counts(brief)) sums.set(brief.cell, (sums.get(brief.cell) ?? 0) + 1);
  }
  return sums;
});

/**
 * Keep a map in step until the returned function is called.
 * @param {MapLibre} map
 * @param {MapLayers} city
 */
function keepInStep(map, city) {
  const source = (/** @type {string} */ name) => /** @type {GeoJSONSource} */ (map.getSource(name));
  let waits = 0;
  /** @type {Map<string, {key: string, loud: boolean}>} */
  let before = new Map();
  const stops = [
    effect(() => {
      const now = drawn.value;
      for (const loud of [false, true]) {
        const add = [], remove = [];
        for (const [id, each] of now) if (each.loud === loud && !(before.get(id)?.key === each.key && before.get(id)?.loud === loud)) add.push(each.feature);
        for (const [id, each] of before) if (each.loud === loud && now.get(id)?.loud !== loud) remove.push(id);
        const name = loud ? "emergencies" : "cases";
        // Beyond a thousand changes the library begins anew anyway, and setData is the quicker way to do that.
        if (add.length + remove.length > 1000) {
          void source(name).setData({ type: "FeatureCollection", features: [...now.values()].filter((each) => each.loud === loud).map((each) => each.feature) });
        } else if (add.length + remove.length > 0) {
          void source(name).updateData({ remove, add });
        }
      }
      before = now;
      /** @type {HTMLElement} */ (map.getContainer()).dataset["cases"] = String(now.size);
    }),
    effect(() => {
      const brief = briefOf(opened.value);
      const at = brief !== null && brief.lon !== null && brief.lat !== null ? { lon: brief.lon, lat: brief.lat } : null;
      void source("opened").setData({ type: "FeatureCollection", features: [at, marked.value].filter((each) => each !== null).map((each) => point(each, {})) });
    }),
    effect(() => {
      decade.value;
      const features = [];
      for (const each of officers.value) {
        if (!each.on_duty || each.lon === null || each.lat === null) continue;
        const stale = each.at === null || cityNow() - Date.parse(each.at) > STALE_MS;
        const spread = (each.accuracy_m ?? 0) / (78_271.517 * Math.cos((each.lat * Math.PI) / 180));
        features.push(point({ lon: each.lon, lat: each.lat }, { id: each.id, name: each.name, icon: stale ? "officer-stale" : "officer", spread }));
      }
      void source("officers").setData({ type: "FeatureCollection", features });
    }),
    effect(() => {
      const features = cameras.value.map((each) =>
        point(each, { id: each.code, icon: isDown(each) ? "camera-down" : "camera", bearing: each.bearing_deg ?? 0 }));
      void source("cameras").setData({ type: "FeatureCollection", features });
    }),
  ];
  /** @type {Map<string, number>} */
  let coloured = new Map();
  if (map.getSource("cells")) {
    stops.push(effect(() => {
      const now = loads.value;
      for (const [id, n] of now) if (coloured.get(id) !== n) map.setFeatureState({ source: "cells", sourceLayer: "cells", id }, { n });
      for (const id of coloured.keys()) if (!now.has(id)) map.setFeatureState({ source: "cells", sourceLayer: "cells", id }, { n: 0 });
      coloured = now;
    }));
  }
  stops.push(effect(() => {
    const { buildings3d, cells, beats, officers: people, cameras: lenses } = shown.value;
    /** @type {Record<string, boolean>} */
    const wanted = {
      buildings: !buildings3d, "buildings-3d": buildings3d, "cells-load": cells, "cells-line": cells, "cell-names": cells,
      "beats-line": beats, officers: people, "officers-accuracy": people, cameras: lenses,
    };
    for (const [id, is] of Object.entries(wanted)) if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", is ? "visible" : "none");
    if (buildings3d !== map.getPitch() > 0) map.jumpTo({ pitch: buildings3d ? 55 : 0 });
  }));
  stops.push(effect(() => {
    if (homeward.value > 0) map.fitBounds(city.bounds, { padding: 24, duration: 0 });
  }));
  stops.push(effect(() => {
    const to = goal.value;
    if (to !== null) waits = requestAnimationFrame(() => bring(map, to)); // the drawer of the same click stands by then
  }));
  return () => {
    cancelAnimationFrame(waits);
    stops.forEach((stop) => stop());
  };
}

/**
 * Show a place; the map stays where it is if the place is in sight already, beside the drawer.
 * @param {MapLibre} map
 * @param {{lon: number, lat: number, always: boolean, zoom?: number}} to
 */
function bring(map, to) {
  const box = map.getContainer().getBoundingClientRect();
  const drawer = document.querySelector(".drawer")?.getBoundingClientRect();
  const covered = drawer && opened.peek() !== "" ? Math.max(0, box.right - drawer.left) : 0;
  const right = covered < box.width - 160 ? covered : 0;
  const at = map.project([to.lon, to.lat]);
  const inSight = at.x > 40 && at.y > 40 && at.x < box.width - right - 40 && at.y < box.height - 40;
  if (inSight && !to.always) return;
  const zoom = Math.max(map.getZoom(), to.zoom ?? (to.always ? 15 : 14));
  map.easeTo({ center: [to.lon, to.lat], zoom, offset: [-right / 2, 0], duration: 150 });
}

/** @param {{city: MapLayers}} props */
export function MapView({ city }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const live = useRef(/** @type {MapLibre | null} */ (null));
  const camera = useRef(/** @type {{center: [number, number], zoom: number, pitch: number, bearing: number} | null} */ (null));
  const chosen = theme.value;

  useEffect(() => {
    const container = /** @type {HTMLDivElement} */ (box.current);
    const map = new MapLibre({
      container, style: styleOf(city, shown.peek()), fadeDuration: 0, attributionControl: false, maxZoom: 19, minZoom: 8,
      ...(camera.current ?? { bounds: city.bounds, fitBoundsOptions: { padding: 24 } }),
      locale: { "Map.Title": t("map.title") },
    });
    live.current = map;
    Object.assign(container, { map }); // for whoever looks at the page from outside: tests, and the console
    let stop = () => {};
    map.on("style.load", () => {
      addIcons(map);
      const stops = [keepInStep(map, city), keepHeat(map, drawn, shown), keepSight(map), keepPlan(map), keepComponents(map, city, shown), keepTools(map)];
      stop = () => stops.forEach((each) => each());
    });
    map.on("click", (event) => {
      const asked = asksForPlace.peek();
      if (asked !== null) return asked(event.lngLat.lng, event.lngLat.lat);
      if (tool.peek() !== "") {
        if (corners.peek().length > 0) put([event.lngLat.lng, event.lngLat.lat]); // the first was set by keys; else it is terra-draw's
        return;
      }
      click(map, event.point);
    });
    map.on("idle", () => { container.dataset["idle"] = "yes"; });
    map.on("movestart", () => { delete container.dataset["idle"]; });
    map.on("error", ({ error }) => {
      container.dataset["failed"] = error.message; // a tile that did not come is asked for again when the map moves
    });
    for (const layer of ["cases", "emergencies", "clusters", "officers", "cameras", "components"]) {
      map.on("mouseenter", layer, (event) => {
        map.getCanvas().style.cursor = "pointer";
        const id = event.features?.[0]?.properties["id"];
        if (layer === "cases" || layer === "emergencies") pointed.value = id;
      });
      map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
    }
    return () => {
      const { lng, lat } = map.getCenter();
      camera.current = { center: [lng, lat], zoom: map.getZoom(), pitch: map.getPitch(), bearing: map.getBearing() };
      stop();
      map.remove();
      live.current = null;
    };
  }, [city, chosen]);

  const map = () => /** @type {MapLibre} */ (live.current);
  const is = shown.value;
  return html`<div class=${`map ${asksForPlace.value ? "asks" : ""}`} ref=${box} />
    ${asksForPlace.value && html`<p class="map-asks" role="status">${t("map.asks")}</p>`}
    <div class="map-tools" role="group" aria-label=${t("map.tools")}>
      <button onClick=${() => map().zoomIn({ duration: 100 })} aria-label=${t("map.in")} title=${t("map.in")}>+</button>
      <button onClick=${() => map().zoomOut({ duration: 100 })} aria-label=${t("map.out")} title=${t("map.out")}>−</button>
      <button onClick=${() => map().fitBounds(city.bounds, { padding: 24, duration: 100 })} aria-label=${t("map.whole")} title=${t("map.whole")}>
        <svg width="16" height="16" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" class="icon" /></svg></button>
      <button aria-pressed=${is.buildings3d} onClick=${() => show({ buildings3d: !is.buildings3d })}>3D</button>
      <${Tools} middle=${() => { const { lng, lat } = map().getCenter(); return [lng, lat]; }} />
    </div>
    ${chosenComponent.value !== "" && html`<${ComponentCard} close=${() => { chosenComponent.value = ""; }} />`}
    <${Legend} shown=${is} show=${show} />
    <p class="attribution">${city.attribution}</p>`;
}

/**
 * @param {MapLibre} map
 * @param {{x: number, y: number}} at
 */
function click(map, at) {
  const near = 8; // a finger is no needle
  /** @param {string[]} layers */
  const under = (...layers) => map.queryRenderedFeatures([[at.x - near, at.y - near], [at.x + near, at.y + near]], { layers: layers.filter((each) => map.getLayer(each)) })[0];
  const single = under("emergencies") ?? under("cases");
  if (single) return open(String(single.properties["id"]));
  const bubble = under("clusters");
  if (bubble && bubble.geometry.type === "Point") {
    const [lon, lat] = bubble.geometry.coordinates;
    void /** @type {GeoJSONSource} */ (map.getSource("cases")).getClusterExpansionZoom(bubble.properties["cluster_id"])
      .then((zoom) => map.easeTo({ center: [lon ?? 0, lat ?? 0], zoom, duration: 150 }));
    return;
  }
  const officer = under("officers");
  if (officer) {
    narrow({ officer: filters.peek().officer === officer.properties["id"] ? "" : String(officer.properties["id"]) });
    panel.value = "cases";
    return;
  }
  const camera = under("cameras");
  if (camera) {
    chosenCamera.value = String(camera.properties["id"]);
    panel.value = "cameras";
    return;
  }
  const component = under("components");
  chosenComponent.value = component ? String(component.properties["code"]) : "";
}

