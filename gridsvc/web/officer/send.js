// Sends what waits, one after the other: by the page while it is open, by the service worker when the network comes
// back. It needs nothing of a page.
//
// What is promised: an item leaves the outbox only by an answer of the service; a key is sent again as often as it
// takes and counts once; what belongs to one case goes in the order in which it was done.
import { changeItem, changePhoto, dropItem, dropPhotos, fact, item as itemOf, items, photo as photoOf, putFact } from "./keep.js";
import { bring } from "./tus.js";

/** @import { Item, Photo, Why } from "./keep.js" */

export const CHANNEL = "gridsvc.outbox";
export const TAG = "gridsvc.outbox"; // of Background Sync
const LOCK = "gridsvc.outbox";

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LONGEST_PAUSE_MS = 60_000; // while the service cannot be reached at all: somebody may be standing before a wall
const PATIENCE_MS = 60_000; // for one request; a line that is dead does not always say so
const KEPT_MS = 24 * 3_600_000; // what was sent is shown for a day
const MOST_KEPT = 60;

/** What ends a round: `code` says why. */
class Later extends Error {
  /**
   * @param {string} code
   * @param {number} [afterMs] when the service said when
   */
  constructor(code, afterMs = 0) {
    super(code);
    this.code = code;
    this.afterMs = afterMs;
  }
}

/** A refusal that trying again does not change. */
class Final extends Error {
  /**
   * @param {number} status
   * @param {any} said
   */
  constructor(status, said) {
    super(said?.code ?? String(status));
    this.status = status;
    this.said = said;
  }
}

/** How long until the n-th try: doubling, never the same for two phones. @param {number} tries */
const waitMs = (tries) => Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 10), LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);

/** Tell the pages that something has changed. */
export function tell() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("changed");
  channel.close();
}

/**
 * Send what is due. One at a time on a phone, whoever asks.
 * @param {{all?: boolean}} [how] `all`: also what would have waited longer
 * @returns {Promise<number>} when to ask again, in ms; 0: nothing waits that time alone would move
 */
export async function sendAll({ all = false } = {}) {
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock === null) return Date.now() + FIRST_WAIT_MS; // another is at it; what it leaves is looked at then
    return round(all);
  });
}

/** @param {boolean} all */
async function round(all) {
  await sweep();
  const waits = (await items()).filter((each) => isOpen(each));
  if (waits.length === 0) return 0;
  let token = "", me = "";
  try {
    ({ csrf_token: token, user: { id: me } } = await readJson(await call("GET", "/api/v1/auth/session", {}, null)));
  } catch (failed) {
    const { code, afterMs } = failed instanceof Later ? failed : new Later(failed instanceof Final && failed.status === 401 ? "signed_out" : "refused");
    for (const each of waits) if (each.state !== "waiting" || each.why.code !== code) await changeItem(each.id, { state: "waiting", why: { code, detail: "" } });
    tell();
    return code === "signed_out" ? 0 : Date.now() + (afterMs || await pause());
  }
  await putFact("pause", 0);
  let next = 0;
  const behind = new Set((await items()).filter((each) => each.state === "refused" || each.state === "conflict").map((each) => each.about.case));
  behind.delete(null);
  for (const { id } of waits) {
    const each = await itemOf(id);
    if (each === undefined || !isOpen(each)) continue;
    const stays = each.by !== me ? "another_user" : behind.has(each.about.case) ? "behind" : null;
    if (stays !== null) {
      await changeItem(id, { state: "waiting", why: { code: stays, detail: "" } });
      continue;
    }
    if (all || each.next_at <= Date.now()) await one(each, token);
    const now = await itemOf(id);
    if (now !== undefined && now.state !== "done") {
      if (now.about.case !== null) behind.add(now.about.case);
      if (isOpen(now)) next = next === 0 ? now.next_at : Math.min(next, now.next_at);
    }
    tell();
    if (now?.why.code === "signed_out") return 0;
  }
  tell();
  return next;
}

/** How long to stay away when the service cannot be reached at all. */
async function pause() {
  const tries = /** @type {number} */ (await fact("pause") ?? 0);
  await putFact("pause", tries + 1);
  return Math.min(waitMs(tries), LONGEST_PAUSE_MS);
}

/** Whether it still has to be sent. @param {Item} each */
export const isOpen = (each) => each.state === "waiting" || each.state === "uploading" || each.state === "sending";

/**
 * One item as far as it goes.
 * @param {Item} each
 * @param {string} token
 */
async function one(each, token) {
  try {
    const body = structuredClone(each.body);
    for (const { photo: id, into } of each.photos) {
      const photo = await photoOf(id);
      if (photo === undefined) throw new Final(0, { code: "photo_lost", detail: "" });
      const attachment = photo.attachment ?? await upload(each, photo, token);
      body[into] = [.../** @type {string[]} */ (body[into] ?? []), attachment];
    }
    await changeItem(each.id, { state: "sending", sent: true, why: { code: "sending", detail: "" } });
    tell();
    /** @type {Record<string, string>} */
    const headers = { "X-CSRF-Token": token, "Idempotency-Key": each.id, "Content-Type": "application/json", ...await whenDone(each) };
    if (each.if_match !== null) headers["If-Match"] = `"${each.if_match}"`;
    const answer = await readJson(await call(each.method, each.path, headers, JSON.stringify(body)));
    // What it said is with the service now, and is not kept here any longer.
    await changeItem(each.id, { state: "done", why: { code: "done", detail: "" }, settled_at: Date.now(), answer, body: {} });
    await dropPhotos(each.photos.map(({ photo }) => photo));
  } catch (failed) {
    if (failed instanceof Final) {
      if (failed.status === 401) {
        await changeItem(each.id, { state: "waiting", why: { code: "signed_out", detail: "" } });
        return;
      }
      const state = failed.status === 409 || failed.status === 412 ? "conflict" : "refused";
      await changeItem(each.id, {
        state, why: { code: failed.said?.code ?? String(failed.status), detail: failed.said?.detail ?? "" }, settled_at: Date.now(), answer: failed.said,
      });
      return;
    }
    if (!(failed instanceof Later)) throw failed;
    const tries = ((await itemOf(each.id))?.tries ?? 0) + 1;
    await changeItem(each.id, { state: "waiting", why: { code: failed.code, detail: "" }, tries, next_at: Date.now() + (failed.afterMs || waitMs(tries - 1)) });
  }
}

/**
 * Bring one photograph over, and return the service's id for it.
 * @param {Item} each
 * @param {Photo} photo
 * @param {string} token
 */
async function upload(each, photo, token) {
  /** @type {Why} */
  const why = { code: "uploading", detail: "", done: 0, of: photo.blob.size };
  await changeItem(each.id, { state: "uploading", why });
  tell();
  /** @type {Record<string, string>} */
  const headers = { "X-CSRF-Token": token };
  const line = {
    call: (/** @type {string} */ method, /** @type {string} */ path, /** @type {Record<string, string>} */ more, /** @type {BodyInit | null} */ body) => call(method, path, { ...headers, ...more }, body),
    refusalOf: (/** @type {unknown} */ failed) => (failed instanceof Final ? { status: failed.status, code: failed.said?.code ?? "" } : null),
  };
  const sound = photo.blob.type.startsWith("audio/");
  const facts = {
    filename: `${photo.id}.${sound ? "webm" : "jpg"}`, filetype: photo.blob.type,
    ...(photo.taken_at === "" ? {} : { taken_at: photo.taken_at }),
    ...(photo.lon === null || photo.lat === null ? {} : { lon: String(photo.lon), lat: String(photo.lat) }),
  };
  const began = (/** @type {string} */ upload) => changePhoto(photo.id, { upload });
  const arrived = async (/** @type {number} */ done) => {
    await changeItem(each.id, { why: { ...why, done }, tries: 0 });
    tell();
  };
  let attachment;
  try {
    attachment = await bring(line, photo.blob, facts, `${photo.id}.${photo.begun}`, photo.upload, began, arrived);
  } catch (failed) {
    if (failed instanceof Final && (failed.status === 404 || failed.status === 410)) {
      // It lay too long and is not there any more: it begins anew, under another key.
      await changePhoto(photo.id, { upload: "", begun: photo.begun + 1 });
      throw new Later("upload_over", FIRST_WAIT_MS);
    }
    if (failed instanceof Final && (failed.status === 409 || failed.status === 460)) throw new Later("spoilt");
    throw failed;
  }
  await changePhoto(photo.id, { attachment });
  return attachment;
}

/**
 * When it was done, by this phone's clock; how wrong that clock is, as last measured; and when the service had been heard
 * before it was done.
 * @param {Item} each
 * @returns {Promise<Record<string, string>>}
 */
async function whenDone({ captured_at, last_contact }) {
  const skew = /** @type {number | null} */ (await fact("skew"));
  return {
    "Captured-At": captured_at,
    ...(skew === null ? {} : { "Clock-Skew-Ms": String(skew) }),
    ...(last_contact === null ? {} : { "Last-Contact": last_contact }),
  };
}

// ---- one request --------------------------------------------------------------------------------

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {BodyInit | null} body
 * @returns {Promise<Response>} of a success; raises Later or Final otherwise
 */
async function call(method, path, headers, body) {
  let answer;
  const asked = Date.now();
  try {
    answer = await fetch(path, { method, headers, body, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (failed) {
    throw new Later(failed instanceof DOMException && failed.name === "TimeoutError" ? "no_answer" : "unreachable");
  }
  await heard(answer, asked);
  if (answer.ok) return answer;
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408 || answer.status === 425) {
    throw new Later("busy", 1000 * Number(answer.headers.get("Retry-After") ?? 0));
  }
  const said = await answer.json().catch(() => null);
  throw new Final(answer.status, said);
}

/**
 * The service has been heard. How wrong this phone's clock is `citytime.js` measures; until it has, the answer's own date
 * must do: it has whole seconds, so that on the average it is half a second behind.
 * @param {Response} answer
 * @param {number} asked ms
 */
async function heard(answer, asked) {
  const now = Date.now(), said = Date.parse(answer.headers.get("Date") ?? "");
  await putFact("contact", new Date(now).toISOString());
  if (Number.isNaN(said) || await fact("skew") !== null) return;
  await putFact("skew", Math.round(said + 500 - (asked + now) / 2));
}

/** @param {Response} answer */
async function readJson(answer) {
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch {
    throw new Later("no_answer"); // it broke off: the same key gives the same answer again
  }
}

/** Let go of what was sent long ago. */
async function sweep() {
  const sent = (await items()).filter((each) => each.state === "done");
  const old = sent.filter((each, n) => each.settled_at < Date.now() - KEPT_MS || n < sent.length - MOST_KEPT);
  for (const each of old) await dropItem(each);
}
