// What this person looks at: panel, filters, order, the open case. All of it is in the page's address.
import { batch, computed, effect, signal } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { language } from "../shared/language.js";
import { person } from "../shared/service.js";
import { timeLeft } from "../shared/timeleft.js";
import { caseTurn, cases, categoryName, divisionName, lists, ownerName, played } from "./city.js";
import { NONE, inView, readFilters, writeFilters } from "./filters.js";
import { byNewest, byUrgency, hasQueue, waitsFor } from "./queue.js";

/** @import { Brief, Division } from "../shared/types.js" */
/** @import { Filters } from "./filters.js" */

/** @typedef {"queue" | "cases" | "officers" | "review" | "cameras" | "intake" | "patrols" | "shift" | "board" | "admin"} Panel */
export const PANELS = /** @type {const} */ (["queue", "cases", "officers", "review", "cameras", "intake", "patrols", "shift", "board", "admin"]);

export const panel = signal(/** @type {Panel} */ ("cases"));
export const filters = signal(/** @type {Filters} */ (NONE));
export const order = signal(/** @type {"urgent" | "newest"} */ ("urgent"));

/** The id of the case in the drawer; "" for none. */
export const opened = signal("");

/** On a phone the map and the list take turns. */
export const mapFirst = signal(false);

/** Cameras or officers that are shown: all, or only those that want a look. */
export const onlyDown = signal(false);

/** The code of the camera that is looked at; "" for none. */
export const chosenCamera = signal("");

/** Cases that are picked for an act on all of them. @type {import("../vendor/signals.mjs").Signal<ReadonlySet<string>>} */
export const picked = signal(new Set());

/** The case that the list or the map points at. */
export const pointed = signal("");

/** Where the map should go: set by lists, taken by the map. @type {import("../vendor/signals.mjs").Signal<{lon: number, lat: number, always: boolean, zoom?: number} | null>} */
export const goal = signal(null);

/** How often the map was asked to show the whole city again. */
export const homeward = signal(0);

/** A place that a form asks for; the next click on the map answers. @type {import("../vendor/signals.mjs").Signal<((lon: number, lat: number) => void) | null>} */
export const asksForPlace = signal(null);

/** A place that a form has found; the map shows it. @type {import("../vendor/signals.mjs").Signal<{lon: number, lat: number} | null>} */
export const marked = signal(null);

/** @param {Brief} brief */
export const leftOf = (brief) => timeLeft(brief, played.value?.at ?? cityNow());

/** @param {Brief} brief */
export const isLate = (brief) => brief.overdue || leftOf(brief).standing === "late";

const NO_DIVISIONS = /** @type {Map<string, Division>} */ (new Map());

// Names come from the lists: cases may be there before them.
/** @type {WeakMap<Brief, {language: string, names: unknown, words: string}>} */
const searched = new WeakMap();

/** @param {Brief} brief */
function wordsOf(brief) {
  const known = searched.get(brief);
  const names = lists.value;
  if (known !== undefined && known.language === language.value && known.names === names) return known.words;
  const words = [brief.number, brief.acceptance_number, brief.cell, categoryName(brief), divisionName(brief.division), ownerName(brief)]
    .join(" ").toLowerCase();
  searched.set(brief, { language: language.value, names, words });
  return words;
}

/** The cases that the filters let through, in the chosen order: what the map shows. */
export const inFilter = computed(() => {
  caseTurn.value;
  decade.value; // what was in time a moment ago may be late now
  const divisions = lists.value?.divisions ?? NO_DIVISIONS;
  const chosen = filters.value;
  const found = [...cases.value.values()].filter((brief) => inView(brief, chosen, divisions, wordsOf, isLate));
  return found.sort(order.value === "urgent" ? byUrgency : byNewest);
});

/** Those of them that wait for this person. */
export const mine = computed(() => {
  const me = person.value;
  return me ? inFilter.value.filter((brief) => waitsFor(brief, me) !== null) : [];
});

/** What the list shows; the map draws the others faintly. */
export const listed = computed(() => (panel.value === "queue" ? mine.value : inFilter.value));

/** @param {Partial<Filters>} change */
export function narrow(change) {
  filters.value = { ...filters.peek(), ...change };
}

/** Take every filter away but the division, that is where one works and not what one looks for. */
export const widen = () => {
  filters.value = { ...NONE, division: filters.peek().division };
};

/** The division that one works in, as a part of an address. */
export const inDivision = () => (filters.value.division === "" ? "" : `&division=${encodeURIComponent(filters.value.division)}`);

/** @param {string} id */
export function open(id) {
  batch(() => {
    opened.value = id;
    pointed.value = id;
    const brief = cases.peek().get(id);
    if (brief !== undefined && brief.lon !== null && brief.lat !== null) goal.value = { lon: brief.lon, lat: brief.lat, always: false };
  });
}

export const close = () => {
  opened.value = "";
};

/** @param {string} id */
export function pick(id) {
  if (played.peek()) return;
  const next = new Set(picked.peek());
  if (!next.delete(id)) next.add(id);
  picked.value = next;
}

// ---- the address --------------------------------------------------------------------------------

/** Read the page's address, and write it from now on. Returns how to stop. */
export function followAddress() {
  const read = () => {
    const query = new URLSearchParams(location.search);
    batch(() => {
      filters.value = readFilters(query);
      order.value = query.get("order") === "newest" ? "newest" : "urgent";
      opened.value = query.get("case") ?? "";
      const named = PANELS.find((each) => each === query.get("panel"));
      const me = person.peek();
      panel.value = named ?? (me && hasQueue(me) ? "queue" : "cases");
    });
  };
  read();
  window.addEventListener("popstate", read);
  const stop = effect(() => {
    const query = new URLSearchParams();
    query.set("panel", panel.value);
    writeFilters(filters.value, query);
    if (order.value !== "urgent") query.set("order", order.value);
    if (opened.value !== "") query.set("case", opened.value);
    const wanted = `?${query.toString().replaceAll("%2C", ",")}`;
    if (wanted !== location.search) history.replaceState(null, "", wanted);
  });
  return () => {
    stop();
    window.removeEventListener("popstate", read);
  };
}
