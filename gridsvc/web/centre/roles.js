// Which roles may ask for what, so that a page does not ask for what it would be refused. The service decides.
import { person } from "../shared/service.js";

/** The people of the control centre. */
export const DESK = new Set(["acceptor", "dispatcher", "supervisor", "admin", "auditor"]);

/** Who may let nothing come of what cameras see. */
export const RULERS = new Set(["dispatcher", "supervisor", "admin"]);

/** Who judges what cameras saw. */
export const JUDGES = new Set(["acceptor", "dispatcher", "supervisor"]);

/** Who may look through a camera. */
export const LOOKERS = new Set(["dispatcher", "supervisor"]);
/** Who writes in the book of the shift, and signs for it. */
export const WRITES_SHIFTS = JUDGES;

export const ADMINS = new Set(["admin"]);

/** Who sees the pages of administration; what they may change there the service decides. */
export const LOOKS_AFTER = new Set(["supervisor", "admin"]);

/** Whether this person has one of the roles. @param {Set<string>} roles */
export const holds = (roles) => person.value?.roles.some(({ role }) => roles.has(role)) ?? false;
