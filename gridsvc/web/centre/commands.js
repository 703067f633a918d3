// What words in the search field may mean beside a case on the screen. Pure: no call, no state.
//
// Coordinates are read in the order they are written on a Chinese map sheet or by a phone, longitude first; where only
// the other order can be meant (the first number is a latitude of the city and the second is beyond 90), it is taken so.

/**
 * @typedef {object} Spot
 * @property {number} lon
 * @property {number} lat
 * @property {string} datum
 */

const DATUMS = /** @type {Record<string, string>} */ ({
  wgs84: "wgs84", wgs: "wgs84", gps: "wgs84", cgcs2000: "cgcs2000", 2000: "cgcs2000",
  gcj02: "gcj02", gcj: "gcj02", amap: "gcj02", 高德: "gcj02", 火星: "gcj02", bd09: "bd09", bd: "bd09", baidu: "bd09", 百度: "bd09",
});

const NUMBERS = /^\s*(?:([\p{L}][\p{L}\d-]*)[:：\s]\s*)?(-?\d{1,3}(?:\.\d+)?)\s*°?\s*[,，;\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*([\p{L}\d-]*)\s*$/u;

/**
 * A place in numbers: "103.83, 36.06", "36.06 103.83", "gcj02 103.83 36.06", "103.83,36.06 百度". Without a datum it is
 * WGS-84, as a phone's own fix is. Null for anything else, also for a datum that nobody knows.
 * @param {string} text
 * @returns {Spot | null}
 */
export function spotIn(text) {
  const found = NUMBERS.exec(text);
  if (found === null || !/\./.test(text)) return null; // whole numbers are more likely a number of a case
  const word = (found[1] ?? found[4] ?? "").toLowerCase().replaceAll("-", "") || (found[4] ?? "").toLowerCase().replaceAll("-", "");
  const datum = word === "" ? "wgs84" : DATUMS[word];
  if (datum === undefined) return null;
  let [lon, lat] = [Number(found[2]), Number(found[3])];
  if (Math.abs(lat) > 90 && Math.abs(lon) <= 90) [lon, lat] = [lat, lon];
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? { lon, lat, datum } : null;
}

const VERBS = /^(?:show|go|open|to|显示|打开|去|到|转到)\s*/i;

/**
 * Those of `all` that the words name: "show cameras", "待派遣", "go 城关". A verb alone names nothing.
 * @template {{names: string[]}} T
 * @param {string} text
 * @param {readonly T[]} all
 * @returns {T[]}
 */
export function named(text, all) {
  const said = text.trim().toLowerCase();
  const words = said.replace(VERBS, "");
  if (words === "" || (/^[\x20-\x7e]+$/.test(words) && words.length < 2)) return [];
  return all.filter(({ names }) => names.some((name) => {
    const plain = name.toLowerCase();
    return plain.startsWith(words) || plain.includes(/^[\x20-\x7e]+$/.test(words) ? ` ${words}` : words);
  }));
}

/** Whether the words ask for something to be done, so that they narrow no list. @param {string} text */
export const isCommand = (text) => VERBS.test(text.trim()) || spotIn(text) !== null;

/** Whether the words may be the code of a cell. @param {string} text */
export const looksLikeCell = (text) => /^\d{12,18}$/.test(text.trim());
