// What this person may see of the city: cases, officers and cameras as the live feed tells them, and the lists that
// seldom change. Everything on the screen is drawn from here, so list and map cannot disagree.
import { batch, computed, signal } from "../shared/screen.js";
import { named } from "../shared/language.js";
import { ask, askAll } from "../shared/service.js";
import { reviewsAnew, takeReviews } from "./reviews.js";

/** @import { Alarm, Brief, Camera, Category, Department, Division, DutyLine, Frame, MapLayers, MoveRule, Officer, ReviewNews, Snapshot } from "../shared/types.js" */

const FINAL = new Set(["closed", "rejected", "cancelled", "merged"]);

/** @type {Map<string, Brief>} */
const cases_ = new Map();
/** @type {Map<string, Officer>} */
const officers_ = new Map();
/** @type {Map<string, Camera>} */
const cameras_ = new Map();

const casesSeen = signal(0), officersSeen = signal(0), camerasSeen = signal(0);

/** How many whole pictures have come: what the feed does not resend is asked for again with each. */
export const wholes = signal(0);

/** The cases of a moment that has passed, while one is played back. @type {import("../vendor/signals.mjs").Signal<{at: number, cases: Map<string, Brief>} | null>} */
export const played = signal(null);

const NONE_THEN = /** @type {never[]} */ ([]); // where officers and cameras stood then, nobody has written down

/** Open cases by id. Whoever reads it is drawn again when one changes. */
export const cases = computed(() => (casesSeen.value, played.value?.cases ?? cases_), { name: "cases" });
export const officers = computed(() => (officersSeen.value, played.value ? NONE_THEN : [...officers_.values()]));
export const cameras = computed(() => (camerasSeen.value, played.value ? NONE_THEN : [...cameras_.values()]));

/** How often the open cases have changed: `cases` is one map that changes in place. */
export const caseTurn = casesSeen;

/** The last state of a case that has ended while the page was open. @type {Map<string, Brief>} */
const ended_ = new Map();

/** Cases that have just come: their ids, until they have been drawn once. @type {Set<string>} */
export const arrived = new Set();

/** Alarms that nobody has acknowledged yet, the newest first. @type {import("../vendor/signals.mjs").Signal<Alarm[]>} */
export const alarms = signal([]);

/** Those that came while the page was open: they are heard. @type {Set<string>} */
export const heardHere = new Set();

const LATELY = 5;

/** Those that somebody has acknowledged while the page was open, the last first. @type {import("../vendor/signals.mjs").Signal<Alarm[]>} */
export const acknowledged = signal([]);

/** Alarms that were told since the standing ones were asked for last: what was told is newer. @type {Set<string>} */
const toldSince = new Set();

export const askingForStanding = () => toldSince.clear();

/**
 * What stands unacknowledged, in place of what is known; what was told meanwhile counts before it.
 * @param {Alarm[]} standing
 * @param {boolean} first whether nothing was known before: what has stood for long is not heard as if it had just come
 */
export function takeStanding(standing, first) {
  const known = new Set(alarms.peek().map((each) => each.id));
  const kept = alarms.peek().filter((each) => toldSince.has(each.id));
  const listed = standing.filter((each) => !toldSince.has(each.id));
  for (const alarm of listed) if (!first && !known.has(alarm.id)) heardHere.add(alarm.id);
  alarms.value = [...kept, ...listed].sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/** @param {Alarm[]} told */
export function takeAlarms(told) {
  for (const alarm of told) {
    toldSince.add(alarm.id);
    if (alarm.acknowledged !== null) heardHere.delete(alarm.id);
  }
  /** @type {Map<string, Alarm>} */
  const all = new Map(alarms.peek().map((each) => [each.id, each]));
  for (const alarm of told) {
    if (alarm.acknowledged === null) all.set(alarm.id, alarm);
    else all.delete(alarm.id);
  }
  batch(() => {
    alarms.value = [...all.values()].sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
    const known = new Set(acknowledged.peek().map((each) => each.id));
    const seen = told.filter((each) => each.acknowledged !== null && !known.has(each.id));
    if (seen.length > 0) acknowledged.value = [...seen.reverse(), ...acknowledged.peek()].slice(0, LATELY);
  });
}

/**
 * An open case, or one that has ended while the page was open.
 * @param {string} id
 */
export function briefOf(id) {
  casesSeen.value;
  if (played.value) return played.value.cases.get(id) ?? null;
  return cases_.get(id) ?? ended_.get(id) ?? null;
}

/** @param {string} id */
export function officerOf(id) {
  officersSeen.value;
  return officers_.get(id) ?? null;
}

/** @param {Snapshot} snapshot */
export function takeSnapshot(snapshot) {
  cases_.clear();
  officers_.clear();
  cameras_.clear();
  for (const brief of snapshot.cases) if (!FINAL.has(brief.state)) cases_.set(brief.id, brief);
  for (const officer of snapshot.officers) officers_.set(officer.id, officer);
  for (const camera of snapshot.cameras) cameras_.set(camera.code, camera);
  batch(() => {
    casesSeen.value += 1;
    officersSeen.value += 1;
    camerasSeen.value += 1;
    wholes.value += 1;
  });
  reviewsAnew();
}

/** @param {Frame[]} frames */
export function takeNews(frames) {
  let ofCases = 0, ofOfficers = 0, ofCameras = 0;
  /** @type {Alarm[]} */
  const rung = [];
  /** @type {ReviewNews[]} */
  const looked = [];
  for (const frame of frames) {
    if (frame.type === "case") ofCases += Number(takeCase(frame.case));
    else if (frame.type === "gone" && frame.kind === "case") ofCases += Number(cases_.delete(frame.id));
    else if (frame.type === "gone" && frame.kind === "officer") ofOfficers += Number(officers_.delete(frame.id));
    else if (frame.type === "gone") ofCameras += Number(cameras_.delete(frame.id));
    else if (frame.type === "officer") ofOfficers += Number(Boolean(officers_.set(frame.officer.id, frame.officer)));
    else if (frame.type === "camera") ofCameras += Number(Boolean(cameras_.set(frame.camera.code, frame.camera)));
    else if (frame.type === "alarm") rung.push(frame.alarm);
    else if (frame.type === "review") looked.push(frame.review);
  }
  batch(() => {
    if (ofCases > 0) casesSeen.value += 1;
    if (ofOfficers > 0) officersSeen.value += 1;
    if (ofCameras > 0) camerasSeen.value += 1;
    for (const alarm of rung) if (alarm.acknowledged === null) heardHere.add(alarm.id);
    if (rung.length > 0) takeAlarms(rung);
    if (looked.length > 0) takeReviews(looked);
  });
}

/** @param {Brief} brief */
function takeCase(brief) {
  const known = cases_.get(brief.id);
  if (known !== undefined && known.version > brief.version) return false;
  if (FINAL.has(brief.state)) {
    ended_.set(brief.id, brief);
    if (ended_.size > 200) ended_.delete(/** @type {string} */ (ended_.keys().next().value));
    return cases_.delete(brief.id);
  }
  if (known === undefined) arrived.add(brief.id);
  cases_.set(brief.id, brief);
  return true;
}

// ---- what seldom changes ------------------------------------------------------------------------

/**
 * @typedef {object} Lists
 * @property {Map<string, Division>} divisions
 * @property {Map<string, Category>} categories by edition:code
 * @property {Department[]} departments
 * @property {DutyLine[]} lines
 * @property {Map<string, MoveRule>} moves
 * @property {MapLayers | null} map
 */

/** Null until they are there. @type {import("../vendor/signals.mjs").Signal<Lists | null>} */
export const lists = signal(null);

/** Load what seldom changes. Raises Refused. */
export async function loadLists() {
  const [divisions, editions, departments, lines, moves, map] = await Promise.all([
    askAll("/api/v1/divisions?limit=1000"),
    ask("/api/v1/category-editions"),
    ask("/api/v1/departments"),
    ask("/api/v1/duty-lines"),
    ask("/api/v1/moves"),
    ask("/api/v1/map"),
  ]);
  const categories = await Promise.all(
    editions.items.map((/** @type {{code: string}} */ each) => ask(`/api/v1/categories?edition=${encodeURIComponent(each.code)}`)),
  );
  lists.value = {
    divisions: new Map(divisions.map((each) => [each.code, each])),
    categories: new Map(categories.flatMap((page) => page.items).map((each) => [`${each.edition}:${each.code}`, each])),
    departments: departments.items,
    lines: lines.items,
    moves: new Map(moves.items.map((/** @type {MoveRule} */ each) => [each.move, each])),
    map,
  };
}

/** @param {Brief} brief */
export function categoryName(brief) {
  const category = lists.value?.categories.get(`${brief.edition}:${brief.category}`);
  return category === undefined ? brief.category : named(category.name, category.name_en);
}

/** @param {string | null} code */
export function divisionName(code) {
  const division = code === null ? undefined : lists.value?.divisions.get(code);
  return division === undefined ? (code ?? "") : named(division.name, division.name_en);
}

/** @param {string | null} code */
export function departmentName(code) {
  const department = lists.value?.departments.find((each) => each.code === code);
  return department === undefined ? (code ?? "") : named(department.name, department.name_en);
}

/** @param {string | null} code */
export function lineName(code) {
  const line = lists.value?.lines.find((each) => each.code === code);
  return line === undefined ? (code ?? "") : named(line.name, line.name_en);
}

/** @param {Brief} brief */
export const ownerName = (brief) => brief.officer?.name ?? departmentName(brief.department);
