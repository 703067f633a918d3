// Tools of the map: an area is drawn to select what lies in it, distances and areas are measured. Each works by mouse or
// finger, and by keyboard: the map is moved below its middle, and the middle is the pen.
import { batch, computed, html, signal, useEffect, useRef, useState } from "../shared/screen.js";
import { areaOf, lengthOf, metresApart } from "../shared/geodesy.js";
import { count, exact, surface, t } from "../shared/language.js";
import { areaNamed, crosses, outlineOf, spell } from "./area.js";
import { played } from "./city.js";
import { FindComponent } from "./component.js";
import { say } from "./said.js";
import { filters, listed, mapFirst, narrow, panel, picked } from "./view.js";

/** @import { Spot } from "../shared/geodesy.js" */
/** @import { Area } from "./area.js" */

/** @typedef {"rectangle" | "polygon" | "circle" | "distance" | "surface"} Tool */
export const TOOLS = /** @type {const} */ (["rectangle", "polygon", "circle", "distance", "surface"]);

/** Which tool is in hand; "" for none. */
export const tool = signal(/** @type {Tool | ""} */ (""));

/** The corners that were set at the middle of the map or on the plain one. @type {import("../vendor/signals.mjs").Signal<Spot[]>} */
export const corners = signal([]);

/** What is drawn by the pointer as far as it stands; the first `set` spots are corners, the others follow the pointer. */
export const sketch = signal({ line: /** @type {Spot[]} */ ([]), set: 0 });

const NO_SKETCH = sketch.peek();

/** What was measured last, and stays until it is taken away. @type {import("../vendor/signals.mjs").Signal<{tool: "distance" | "surface", line: Spot[]} | null>} */
export const measured = signal(null);

/** The area of the filters, if one was drawn. */
export const drawnArea = computed(() => (filters.value.area === "" ? null : areaNamed(filters.value.area)));

/** With two corners these are done. */
const OF_TWO = new Set(["rectangle", "circle"]);

/** What all that is drawn looks like, as lines and rings for the map. */
export const outlines = computed(() => {
  const area = drawnArea.value, now = measured.value;
  const ring = area === null ? [] : outlineOf(area);
  const line = now === null ? [] : now.tool === "surface" ? closed(now.line) : now.line;
  return { ring, line, pen: tool.value === "" ? [] : shapeOf(tool.value, corners.value), corners: now === null ? corners.value : now.line };
});

/** @param {Spot[]} line @returns {Spot[]} */
const closed = (line) => (line.length > 2 ? [...line, /** @type {Spot} */ (line[0])] : line);

/** @param {Tool} of @param {Spot[]} set @returns {Spot[]} */
function shapeOf(of, set) {
  const area = set.length < 2 ? null : areaFrom(of, set);
  return area === null ? set : outlineOf(area);
}

/** The area that a tool makes of its corners; null where it makes none of them. @param {Tool} of @param {Spot[]} set @returns {Area | null} */
function areaFrom(of, set) {
  const [one, other] = set;
  if (one === undefined || other === undefined) return null;
  switch (of) {
    case "rectangle": {
      const [west, east] = [one[0], other[0]].sort((a, b) => a - b), [south, north] = [one[1], other[1]].sort((a, b) => a - b);
      return { kind: "box", west: west ?? 0, south: south ?? 0, east: east ?? 0, north: north ?? 0 };
    }
    case "circle": return { kind: "circle", at: one, metres: metresApart(one, other) };
    case "polygon": return set.length < 3 ? null : { kind: "ring", ring: set };
    default: return null;
  }
}

/** @param {Tool} of */
export function take(of) {
  batch(() => {
    tool.value = of;
    corners.value = [];
    sketch.value = NO_SKETCH;
    measured.value = null;
  });
}

/** Lay the tool and what it measured aside; the area stays, it is a filter. */
export function drop() {
  batch(() => {
    tool.value = "";
    corners.value = [];
    sketch.value = NO_SKETCH;
    measured.value = null;
  });
}

/** Set a corner. @param {Spot} spot */
export function put(spot) {
  const of = tool.peek();
  if (of === "") return;
  corners.value = [...corners.peek(), spot];
  if (OF_TWO.has(of) && corners.peek().length === 2) finish(corners.peek());
}

/** That was the last corner. @param {Spot[]} set */
export function finish(set) {
  const of = tool.peek();
  if (of === "" || set.length < 2) return;
  if (of === "distance" || of === "surface") {
    drop();
    if (of === "surface" && (set.length < 3 || crosses(set))) say(t("tools.noArea"));
    else measured.value = { tool: of, line: set };
    return;
  }
  const area = areaFrom(of, set), text = area === null ? "" : spell(area);
  drop();
  if (areaNamed(text) === null) say(t("tools.noArea"));
  else choose(text);
}

/** Show what lies in an area, and pick all of it. @param {string} area as it is spelled */
function choose(area) {
  batch(() => {
    narrow({ area });
    if (panel.peek() !== "queue") panel.value = "cases";
    mapFirst.value = false;
  });
  pickListed();
  if (played.peek() === null) say(t("tools.picked", { n: count(picked.peek().size) }));
}

/** Pick all that is listed; none where all of it is picked already. */
export function pickListed() {
  if (played.peek()) return;
  const ids = listed.peek().map((brief) => brief.id);
  picked.value = new Set(ids.every((id) => picked.peek().has(id)) ? [] : ids);
}

/** What a sketch measures, in words; "" where it measures nothing yet. @param {Tool} of @param {Spot[]} set */
export function measureOf(of, set) {
  if (of === "distance") return set.length < 2 ? "" : exact(lengthOf(set));
  const area = areaFrom(of, set);
  const ring = of === "surface" ? set : area === null ? [] : outlineOf(area).slice(0, -1);
  if (ring.length < 3) return "";
  const round = of === "circle" ? t("tools.radius", { length: exact(metresApart(/** @type {Spot} */ (set[0]), /** @type {Spot} */ (set[1]))) })
    : t("tools.round", { length: exact(lengthOf(closed(ring))) });
  return `${surface(areaOf(ring))} · ${round}`;
}

/**
 * The button that opens the tools, and the bar of the one in hand.
 * @param {{middle: () => Spot}} props `middle`: where the middle of the map is
 */
export function Tools({ middle }) {
  const [open, setOpen] = useState(false);
  const of = tool.value, now = measured.value;
  const { line: set, set: settled } = corners.value.length > 0 ? { line: corners.value, set: corners.value.length } : sketch.value;
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => bar.current?.focus(), [of]); // who chose it by keyboard goes on in its bar
  useEffect(() => {
    if (of === "" && now === null) return undefined;
    /** @param {KeyboardEvent} event */
    const key = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation(); // it lays the tool aside, and shuts nothing
      drop();
    };
    document.addEventListener("keydown", key, true);
    return () => document.removeEventListener("keydown", key, true);
  }, [of, now]);
  return html`<div class="tool-menu">
      <button aria-expanded=${open} aria-controls="map-tool-menu" aria-label=${t("tools.title")} title=${t("tools.title")} onClick=${() => setOpen(!open)}>
        <svg width="16" height="16" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 20l1-5L16 4l4 4L9 19ZM13 7l4 4" class="icon" /></svg></button>
      ${open && html`<div id="map-tool-menu" class="menu" onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.stopPropagation(); setOpen(false); } }}>
        <h3>${t("tools.select")}</h3>
        ${TOOLS.slice(0, 3).map((each) => html`<button key=${each} onClick=${() => { take(each); setOpen(false); }}>${t(`tool.${each}`)}</button>`)}
        ${drawnArea.value !== null && html`<button onClick=${() => narrow({ area: "" })}>${t("tools.clear")}</button>`}
        <h3>${t("tools.measure")}</h3>
        ${TOOLS.slice(3).map((each) => html`<button key=${each} onClick=${() => { take(each); setOpen(false); }}>${t(`tool.${each}`)}</button>`)}
        <${FindComponent} done=${() => setOpen(false)} />
      </div>`}
    </div>
    ${of !== "" && html`<section class="tool-bar in-hand" tabindex="-1" ref=${bar} aria-label=${t(`tool.${of}`)}>
      <p role="status"><b>${t(`tool.${of}`)}</b> ${t(`tools.how.${of}`)}</p>
      <p class="tool-figure">${measureOf(of, set)}</p>
      <div class="move-buttons"><button onClick=${() => put(middle())}>${t("tools.here")}</button>
        ${!OF_TWO.has(of) && html`<button disabled=${settled < (of === "distance" ? 2 : 3)} onClick=${() => finish(set.slice(0, settled))}>${t("tools.done")}</button>`}
        <button onClick=${drop}>${t("tools.stop")}</button></div>
    </section>`}
    ${now !== null && html`<section class="tool-bar" aria-label=${t(`tool.${now.tool}`)}>
      <p role="status"><b>${t(`tool.${now.tool}`)}</b> <span class="tool-figure">${measureOf(now.tool, now.line)}</span></p>
      <div class="move-buttons"><button onClick=${() => take(now.tool)}>${t("tools.again")}</button><button onClick=${drop}>${t("tools.stop")}</button></div>
    </section>`}`;
}
