// What this person has to do: cases, checks, calls, parts; fresh, or as they were kept. The most urgent first.
import { computed, effect, signal } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { Refused, askAll, person } from "../shared/service.js";
import { timeLeft } from "../shared/timeleft.js";
import { byUrgency } from "../shared/urgency.js";
import { outbox } from "./outbox.js";
import { foreseen } from "./foreseen.js";
import { dropOldAnswers } from "./keep.js";
import { isOpen } from "./send.js";
import { online } from "./sync.js";
import { askOrKept } from "./session.js";

/** @import { Case, CaseDetail, MoveRule, Person } from "../shared/types.js" */
/** @import { Item } from "./keep.js" */

/**
 * @typedef {object} Errand
 * @property {string} id
 * @property {string} case_id
 * @property {string | null} number
 * @property {string} state
 * @property {string} category_name
 * @property {string} category_name_en
 * @property {string} description
 * @property {string} address
 * @property {number | null} lon
 * @property {number | null} lat
 * @property {string} [kind] of a check
 * @property {string} [note] of a check
 * @property {string} [sent_at] of a check
 * @property {string} [asked_at] of a part
 * @property {string} [wanted] of a part or a call
 * @property {string} [due_at] of a check or a part
 * @property {string} [move] of a call: "answer" or "respond"
 * @property {number | null} [distance_m] of a call
 * @property {string} [called_at] of a call
 * @property {{code: string, name: string, name_en: string, wants_words: boolean}[]} [decline] of a call
 */

/** @typedef {{cases: Case[], checks: Errand[], calls: Errand[], parts: Errand[], at: number, fresh: boolean}} Work */

/** undefined until it is known; null where it can neither be asked nor was kept. */
export const work = signal(/** @type {Work | null | undefined} */ (undefined));

/** The table of moves by name. @type {import("../vendor/signals.mjs").Signal<Map<string, MoveRule>>} */
export const rules = signal(new Map());

const MINE = "state=assigned&state=accepted&state=in_progress&limit=200";
const AGAIN_MS = 300_000; // notices say what comes; this finds what they did not
const KEPT_MS = 14 * 86_400_000; // what was not looked at for longer is not needed offline
const AHEAD = 30; // tasks that are kept whole for when there is no network

/** @param {Person} me @param {string} role */
export const is = (me, role) => me.roles.some((each) => each.role === role);

/** Where a person's cases are asked for. @param {Person} me */
function lists(me) {
  const departments = new Set(me.roles.filter(({ role }) => role === "handler").map(({ department }) => department));
  return [
    ...(is(me, "officer") ? [`/api/v1/cases?officer=${me.id}&${MINE}`] : []),
    ...[...departments].filter((each) => each !== null).map((each) => `/api/v1/cases?department=${encodeURIComponent(each)}&${MINE}`),
  ];
}

/** The table changes with the service, and a page is opened anew more often than that. */
async function loadRules() {
  try {
    const { body } = await askOrKept("/api/v1/moves", askAll);
    rules.value = new Map(body.map((/** @type {MoveRule} */ rule) => [rule.move, rule]));
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // asked again when the network is back
  }
}

let turn = 0;

/** Ask for all of it; what cannot be asked stays as it was kept. */
export async function loadWork() {
  const me = person.peek();
  if (!me) return;
  const mine = ++turn;
  /** @param {string} path @returns {Promise<{body: any[], at: number, fresh: boolean}>} */
  const list = (path) => askOrKept(path, askAll);
  const nothing = Promise.resolve({ body: /** @type {any[]} */ ([]), at: Date.now(), fresh: true });
  try {
    const [calls, checks, parts, ...cases] = await Promise.all([
      is(me, "officer") ? list("/api/v1/me/calls") : nothing,
      is(me, "officer") ? list("/api/v1/me/checks") : nothing,
      is(me, "handler") ? list("/api/v1/me/parts") : nothing,
      ...lists(me).map(list),
    ]);
    if (mine !== turn || person.peek()?.id !== me.id) return;
    const answers = [calls, checks, parts, ...cases];
    /** @type {Map<string, Case>} */
    const found = new Map();
    for (const { body } of cases) for (const each of body) found.set(each.id, each);
    work.value = {
      cases: [...found.values()], checks: checks.body, calls: calls.body, parts: parts.body,
      at: Math.min(...answers.map(({ at }) => at)), fresh: answers.every(({ fresh }) => fresh),
    };
    if (work.peek()?.fresh) await keepAhead();
  } catch (refused) {
    if (mine === turn && work.peek() === undefined) work.value = null;
    if (!(refused instanceof Refused)) throw refused;
  }
}

/** Versions that were kept whole by this page. @type {Map<string, number>} */
const kept = new Map();

/** Keep what is to be done whole, with its small photographs and voice notes, so that it can be read where no network is. */
async function keepAhead() {
  for (const each of tasks.peek().slice(0, AHEAD)) {
    if (kept.get(each.id) === each.of.version) continue;
    const { body, fresh } = await askOrKept(`/api/v1/cases/${each.id}`);
    if (!fresh) return;
    kept.set(each.id, each.of.version);
    // The service worker keeps pictures that were looked at; a picture that does not come now is looked at later.
    for (const { id, kind } of /** @type {CaseDetail} */ (body).photos.filter((photo) => photo.removed_at === null).slice(0, 6)) {
      await fetch(`/api/v1/attachments/${id}${kind === "sound" ? "" : "/thumb"}`).catch(() => undefined);
    }
  }
}

/** Keep it in step until the returned function is called. */
export function followWork() {
  let settled = "";
  const seen = () => {
    if (document.visibilityState === "visible") void loadWork();
  };
  const stop = effect(() => {
    // What has just arrived has changed the case: look anew. So it is when the network is back.
    const now = `${online.value}${(outbox.value ?? []).filter((each) => !isOpen(each)).map((each) => each.id).join()}`;
    if (rules.peek().size === 0) void loadRules();
    if (now !== settled) void loadWork();
    settled = now;
  });
  document.addEventListener("visibilitychange", seen);
  void dropOldAnswers(Date.now() - KEPT_MS);
  const timer = setInterval(seen, AGAIN_MS);
  return () => {
    stop();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
    work.value = undefined;
    kept.clear();
  };
}

/** What waits for a case, in the order in which it goes. @param {string} id @returns {Item[]} */
export const waitingFor = (id) => (outbox.value ?? []).filter((each) => each.about.case === id && each.state !== "done");

/**
 * The moves that what was read of a case at `at` does not know of yet: those that wait, and those that arrived since.
 * @param {string} id @param {number} at ms
 */
export const stepsSince = (id, at) => (outbox.value ?? []).filter((each) => each.about.case === id && (each.state !== "done" || each.settled_at >= at)).map((each) => each.kind);

/** @typedef {{id: string, severity: Case["severity"], paused: boolean, due_at: string | null, state: string, waits: number, of: Case}} Task */

/** My cases as they will be once what waits is sent, the most urgent first. */
export const tasks = computed(() => (work.value?.cases ?? []).map((of) => {
  const waits = waitingFor(of.id), then = foreseen(of.state, [], stepsSince(of.id, work.value?.at ?? 0), rules.value);
  return /** @type {Task} */ ({ id: of.id, severity: of.severity, paused: of.suspended, due_at: of.due_at, state: then.state, waits: waits.length, of });
}).sort(byUrgency));

/** @param {Task} task */
export const leftOf = (task) => timeLeft({ ...task, occurred_at: task.of.occurred_at, provisional: false }, cityNow());
