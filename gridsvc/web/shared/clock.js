// The city's clock as the page knows it: the database's time, carried on by the device's own steady clock.
import { signal } from "./screen.js";

let ahead = 0; // how far the city's clock is before this device's, in ms

/**
 * The service has just said what time it is.
 * @param {string} at
 */
export function heardTime(at) {
  ahead = Date.parse(at) - Date.now();
}

/** What time it is in the city, in ms. */
export function cityNow() {
  return Date.now() + ahead;
}

/** Moves on with every second; what counts seconds looks at it. */
export const second = signal(0);

/** Moves on every ten seconds: bars, rings and the order of lists. */
export const decade = signal(0);

/** Let time pass on the page. */
export function startClock() {
  setInterval(() => {
    second.value += 1;
    if (second.value % 10 === 0) decade.value += 1;
  }, 1000);
}
