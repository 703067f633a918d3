// Components (部件) on the map, from near by: what stands there, drawn by class; one of them in a card, with its state and
// its open cases; found by code or name where no map can be used.
import { computed, effect, html, signal, useEffect, useRef, useState } from "../shared/screen.js";
import { named, t, word } from "../shared/language.js";
import { Refused, ask } from "../shared/service.js";
import { briefOf, departmentName, lists } from "./city.js";
import { categoryOf } from "./review.js";
import { ink } from "./theme.js";
import { goal, open } from "./view.js";

/** @import { GeoJSONSource, Map as MapLibre, ExpressionSpecification } from "../vendor/maplibre-gl.mjs" */
/** @import { Component, ComponentDetail, MapLayers } from "../shared/types.js" */

/** From this zoom on single ones have tiles; icons come one zoom later. */
const DOTS_FROM = 15, ICONS_FROM = 16;
const SEARCH_AFTER_MS = 200;
const OVER = new Set(["closed", "rejected", "cancelled", "merged"]);

/** The code of the one in the card; "" for none. */
export const chosenComponent = signal("");

/** Where that one stands. */
export const componentSpot = signal(/** @type {{lon: number, lat: number} | null} */ (null));

/** @typedef {"cover" | "lamp" | "pole" | "box" | "road" | "bin" | "tree" | "house" | "other"} Look */
/** On a field of 24 by 24. @type {Record<Look, string>} */
export const GLYPHS = {
  cover: "M12 5a7 7 0 1 1 0 14a7 7 0 0 1 0-14ZM8.500 10h7M8.500 14h7",
  lamp: "M8 20V5h8M16 5v4M13 9h6",
  pole: "M12 20V4M6 8h12M8 12h8",
  box: "M6 5h12v14H6ZM6 10h12M12 14v2",
  road: "M4 9h16v5H4ZM7 14v5M17 14v5",
  bin: "M7 8h10l-1 12H8ZM5 8h14M10 5h4",
  tree: "M12 20v-6M12 4a5 5 0 1 1 0 10a5 5 0 0 1 0-10Z",
  house: "M5 12l7-7l7 7M7 11v8h10v-8",
  other: "M12 5l7 7l-7 7l-7-7Z",
};

/** What a class is drawn as: by what it is called, since editions number the same classes differently. @type {[RegExp, Look][]} */
const BY_NAME = [[/井盖|雨水箅/, "cover"], [/灯/, "lamp"], [/立杆|电杆/, "pole"], [/树|绿|园林|花/, "tree"], [/垃圾|果皮|公厕|环卫/, "bin"]];
/** @type {[RegExp, Look][]} */
const BY_MAJOR = [[/公用/, "box"], [/交通|道路/, "road"], [/市容|环境/, "bin"], [/园林|绿化/, "tree"], [/房屋|土地/, "house"]];

/** The classes of the categories, with their names and what each is drawn as. */
const classes = computed(() => {
  /** @type {Map<string, {name: string, look: Look}>} */
  const found = new Map();
  for (const each of lists.value?.categories.values() ?? []) {
    const look = [...BY_NAME.filter(([says]) => says.test(each.name)), ...BY_MAJOR.filter(([says]) => says.test(each.major_name))][0]?.[1] ?? "other";
    const code = each.code.slice(-4); // categories of components end in the number of the class
    if (each.kind === "component" && !found.has(code)) found.set(code, { name: named(each.name, each.name_en), look });
  }
  return found;
});

/** @param {string} code */
const className = (code) => classes.value.get(code)?.name ?? code;

/**
 * Draw them until the returned function is called.
 * @param {MapLibre} map
 * @param {MapLayers} city
 * @param {import("../vendor/signals.mjs").ReadonlySignal<{components: boolean}>} shown
 */
export function keepComponents(map, city, shown) {
  const layer = city.layers["components"];
  if (layer === undefined) return () => {};
  map.addSource("components", {
    type: "vector", minzoom: DOTS_FROM, maxzoom: layer.maxzoom,
    tiles: [`${location.origin}/tiles/components/{z}/{x}/{y}.mvt?v=${encodeURIComponent(layer.version)}`],
  });
  map.addSource("component", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  for (const [look, glyph] of Object.entries(GLYPHS)) {
    for (const sound of [true, false]) map.addImage(`component/${look}/${sound}`, drawComponent(glyph, sound, ratio), { pixelRatio: ratio });
  }
  const looks = [...classes.peek()].flatMap(([code, { look }]) => [code, look]);
  const look = looks.length > 0 ? ["match", ["get", "class"], ...looks, "other"] : "other";
  const sound = ["case", ["==", ["get", "state"], "intact"], "true", "false"];
  const under = map.getLayer("cameras") ? "cameras" : undefined;
  const common = /** @type {const} */ ({ source: "components", "source-layer": "components" });
  map.addLayer({
    id: "component-dots", type: "circle", ...common, minzoom: DOTS_FROM, maxzoom: ICONS_FROM,
    paint: { "circle-radius": 2.5, "circle-color": ink("map-text"), "circle-opacity": 0.8 },
  }, under);
  map.addLayer({
    id: "components", type: "symbol", ...common, minzoom: ICONS_FROM,
    layout: {
      "icon-image": /** @type {ExpressionSpecification} */ (/** @type {unknown} */ (["concat", "component/", look, "/", sound])), "icon-allow-overlap": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], ICONS_FROM, 0.75, 18, 1],
    },
  }, under);
  map.addLayer({ id: "component", type: "circle", source: "component", paint: { "circle-radius": 15, "circle-color": ink("accent"), "circle-opacity": 0.2, "circle-stroke-color": ink("accent"), "circle-stroke-width": 2 } }, "component-dots");
  const stops = [
    effect(() => {
      const visibility = shown.value.components ? "visible" : "none";
      for (const id of ["component-dots", "components"]) map.setLayoutProperty(id, "visibility", visibility);
    }),
    effect(() => {
      const spot = componentSpot.value;
      void /** @type {GeoJSONSource} */ (map.getSource("component")).setData({
        type: "FeatureCollection", features: spot === null ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [spot.lon, spot.lat] } }],
      });
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

/** A tile with a glyph; what does not stand as it should carries a corner with a mark. @param {string} glyph @param {boolean} sound @param {number} ratio */
function drawComponent(glyph, sound, ratio) {
  const side = 24;
  const canvas = new OffscreenCanvas(side * ratio, side * ratio);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(ratio, ratio);
  pen.fillStyle = ink("surface-1");
  pen.strokeStyle = ink("map-border");
  pen.beginPath();
  pen.roundRect(1.5, 1.5, side - 3, side - 3, 5);
  pen.fill();
  pen.stroke();
  pen.save();
  pen.translate(3.6, 3.6);
  pen.scale(0.7, 0.7);
  pen.lineWidth = 2.2;
  pen.lineJoin = "round";
  pen.strokeStyle = ink("map-text");
  pen.stroke(new Path2D(glyph));
  pen.restore();
  if (!sound) {
    pen.fillStyle = ink("soon");
    pen.beginPath();
    pen.arc(side - 6, 6, 5, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = ink("surface-1");
    pen.fillRect(side - 6.8, 2.8, 1.6, 3.8);
    pen.fillRect(side - 6.8, 7.4, 1.6, 1.6);
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** All of one component. @param {{close: () => void}} props */
export function ComponentCard({ close }) {
  const code = chosenComponent.value;
  const [found, setFound] = useState(/** @type {ComponentDetail | null} */ (null));
  const [wrong, setWrong] = useState("");
  const head = useRef(/** @type {HTMLElement | null} */ (null));
  const before = useRef(/** @type {Element | null} */ (null));
  useEffect(() => {
    before.current = document.activeElement;
    head.current?.focus();
    return () => { if (before.current instanceof HTMLElement) before.current.focus(); };
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setFound(null);
    setWrong("");
    ask(`/api/v1/components/${encodeURIComponent(code)}`, stop.signal).then((/** @type {ComponentDetail} */ detail) => {
      setFound(detail);
      componentSpot.value = { lon: detail.component.lon, lat: detail.component.lat };
    }, (refused) => {
      if (refused instanceof Refused) setWrong(refused.code);
    });
    return () => {
      stop.abort();
      componentSpot.value = null;
    };
  }, [code]);
  const of = found?.component;
  const all = found?.cases.map((each) => ({ ...each, state: briefOf(each.id)?.state ?? each.state })) ?? []; // the feed is newer
  const running = all.filter((each) => !OVER.has(each.state));
  return html`<section class="component-card" aria-label=${t("component.title")} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } }}>
    <header tabindex="-1" ref=${head}><h3>${of?.name ?? t("component.title")}</h3>
      <button class="quiet icon-button" onClick=${close} aria-label=${t("component.close")}>×</button></header>
    ${wrong !== "" ? html`<p class="wrong" role="alert">${t(wrong === "unknown" ? "component.gone" : "trouble.other")}</p>` : of === undefined ? html`<p class="muted" role="status">${t("room.loading")}</p>` : html`
      <dl class="facts">
        <dt>${t("component.code")}</dt><dd class="number">${of.code}</dd>
        <dt>${t("component.class")}</dt><dd>${className(of.class)}</dd>
        <dt>${t("filter.state")}</dt><dd>${word("componentState", of.state)}</dd>
        <dt>${t("component.owning")}</dt><dd>${of.owner_unknown ? t("component.ownerUnknown") : departmentName(of.owning) || "–"}</dd>
        <dt>${t("component.maintaining")}</dt><dd>${departmentName(of.maintaining) || "–"}</dd>
        <dt>${t("drawer.cell")}</dt><dd>${of.cell ?? "–"}</dd>
      </dl>
      <h4>${t("component.cases", { n: running.length })}</h4>
      ${running.length === 0 ? html`<p class="muted small">${t("component.noCases", { n: all.length - running.length })}</p>` : html`<ul class="near">
        ${running.map((each) => html`<li key=${each.id}><button class="link" onClick=${() => open(each.id)}>${each.number ?? t("case.unnumbered")}</button><span class="muted">${categoryOf(each.category)} · ${word("state", each.state)}</span></li>`)}</ul>`}
      <button onClick=${() => { goal.value = { lon: of.lon, lat: of.lat, always: true, zoom: ICONS_FROM + 1 }; }}>${t("list.toMap")}</button>`}
  </section>`;
}

/** By code or name, in the register. @param {{done: () => void}} props */
export function FindComponent({ done }) {
  const [text, setText] = useState("");
  const [rows, setRows] = useState(/** @type {Component[] | null} */ (null));
  useEffect(() => {
    setRows(null);
    if (text.length < 2) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask(`/api/v1/components?limit=8&q=${encodeURIComponent(text)}`, stop.signal).then((page) => setRows(page.items), (failed) => {
        if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // typing on asks again
      });
    }, SEARCH_AFTER_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return html`<h3>${t("component.find")}</h3>
    <input type="search" maxlength="128" value=${text} aria-label=${t("component.find")} placeholder=${t("component.findHint")}
      onInput=${(/** @type {Event} */ event) => setText(/** @type {HTMLInputElement} */ (event.currentTarget).value.trim())} />
    <ul class="found" aria-live="polite">${rows?.length === 0 && html`<li class="small muted">${t("component.none")}</li>`}
      ${rows?.map((each) => html`<li key=${each.code}><button class="quiet" onClick=${() => {
        goal.value = { lon: each.lon, lat: each.lat, always: true, zoom: ICONS_FROM + 1 };
        chosenComponent.value = each.code;
        done();
      }}><b>${each.name}</b> <span class="muted number">${each.code}</span></button></li>`)}</ul>`;
}
