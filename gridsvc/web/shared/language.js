// One language at a time: words by key, dates and numbers by Intl, and names that the service has in both.
import { cityNow } from "./clock.js";
import { computed, signal } from "./screen.js";
import { zone } from "./service.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh-CN.js";

/** @typedef {"zh-CN" | "en"} Language */
/** @typedef {keyof typeof zh} Key */

const KEPT = "gridsvc.language";
const WORDS = { "zh-CN": zh, en };

/** @type {import("../vendor/signals.mjs").Signal<Language>} */
export const language = signal(chosen());

/** @returns {Language} */
function chosen() {
  const kept = localStorage.getItem(KEPT);
  if (kept === "zh-CN" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

/** @param {Language} next */
export function speak(next) {
  localStorage.setItem(KEPT, next);
  language.value = next;
}

/**
 * The words for a key; `{name}` in them is replaced by what is given.
 * @param {Key} key
 * @param {Record<string, string | number>} [given]
 * @returns {string}
 */
export function t(key, given) {
  const text = WORDS[language.value][key];
  return given === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name) => String(given[name] ?? ""));
}

/**
 * The words for something the service names by a code; the code itself where we have none for it.
 * @param {string} family
 * @param {string | null | undefined} code
 */
export function word(family, code) {
  if (code === null || code === undefined) return "";
  const words = /** @type {Record<string, string>} */ (WORDS[language.value]);
  return words[`${family}.${code}`] ?? code;
}

/**
 * The words for a code with what is given put into them; null where we have none.
 * @param {string} family
 * @param {unknown} code
 * @param {Record<string, unknown>} given
 * @returns {string | null}
 */
export function phrase(family, code, given) {
  const words = /** @type {Record<string, string>} */ (WORDS[language.value]);
  const text = typeof code === "string" ? words[`${family}.${code}`] : undefined;
  return text === undefined ? null : text.replace(/\{(\w+)\}/g, (_, name) => String(given[name] ?? ""));
}

/**
 * A name that is kept in Chinese and, perhaps, in English.
 * @param {string} name
 * @param {string} [nameEn]
 */
export function named(name, nameEn) {
  return language.value === "en" && nameEn ? nameEn : name;
}

const number_ = computed(() => new Intl.NumberFormat(language.value));
const share_ = computed(() => new Intl.NumberFormat(language.value, { style: "percent" }));

/** @param {Intl.DateTimeFormatOptions} how */
const format = (how) => new Intl.DateTimeFormat(language.value, { hourCycle: "h23", ...how, ...(zone.value ? { timeZone: zone.value } : {}) });
const time_ = computed(() => format({ hour: "2-digit", minute: "2-digit" }));
const exact_ = computed(() => format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }));
const moment_ = computed(() => format({ month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }));
const day_ = computed(() => format({ year: "numeric", month: "2-digit", day: "2-digit" }));

/** @param {number} value */
export const count = (value) => number_.value.format(value);

/** A share from 0 to 1, in per cent. @param {number} value */
export const share = (value) => share_.value.format(value);

/** @param {number} ms */
export const timeOfDay = (ms) => exact_.value.format(ms);

/** @param {number} ms */
export const day = (ms) => day_.value.format(ms);

/**
 * Day and time; the time alone where it is today.
 * @param {string | number} at
 */
export function moment(at) {
  const then = new Date(at);
  return day_.value.format(then) === day_.value.format(cityNow()) ? time_.value.format(then) : moment_.value.format(then);
}

/**
 * How long, in the two largest units: "2 h 10 min".
 * @param {number} ms
 */
export function lasting(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60), rest = minutes % 60;
  if (days > 0) return hours > 0 ? t("span.dh", { d: days, h: hours }) : t("span.d", { d: days });
  if (hours > 0) return rest > 0 ? t("span.hm", { h: hours, m: rest }) : t("span.h", { h: hours });
  return minutes > 0 ? t("span.m", { m: minutes }) : t("span.soon");
}

/** @param {number} metres */
export function distance(metres) {
  return metres < 1000 ? t("span.metres", { n: count(Math.round(metres)) }) : t("span.km", { n: count(Math.round(metres / 100) / 10) });
}

const few_ = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }));
const some_ = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }));

/** A length that was measured, as exactly as somebody can point. @param {number} metres */
export function exact(metres) {
  if (metres < 100) return t("span.metres", { n: few_.value.format(metres) });
  return metres < 10_000 ? t("span.metres", { n: count(Math.round(metres)) }) : t("span.km", { n: some_.value.format(metres / 1000) });
}

/** @param {number} metres2 square metres */
export function surface(metres2) {
  if (metres2 < 10_000) return t("span.metres2", { n: count(Math.round(metres2)) });
  return metres2 < 1_000_000 ? t("span.hectares", { n: some_.value.format(metres2 / 10_000) }) : t("span.km2", { n: some_.value.format(metres2 / 1_000_000) });
}
