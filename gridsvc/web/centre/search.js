// The search on top: it narrows the list while somebody types, and finds below the field what no list on the screen has:
// closed cases, places, officers, cells, coordinates, panels and divisions.
import { html, useEffect, useState } from "../shared/screen.js";
import { named as says, t, word } from "../shared/language.js";
import { en } from "../shared/words/en.js";
import { zh } from "../shared/words/zh-CN.js";
import { Refused, ask, person } from "../shared/service.js";
import { cases, categoryName, divisionName, lists, officers } from "./city.js";
import { isCommand, looksLikeCell, named, spotIn } from "./commands.js";
import { panelsFor } from "./rail.js";
import { DESK, holds } from "./roles.js";
import { say } from "./said.js";
import { filters, goal, mapFirst, marked, narrow, open, panel, widen } from "./view.js";

const TYPING_MS = 200;
const MOST = 5;
const NUMBER = /^[\d-]+$/; // of a case or a cell: no place is called so

/**
 * @typedef {object} Found
 * @property {string} id
 * @property {string} kind
 * @property {string} says
 * @property {string} more
 * @property {() => void} take
 */

/** @param {number} lon @param {number} lat */
function goTo(lon, lat) {
  mapFirst.value = matchMedia("(max-width: 760px)").matches;
  marked.value = { lon, lat };
  goal.value = { lon, lat, always: true };
}

/**
 * What is known without asking: panels, divisions, shelves.
 * @param {string} text
 * @returns {Found[]}
 */
function hereFor(text) {
  const me = person.peek();
  const panels = (me ? panelsFor(me) : []).map((each) => ({
    id: `panel ${each}`, kind: "panel", says: t(`panel.${each}`), more: "", names: [zh[`panel.${each}`], en[`panel.${each}`]], take: () => { panel.value = each; },
  }));
  const shelves = /** @type {const} */ (["late", "pooled"]).map((each) => ({
    id: `shelf ${each}`, kind: "panel", says: t(`search.${each}`), more: "", names: [zh[`search.${each}`], en[`search.${each}`], ...(each === "pooled" ? ["待派遣", "pool"] : ["超时", "late", "overdue"])],
    take: () => { widen(); panel.value = "cases"; narrow({ [each]: true }); },
  }));
  const divisions = [...(lists.peek()?.divisions.values() ?? [])].filter(({ level }) => level !== "community").map((each) => ({
    id: `division ${each.code}`, kind: "division", says: says(each.name, each.name_en), more: divisionName(each.parent), names: [each.name, each.name_en, each.code],
    take: () => narrow({ division: each.code }),
  }));
  return [...named(text, [...panels, ...shelves]).slice(0, MOST), ...named(text, divisions).slice(0, MOST)];
}

/**
 * What the service knows of the words; a part that refuses finds nothing.
 * @param {string} text
 * @param {AbortSignal} stop
 * @returns {Promise<Found[]>}
 */
async function thereFor(text, stop) {
  const spot = spotIn(text);
  if (spot !== null) return cellAt(spot, stop);
  const words = encodeURIComponent(text);
  const [cell, closed, people, places] = await Promise.all([
    looksLikeCell(text) ? cellNamed(text.trim(), stop) : [],
    part(`/api/v1/cases?limit=${MOST * 2}&q=${words}`, stop).then((items) => items.filter(({ id }) => !cases.peek().has(id)).slice(0, MOST).map((each) => ({
      id: `case ${each.id}`, kind: "case", says: each.number ?? each.id, more: `${categoryName(each)} · ${word("state", each.state)}`, take: () => open(each.id),
    }))),
    holds(DESK) ? part(`/api/v1/officers?limit=${MOST}&q=${words}`, stop).then((items) => items.map((each) => ({
      id: `officer ${each.id}`, kind: "officer", says: each.display_name, more: each.beats[0] ?? "", take: () => toOfficer(each.id),
    }))) : [],
    NUMBER.test(text) ? [] : part(`/api/v1/places?limit=${MOST}&q=${encodeURIComponent(text.slice(0, 120))}`, stop).then((items) => items.map((each, n) => ({
      id: `place ${n}`, kind: "place", says: each.name, more: each.divisions.slice(1).map((/** @type {{name: string}} */ { name }) => name).join(" "), take: () => goTo(each.lon, each.lat),
    }))),
  ]);
  return [...cell, ...closed, ...people, ...places];
}

/** @param {string} id */
function toOfficer(id) {
  const here = officers.peek().find((each) => each.id === id);
  widen();
  panel.value = "cases";
  narrow({ officer: id });
  if (here && here.lon !== null && here.lat !== null) goTo(here.lon, here.lat);
}

/**
 * @param {import("./commands.js").Spot} spot
 * @param {AbortSignal} stop
 * @returns {Promise<Found[]>}
 */
async function cellAt({ lon, lat, datum }, stop) {
  try {
    const owner = await ask(`/api/v1/cells?lon=${lon}&lat=${lat}&datum=${datum}`, stop);
    return [{ id: "spot", kind: "spot", says: `${owner.lon.toFixed(6)}, ${owner.lat.toFixed(6)}`, more: t("search.inCell", { cell: owner.cell, datum }), take: () => goTo(owner.lon, owner.lat) }];
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return [{ id: "spot", kind: "spot", says: `${lon}, ${lat}`, more: t("search.outside"), take: () => say(t("search.outside")) }];
  }
}

/**
 * @param {string} code
 * @param {AbortSignal} stop
 * @returns {Promise<Found[]>}
 */
async function cellNamed(code, stop) {
  const found = await part(`/api/v1/cells/${encodeURIComponent(code)}`, stop);
  return found.map((each) => ({ id: "cell", kind: "cell", says: each.code, more: divisionName(each.division), take: () => goTo(...middleOf(each.outline)) }));
}

/**
 * The middle of an outline's box.
 * @param {{coordinates: unknown[]}} outline
 * @returns {[number, number]}
 */
function middleOf(outline) {
  const numbers = /** @type {number[]} */ (outline.coordinates.flat(8));
  const lons = numbers.filter((_, n) => n % 2 === 0), lats = numbers.filter((_, n) => n % 2 === 1);
  return [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
}

/**
 * What a call lists, or the one thing that it tells; nothing where it refuses.
 * @param {string} path
 * @param {AbortSignal} stop
 * @returns {Promise<any[]>}
 */
async function part(path, stop) {
  try {
    const told = await ask(path, stop);
    return told.items ?? [told];
  } catch (refused) {
    if (refused instanceof Refused || stop.aborted) return [];
    throw refused;
  }
}

export function Search() {
  const [text, setText] = useState(filters.peek().q);
  const [there, setThere] = useState(/** @type {{text: string, found: Found[]}} */ ({ text: "", found: [] }));
  const [open_, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const words = text.trim();
  const asking = words.length >= 2 && there.text !== words;

  // Who takes a filter away elsewhere empties the field too. It is compared with what was drawn: more may be written by now.
  const { q } = filters.value;
  useEffect(() => { if (!isCommand(text) && q !== words) setText(q); }, [q]);
  useEffect(() => {
    if (words.length < 2 || !open_) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      void thereFor(words, stop.signal).then((found) => { if (!stop.signal.aborted) setThere({ text: words, found }); });
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [words, open_]);

  const options = open_ && words !== "" ? [...hereFor(words), ...(there.text === words ? there.found : [])] : [];
  const here = Math.min(at, options.length - 1);
  /** @param {string} said */
  const typed = (said) => {
    setText(said);
    setOpen(true);
    setAt(-1);
    narrow({ q: isCommand(said) ? "" : said.trim() });
  };
  /** @param {Found} chosen */
  const take = (chosen) => {
    typed("");
    setOpen(false);
    chosen.take();
  };
  // Whoever presses Enter at once has written more than was drawn by then.
  /** @param {KeyboardEvent} event */
  const commanded = (event) => {
    const said = /** @type {HTMLInputElement} */ (event.currentTarget).value.trim();
    return isCommand(said) ? (said === words ? options : hereFor(said))[0] : undefined;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.isComposing) return; // an input method is at work
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (options.length > 0) setAt((here + (event.key === "ArrowDown" ? 1 : options.length)) % options.length);
      setOpen(true);
      event.preventDefault();
    } else if (event.key === "Enter" && options[here] !== undefined) take(options[here]);
    else if (event.key === "Enter" && commanded(event) !== undefined) take(/** @type {Found} */ (commanded(event)));
    else if (event.key === "Enter" || event.key === "Escape") {
      if (event.key === "Escape") typed("");
      setOpen(false);
      document.getElementById("list")?.focus();
    }
  };
  const shown = options.length > 0 || (open_ && words.length >= 2);
  return html`<search class="search">
    <input id="search" type="search" role="combobox" autocomplete="off" spellcheck=${false} value=${text} placeholder=${t("top.search")} aria-label=${t("top.searchLabel")}
      aria-expanded=${shown} aria-controls="search-list" aria-autocomplete="list" aria-activedescendant=${here >= 0 ? `search-${here}` : undefined}
      onFocus=${() => setOpen(true)} onBlur=${() => setOpen(false)} onKeyDown=${key}
      onInput=${(/** @type {Event} */ event) => typed(/** @type {HTMLInputElement} */ (event.currentTarget).value)} />
    <div class="search-found" hidden=${!shown}>
      <ul id="search-list" role="listbox" aria-label=${t("search.found")}>
        ${options.map((each, n) => html`<li key=${each.id} id=${`search-${n}`} role="option" aria-selected=${n === here} class=${n === here ? "here" : ""}
          onPointerDown=${(/** @type {Event} */ event) => { event.preventDefault(); take(each); }}>
          <span class="search-kind small muted">${word("search.kind", each.kind)}</span><span class="search-says">${each.says}</span><span class="muted small">${each.more}</span></li>`)}
      </ul>
      <p class="small muted search-state" role="status">${shown && (asking ? t("search.asking") : options.length === 0 ? t("search.nothing") : "")}</p>
    </div>
  </search>`;
}
