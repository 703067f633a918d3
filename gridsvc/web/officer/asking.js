// When the phone asks where it is: at most 120 times an hour while it moves, 6 times while it stands, so that a battery
// lasts a shift. Pure: what was asked and when goes in, when to ask next comes out.
import { metresBetween } from "../shared/ground.js";

/** @typedef {{at: number, moved: boolean}} Asked one time that was asked; `moved`: that it showed another place */
/** @typedef {{lon: number, lat: number, accuracy_m: number | null}} Spot */

export const HOUR_MS = 3_600_000;
export const MOST_MOVING = 120;
export const MOST_STILL = 6;
const MOVING_MS = 30_000;
const STILL_MS = 15 * 60_000;
const STEP_M = 25; // less than that may be the receiver's own wandering

/** Whether one place is another than the one before. @param {Spot | null} before @param {Spot} now */
export const hasMoved = (before, now) =>
  before !== null && metresBetween(before.lon, before.lat, now.lon, now.lat) > Math.max(STEP_M, before.accuracy_m ?? 0, now.accuracy_m ?? 0);

/**
 * When to ask next, in ms; 0: at once. Who moved is asked every half minute. Who did not is looked at once more after
 * half a minute, then every quarter of an hour; what the phone itself feels (`stirred`) brings the next one forward.
 * @param {Asked[]} asked of at least the last hour, in order
 * @param {number} stirred when the phone was moved, or taken in hand, last; 0: never
 */
export function nextAsk(asked, stirred) {
  const last = asked.at(-1);
  if (last === undefined) return 0;
  const standing = asked.slice(asked.findLastIndex((each) => each.moved) + 1);
  let due = last.at + (last.moved || standing.length === 1 ? MOVING_MS : STILL_MS);
  if (stirred > last.at) due = Math.min(due, Math.max(stirred, last.at + MOVING_MS));
  const seventh = standing.at(-MOST_STILL), beyond = asked.at(-MOST_MOVING);
  if (seventh !== undefined) due = Math.max(due, seventh.at + HOUR_MS);
  if (beyond !== undefined) due = Math.max(due, beyond.at + HOUR_MS);
  return due;
}

/** What is still needed of what was asked. @param {Asked[]} asked @param {number} now */
export const recent = (asked, now) => asked.filter((each) => each.at > now - HOUR_MS);
