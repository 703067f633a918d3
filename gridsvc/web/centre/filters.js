// Which cases are in view. The address of the page says it, so that a view can be sent to somebody or kept.

/** @import { Brief, Division, Person } from "../shared/types.js" */
import { areaNamed, contains } from "./area.js";
import { waitsFor } from "./queue.js";

/**
 * @typedef {object} Filters
 * @property {string[]} state
 * @property {string[]} severity
 * @property {string[]} pool
 * @property {string[]} source
 * @property {boolean} late
 * @property {boolean} pooled whether it waits in any pool
 * @property {string} division
 * @property {string} line
 * @property {string} officer
 * @property {string} cell how the code of its cell begins
 * @property {string} area one that was drawn, as area.js spells it
 * @property {string} q
 */

/** @type {Filters} */
export const NONE = { state: [], severity: [], pool: [], source: [], late: false, pooled: false, division: "", line: "", officer: "", cell: "", area: "", q: "" };

const LISTS = /** @type {const} */ (["state", "severity", "pool", "source"]);
const TEXTS = /** @type {const} */ (["division", "line", "officer", "cell", "area", "q"]);
const FLAGS = /** @type {const} */ (["late", "pooled"]);

/**
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function readFilters(query) {
  const filters = { ...NONE };
  for (const name of LISTS) filters[name] = (query.get(name) ?? "").split(",").filter((each) => each !== "");
  for (const name of TEXTS) filters[name] = query.get(name) ?? "";
  for (const name of FLAGS) filters[name] = query.get(name) === "1";
  if (areaNamed(filters.area) === null) filters.area = ""; // half of an area is none: the list says all that there is
  return filters;
}

/**
 * @param {Filters} filters
 * @param {URLSearchParams} query
 */
export function writeFilters(filters, query) {
  for (const name of LISTS) set(query, name, filters[name].join(","));
  for (const name of TEXTS) set(query, name, filters[name]);
  for (const name of FLAGS) set(query, name, filters[name] ? "1" : "");
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {string} value
 */
function set(query, name, value) {
  if (value === "") query.delete(name);
  else query.set(name, value);
}

/** @param {Filters} filters */
export const narrows = (filters) =>
  LISTS.some((name) => filters[name].length > 0) || TEXTS.some((name) => filters[name] !== "") || FLAGS.some((name) => filters[name]);

/**
 * Whether a case is in view; `words` are all that can be searched of it, in small letters.
 * @param {Brief} brief
 * @param {Filters} filters
 * @param {Map<string, Division>} divisions
 * @param {(brief: Brief) => string} words
 * @param {(brief: Brief) => boolean} isLate
 */
export function inView(brief, filters, divisions, words, isLate) {
  if (filters.state.length > 0 && !filters.state.includes(brief.state)) return false;
  if (filters.severity.length > 0 && !filters.severity.includes(brief.severity)) return false;
  if (filters.pool.length > 0 && !filters.pool.includes(brief.pool ?? "")) return false;
  if (filters.pooled && brief.pool === null) return false;
  if (filters.source.length > 0 && !filters.source.includes(brief.source)) return false;
  if (filters.late && !isLate(brief)) return false;
  if (filters.line !== "" && brief.duty_line !== filters.line) return false;
  if (filters.officer !== "" && brief.officer?.id !== filters.officer) return false;
  if (filters.cell !== "" && !(brief.cell ?? "").startsWith(filters.cell)) return false;
  if (filters.area !== "" && !inArea(brief, filters.area)) return false;
  if (filters.division !== "" && !within(brief.division, filters.division, divisions)) return false;
  return filters.q === "" || filters.q.toLowerCase().split(/\s+/).every((each) => words(brief).includes(each));
}

/**
 * What has no place yet lies in no area.
 * @param {Brief} brief
 * @param {string} text
 */
function inArea({ lon, lat }, text) {
  const area = areaNamed(text);
  return area === null || (lon !== null && lat !== null && contains(area, [lon, lat]));
}

/**
 * @param {string | null} code
 * @param {string} above
 * @param {Map<string, Division>} divisions
 */
export function within(code, above, divisions) {
  if (code === null) return false;
  return code === above || (divisions.get(code)?.path.includes(above) ?? false);
}

/**
 * @param {Brief[]} briefs
 * @param {Person} person
 */
export const queueOf = (briefs, person) => briefs.filter((brief) => waitsFor(brief, person) !== null);
