// How long there is: one decision for rows, pins, drawer and phone cards.

/** @typedef {"none" | "plenty" | "soon" | "late" | "paused" | "over"} Standing */

/**
 * @typedef {object} TimeLeft
 * @property {Standing} standing
 * @property {number} share what is left of the limit, 0 to 1
 * @property {number} ms until it is due; negative: since
 * @property {boolean} provisional
 */

const FINAL = new Set(["closed", "rejected", "cancelled", "merged"]);

/** Under this share of the limit it is getting tight. */
export const TIGHT = 1 / 3;

/**
 * @param {{state: string, due_at: string | null, since?: string | null, occurred_at: string, paused: boolean, provisional: boolean}} of
 * @param {number} now the city's, in ms
 * @returns {TimeLeft}
 */
export function timeLeft(of, now) {
  const provisional = of.provisional;
  if (FINAL.has(of.state)) return { standing: "over", share: 0, ms: 0, provisional };
  if (of.due_at === null) return { standing: "none", share: 0, ms: 0, provisional };
  const due = Date.parse(of.due_at), from = Date.parse(of.since ?? of.occurred_at);
  const ms = due - now;
  const share = due > from ? Math.min(1, Math.max(0, ms / (due - from))) : 0;
  if (of.paused) return { standing: "paused", share, ms, provisional };
  if (ms <= 0) return { standing: "late", share: 0, ms, provisional };
  return { standing: share < TIGHT ? "soon" : "plenty", share, ms, provisional };
}
