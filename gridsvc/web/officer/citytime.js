// What time it is in the city, whatever this phone's clock says: for the bars, and for what is told of where it was.
import { heardTime } from "../shared/clock.js";
import { Refused, ask } from "../shared/service.js";
import { fact, putFact } from "./keep.js";

const SKEW = "skew";
let measured = false; // since this page was opened

/** How far the city's clock is before this phone's, in ms, as it was measured last; 0: never. */
export const skew = async () => /** @type {number | null} */ (await fact(SKEW)) ?? 0;

/** Measure it: the answer was made half-way between asking and hearing. */
export async function measure() {
  try {
    const asked = Date.now(), { ms } = await ask("/api/v1/time"), heard = Date.now();
    await putFact(SKEW, Math.round(ms - (asked + heard) / 2));
    await putFact("contact", new Date(heard).toISOString());
    measured = true;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // no network: what was measured last holds
  }
  heardTime(new Date(Date.now() + await skew()).toISOString());
}

/** Measure it unless that was done since the page was opened: what is told of now needs the clock of now. */
export async function measureOnce() {
  if (!measured) await measure();
}
