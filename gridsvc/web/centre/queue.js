// What waits for whom: the rules of "my queue", and what is most urgent.

/** @import { Brief, Person } from "../shared/types.js" */

export { byUrgency } from "../shared/urgency.js";

/**
 * Why a case waits for this role; null: it does not. The first rule that holds says why.
 * @type {Record<string, [string, (brief: Brief) => boolean][]>}
 */
const RULES = {
  acceptor: [
    ["locate", (brief) => brief.state === "reported" && brief.pool === "locate"],
    ["file", (brief) => brief.state === "reported"],
    ["check", (brief) => brief.state === "handled"],
  ],
  dispatcher: [
    ["call", (brief) => brief.pool === "call"],
    ["dispatch", (brief) => brief.state === "filed" && brief.pool === "dispatch"],
    ["late", (brief) => brief.overdue],
  ],
  supervisor: [
    ["emergency", (brief) => brief.severity === "emergency" && brief.state !== "handled"],
    ["late", (brief) => brief.overdue],
    ["dispatch", (brief) => brief.state === "filed" && brief.pool === "dispatch"],
  ],
};

/**
 * Whether, and why, a case is this person's to do something about.
 * @param {Brief} brief
 * @param {Person} person
 * @returns {string | null}
 */
export function waitsFor(brief, person) {
  if (brief.paused) return null;
  for (const { role } of person.roles) {
    for (const [why, holds] of RULES[role] ?? []) if (holds(brief)) return why;
    if (role === "officer" && brief.officer?.id === person.id && brief.state !== "handled") return "mine";
  }
  for (const grant of person.roles) {
    const ours = grant.role === "handler" && grant.department !== null && grant.department === brief.department;
    if (ours && brief.state !== "handled") return "department";
  }
  return null;
}

/** Whether any role of this person has a queue at all. @param {Person} person */
export const hasQueue = (person) =>
  person.roles.some(({ role }) => role in RULES || role === "officer" || role === "handler");

/**
 * @param {Brief} one
 * @param {Brief} other
 */
export const byNewest = (one, other) => (one.id < other.id ? 1 : -1); // ids are by time
