// What may be reported: found by words in Chinese, English or pinyin; what this officer used last and marked stands first.
import { signal } from "../shared/screen.js";
import { person } from "../shared/service.js";
import { fact, putFact } from "./keep.js";
import { askOrKept } from "./session.js";

/** @import { Category as Told } from "../shared/types.js" */
/** @typedef {Told & {pinyin: string}} Category `pinyin`: one syllable for each character, with blanks between */

export const categories = signal(/** @type {Map<string, Category> | null} */ (null));

/** Refs: those marked, and those used last, the latest first. */
export const favourites = signal(/** @type {string[]} */ ([]));
export const recent = signal(/** @type {string[]} */ ([]));

const MOST_RECENT = 8;

/** Have them ready; asked anew at each start, kept for when there is no network. */
export async function loadCategories() {
  const me = person.peek()?.id ?? "";
  favourites.value = (await fact(`favourites.${me}`)) ?? [];
  recent.value = (await fact(`recent.${me}`)) ?? [];
  const { body } = await askOrKept("/api/v1/categories");
  categories.value = new Map(body.items.map((/** @type {Category} */ each) => [each.ref, each]));
}

/** @param {string} ref */
export async function used(ref) {
  recent.value = [ref, ...recent.peek().filter((each) => each !== ref)].slice(0, MOST_RECENT);
  await putFact(`recent.${person.peek()?.id ?? ""}`, recent.peek());
}

/** Mark or unmark one. @param {string} ref */
export async function star(ref) {
  const now = favourites.peek();
  favourites.value = now.includes(ref) ? now.filter((each) => each !== ref) : [...now, ref];
  await putFact(`favourites.${person.peek()?.id ?? ""}`, favourites.peek());
}

/**
 * How well a category fits what was typed: 0 not at all, the higher the better.
 * @param {Category} category @param {string} typed lower case, without blanks at its ends
 */
export function fits(category, typed) {
  const name = category.name.toLowerCase(), english = category.name_en.toLowerCase();
  const syllables = category.pinyin.split(" "), initials = syllables.map((each) => each[0] ?? "").join("");
  const sound = typed.replace(/[\s']/g, "");
  if (name.startsWith(typed) || english.startsWith(typed) || category.code === typed) return 4;
  if (initials.startsWith(sound) || syllables.join("").startsWith(sound)) return 3;
  if (name.includes(typed) || english.split(/\W+/).some((each) => each.startsWith(typed))) return 2;
  if (initials.includes(sound) || syllables.some((_, n) => syllables.slice(n).join("").startsWith(sound))) return 1.5;
  return [category.code, category.major_name, category.major_name_en.toLowerCase()].some((each) => each.includes(typed)) ? 1 : 0;
}

/**
 * Those that fit, the best first.
 * @param {string} typed @param {number} most
 */
export function find(typed, most) {
  const words = typed.trim().toLowerCase();
  if (words === "") return [];
  return [...(categories.value?.values() ?? [])].map((each) => ({ each, fit: fits(each, words) })).filter(({ fit }) => fit > 0)
    .sort((one, other) => other.fit - one.fit || one.each.code.localeCompare(other.each.code)).slice(0, most).map(({ each }) => each);
}
