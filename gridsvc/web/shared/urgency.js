// What is most urgent, at a desk and on a phone.

/** @import { Severity } from "./types.js" */

/** @typedef {{id: string, severity: Severity, paused: boolean, due_at: string | null}} Urgent */

const WEIGHT = { emergency: 0, high: 1, normal: 2, low: 3 };

/**
 * Emergencies first, then what is due first, then what has no limit yet, the gravest and oldest first.
 * @param {Urgent} one
 * @param {Urgent} other
 */
export function byUrgency(one, other) {
  const loud = Number(other.severity === "emergency") - Number(one.severity === "emergency");
  if (loud !== 0) return loud;
  const paused = Number(one.paused) - Number(other.paused);
  if (paused !== 0) return paused;
  if (one.due_at !== null && other.due_at !== null && one.due_at !== other.due_at) {
    return Date.parse(one.due_at) - Date.parse(other.due_at);
  }
  if ((one.due_at === null) !== (other.due_at === null)) return one.due_at === null ? 1 : -1;
  return WEIGHT[one.severity] - WEIGHT[other.severity] || (one.id < other.id ? -1 : 1);
}
