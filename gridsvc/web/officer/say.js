// The words of this app. Those that all pages share (states, moves, reasons, spans of time) come from the shared ones.
import { language } from "../shared/language.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh-CN.js";

/** @typedef {keyof typeof zh} Key */

const WORDS = { "zh-CN": zh, en };

/**
 * The words for a key; `{name}` in them is replaced by what is given.
 * @param {Key} key
 * @param {Record<string, string | number>} [given]
 * @returns {string}
 */
export function say(key, given) {
  const text = WORDS[language.value][key];
  return given === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name) => String(given[name] ?? ""));
}

/**
 * The words for something that has a code; "" where we have none for it.
 * @param {string} family
 * @param {string} code
 */
export function told(family, code) {
  return /** @type {Record<string, string>} */ (WORDS[language.value])[`${family}.${code}`] ?? "";
}
