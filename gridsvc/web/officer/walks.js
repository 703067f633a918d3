// Patrols of my beats and visits that I am to make: as the service says, or as they were kept.
import { computed, effect, signal } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { Refused, person } from "../shared/service.js";
import { drafts, dropDraft } from "./keep.js";
import { outbox } from "./outbox.js";
import { isOpen } from "./send.js";
import { askOrKept } from "./session.js";
import { online } from "./sync.js";
import { is, work } from "./tasks.js";

/** @import { Item } from "./keep.js" */

/** @typedef {"open" | "unknown" | "missed" | "walked"} Walked what concerns somebody first comes first */

/**
 * @typedef {object} Patrol
 * @property {string} id
 * @property {string} beat
 * @property {string} from_at
 * @property {string} until_at
 * @property {number} times how often each cell is to be walked
 * @property {number} stay_s
 * @property {Record<Walked, number>} counts
 * @property {{cell: string, state: Walked, times: number}[]} cells
 */

/**
 * @typedef {object} Visit
 * @property {string} id
 * @property {string} case_id
 * @property {string | null} number
 * @property {string} state
 * @property {string} category_name
 * @property {string} category_name_en
 * @property {string} subject a key of the city's own, never a name
 * @property {string} due_on
 * @property {string | null} due_at
 * @property {number} lon
 * @property {number} lat
 * @property {string} cell
 * @property {string} opened_at
 * @property {{name: string, kind: string, choices: string[], required: boolean}[]} attributes
 * @property {{code: string, name: string, name_en: string, wants_form: boolean}[]} results
 */

/**
 * @template T
 * @typedef {{list: T[], at: number, fresh: boolean} | null | undefined} Known undefined until it is known; null where it can neither be asked nor was kept
 */

/** Those that run come first. */
export const patrols = signal(/** @type {Known<Patrol>} */ (undefined));
export const visits = signal(/** @type {Known<Visit>} */ (undefined));

/** What is waited with in a list of cells. @type {Walked[]} */
export const WALKED = ["open", "unknown", "missed", "walked"];

/** A shape for each, beside its colour. @type {Record<Walked, string>} */
export const SIGNS = { open: "○", unknown: "?", missed: "✕", walked: "✓" };

/** Whether its shift goes on. @param {Patrol} patrol */
export const runs = (patrol) => Date.parse(patrol.until_at) > cityNow();

/** The patrol that somebody looks at; "": the first. */
export const chosen = signal("");
export const shown = computed(() => (patrols.value?.list ?? []).find((each) => each.id === chosen.value) ?? patrols.value?.list[0]);

/** How the cells of the patrol that is looked at stand. */
export const stands = computed(() => new Map((shown.value?.cells ?? []).map(({ cell, state }) => [cell, state])));

/** What was said of a visit, and is on its way or has arrived since the list was asked for. @param {string} id @returns {Item | undefined} */
export const saidOf = (id) => (outbox.value ?? []).findLast((each) => each.path === pathOf(id) && (each.state !== "done" || each.settled_at >= (visits.value?.at ?? 0)));

/** @param {string} id */
export const pathOf = (id) => `/api/v1/visits/${id}/result`;

/** The draft of a visit's form: a name of its own, so that nothing of it comes into another page. @param {string} id */
export const draftOf = (id) => `visit.${id}`;

/** Visits of which nothing was said yet. */
export const toMake = computed(() => (visits.value?.list ?? []).filter((each) => saidOf(each.id) === undefined));

/** @param {Visit} visit */
export const isLate = (visit) => visit.due_at !== null && Date.parse(visit.due_at) <= cityNow();

/**
 * @template T
 * @param {import("../vendor/signals.mjs").Signal<Known<T>>} into @param {string} path
 */
async function load(into, path) {
  const by = person.peek()?.id;
  try {
    const { body, at, fresh } = await askOrKept(path);
    if (person.peek()?.id === by) into.value = { list: body.items, at, fresh };
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    if (into.peek() === undefined) into.value = null;
  }
}

/** Ask for both. */
export async function loadWalks() {
  const me = person.peek();
  if (!me || !is(me, "officer")) return;
  await Promise.all([load(patrols, "/api/v1/me/patrols"), load(visits, "/api/v1/me/visits")]);
  const now = patrols.peek();
  if (now) patrols.value = { ...now, list: [...now.list].sort((one, other) => Number(runs(other)) - Number(runs(one)) || Date.parse(one.until_at) - Date.parse(other.until_at)) };
  await sweepForms(me.id);
}

/** A form that was begun of a visit which is another's by now, or over, is let go. @param {string} me */
async function sweepForms(me) {
  const known = visits.peek();
  if (!known?.fresh) return;
  const mine = new Set(known.list.map((each) => draftOf(each.id)));
  for (const { name, by } of await drafts()) if (by === me && name.startsWith("visit.") && !mine.has(name)) await dropDraft(name);
}

const AGAIN_MS = 60_000; // the service reckons what was walked every quarter of a minute

/** Keep them in step until the returned function is called. */
export function followWalks() {
  let settled = "";
  const seen = () => {
    if (document.visibilityState === "visible") void loadWalks();
  };
  const stop = effect(() => {
    // A notice, or a step that has arrived, has the tasks asked for anew: a visit may have come with them.
    const now = `${online.value}${work.value?.at}${(outbox.value ?? []).filter((each) => each.kind === "visit" && !isOpen(each)).map((each) => each.id).join()}`;
    if (now !== settled) void loadWalks();
    settled = now;
  });
  document.addEventListener("visibilitychange", seen);
  const timer = setInterval(seen, AGAIN_MS);
  return () => {
    stop();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
    patrols.value = undefined;
    visits.value = undefined;
  };
}
