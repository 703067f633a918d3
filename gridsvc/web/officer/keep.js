// What the phone keeps for itself (IndexedDB): what waits to be sent, photographs, drafts, answers that are needed
// offline, and a few facts. The page and the service worker both read and write it.
import { openDB } from "../vendor/idb.mjs";

/** @import { DBSchema, IDBPDatabase } from "../vendor/idb.mjs" */

/** @typedef {"waiting" | "uploading" | "sending" | "done" | "refused" | "conflict"} ItemState */

/**
 * One write that waits, or what became of it. `id` is its Idempotency-Key, the same at every try.
 * @typedef {object} Item
 * @property {string} id
 * @property {string} by the user whose it is; nobody else sends it
 * @property {string} kind what it is for the reader: "report", "self_handle" or the name of a move
 * @property {string} method
 * @property {string} path
 * @property {Record<string, unknown>} body
 * @property {{photo: string, into: string}[]} photos what is put into which list of the body, once it is uploaded
 * @property {string | null} if_match
 * @property {string} captured_at by the phone's clock
 * @property {string | null} last_contact when the service had been heard before that, by the same clock
 * @property {About} about
 * @property {ItemState} state
 * @property {Why} why
 * @property {boolean} sent whether it may have arrived: it cannot be taken back any more
 * @property {number} tries that failed, since the last success of any part
 * @property {number} next_at ms; not tried before, unless the network comes back
 * @property {number} settled_at ms; 0 until there is an answer
 * @property {any} answer what the service said, in the end
 */

/** @typedef {{case: string | null, says: string, says_en: string}} About which case, and what it is called */

/** @typedef {{code: string, detail: string, done?: number, of?: number}} Why `done` of `of` bytes are there */

/**
 * A photograph or voice note as it will be sent. `attachment` is the service's id, once it is whole there.
 * @typedef {object} Photo
 * @property {string} id
 * @property {string} by
 * @property {Blob} blob
 * @property {string} sha256
 * @property {string} taken_at "" where the picture does not say
 * @property {number | null} lon as the picture claims
 * @property {number | null} lat
 * @property {number} kept_at ms
 * @property {string} upload where the service takes the rest of it; "" before it was asked
 * @property {number} begun how often its upload was begun anew
 * @property {string | null} attachment
 */

/** @typedef {{path: string, by: string, at: number, body: any}} Answer */

/** @typedef {{at: number, lon: number, lat: number, accuracy_m: number, mocked: boolean}} Fix where the phone was, by its own clock */

/**
 * Something that was told. `acked`: the service knows that this phone has it.
 * @typedef {{id: string, seq: number, by: string, kind: string, case_id: string | null, at: string, says: Record<string, any>, shown: boolean, acked: boolean}} Notice
 */

/**
 * @typedef {object} Tables
 * @property {{key: string, value: Item}} items
 * @property {{key: string, value: Photo}} photos
 * @property {{key: string, value: {name: string, by: string, at: number, draft: any}}} drafts
 * @property {{key: string, value: Answer}} answers
 * @property {{key: string, value: {name: string, value: any}}} facts
 * @property {{key: number, value: Fix}} fixes
 * @property {{key: string, value: Notice}} notices
 */

/** @typedef {DBSchema & Tables} Schema */

const NAME = "gridsvc.officer";
// Bytes of what was promised to the officer are on the disk before he is told so.
const SAFE = /** @type {const} */ ({ durability: "strict" });

/** @type {Promise<IDBPDatabase<Schema>> | null} */
let opened = null;

function database() {
  opened ??= openDB(NAME, 1, {
    upgrade(made) {
      made.createObjectStore("items", { keyPath: "id" });
      made.createObjectStore("photos", { keyPath: "id" });
      made.createObjectStore("drafts", { keyPath: "name" });
      made.createObjectStore("answers", { keyPath: "path" });
      made.createObjectStore("facts", { keyPath: "name" });
      made.createObjectStore("fixes", { keyPath: "at" });
      made.createObjectStore("notices", { keyPath: "id" });
    },
    blocking(_now, _next, event) {
      // A newer page wants to change the tables: this one steps back, and opens them again when it needs them.
      /** @type {IDBDatabase} */ (event.target).close();
      opened = null;
    },
    terminated() {
      opened = null;
    },
  });
  return opened;
}

// ---- what waits ---------------------------------------------------------------------------------

/** Everything in the outbox, the oldest first. @returns {Promise<Item[]>} */
export const items = async () => (await database()).getAll("items"); // UUIDv7: the key is the order

/** @param {string} id */
export const item = async (id) => (await database()).get("items", id);

/**
 * Take something new in, and let its draft go, at once or not at all.
 * @param {Item} made
 * @param {string} [draftName]
 */
export async function addItem(made, draftName) {
  const all = (await database()).transaction(["items", "drafts"], "readwrite", SAFE);
  await all.objectStore("items").add(made);
  if (draftName !== undefined) await all.objectStore("drafts").delete(draftName);
  await all.done;
}

/**
 * Change an item; nothing where it is gone. Where it stands on its way may be told late after a power cut: it is sent
 * again then. That it has arrived may not.
 * @param {string} id
 * @param {Partial<Item>} change
 */
export async function changeItem(id, change) {
  const all = (await database()).transaction("items", "readwrite", change.state === "done" || change.sent ? SAFE : undefined);
  const found = await all.store.get(id);
  if (found !== undefined) await all.store.put({ ...found, ...change });
  await all.done;
}

/**
 * Forget an item and its photographs.
 * @param {Item} gone
 */
export async function dropItem(gone) {
  const all = (await database()).transaction(["items", "photos"], "readwrite", SAFE);
  await all.objectStore("items").delete(gone.id);
  for (const { photo } of gone.photos) await all.objectStore("photos").delete(photo);
  await all.done;
}

// ---- photographs --------------------------------------------------------------------------------

/** @param {Photo} photo */
export async function putPhoto(photo) {
  const all = (await database()).transaction("photos", "readwrite", SAFE);
  await all.store.put(photo);
  await all.done;
}

/** @param {string} id */
export const photo = async (id) => (await database()).get("photos", id);

/**
 * @param {string} id
 * @param {Partial<Photo>} change
 */
export async function changePhoto(id, change) {
  const all = (await database()).transaction("photos", "readwrite", SAFE);
  const found = await all.store.get(id);
  if (found !== undefined) await all.store.put({ ...found, ...change });
  await all.done;
}

/** @param {string[]} ids */
export async function dropPhotos(ids) {
  const all = (await database()).transaction("photos", "readwrite");
  for (const id of ids) await all.store.delete(id);
  await all.done;
}

/** The ids of all photographs. */
export const photoIds = async () => (await database()).getAllKeys("photos");

// ---- drafts -------------------------------------------------------------------------------------

/**
 * @param {string} name
 * @param {string} by whose it is
 */
export async function draft(name, by) {
  const found = await (await database()).get("drafts", name);
  return found?.by === by ? found.draft : null;
}

/**
 * @param {string} name
 * @param {string} by
 * @param {any} written
 */
export const putDraft = async (name, by, written) => (await database()).put("drafts", { name, by, at: Date.now(), draft: written });

/** @param {string} name */
export const dropDraft = async (name) => (await database()).delete("drafts", name);

export const drafts = async () => (await database()).getAll("drafts");

// ---- answers of the service, kept for when it is not there ----------------------------------------

/**
 * @param {string} path
 * @param {string} by
 * @returns {Promise<Answer | null>}
 */
export async function answer(path, by) {
  const found = await (await database()).get("answers", path);
  return found?.by === by ? found : null;
}

/** Every answer that is kept. */
export const answers = async () => (await database()).getAll("answers");

/**
 * @param {string} path
 * @param {string} by
 * @param {any} body
 * @param {number} [at] ms: what the answer may not know is what happened since
 */
export const putAnswer = async (path, by, body, at = Date.now()) => (await database()).put("answers", { path, by, at, body });

/** Forget what has not been asked for since. @param {number} since ms */
export async function dropOldAnswers(since) {
  const all = (await database()).transaction("answers", "readwrite");
  for (const each of await all.store.getAll()) if (each.at < since) await all.store.delete(each.path);
  await all.done;
}

/** Forget every answer that is kept: somebody signs out. */
export const dropAnswers = async () => (await database()).clear("answers");

// ---- facts --------------------------------------------------------------------------------------

/** @param {string} name */
export const fact = async (name) => (await (await database()).get("facts", name))?.value ?? null;

/**
 * @param {string} name
 * @param {any} value
 */
export const putFact = async (name, value) => (await database()).put("facts", { name, value });

/** @param {string} name */
export const dropFact = async (name) => (await database()).delete("facts", name);

// ---- where the phone was ------------------------------------------------------------------------

/** @param {Fix} fix */
export const putFix = async (fix) => (await database()).put("fixes", fix);

/** The first of those that were not sent, in order of time. @param {number} most */
export const fixes = async (most) => (await database()).getAll("fixes", null, most);

/** @param {Fix[]} sent */
export async function dropFixes(sent) {
  const all = (await database()).transaction("fixes", "readwrite");
  for (const { at } of sent) await all.store.delete(at);
  await all.done;
}

// ---- what was told ------------------------------------------------------------------------------

/** @param {Notice} told */
export async function putNotice(told) {
  const all = (await database()).transaction("notices", "readwrite", SAFE);
  await all.store.put(told);
  await all.done;
}

/** @param {string} id */
export const notice = async (id) => (await database()).get("notices", id);

export const notices = async () => (await database()).getAll("notices");

/** @param {string[]} ids */
export async function dropNotices(ids) {
  const all = (await database()).transaction("notices", "readwrite");
  for (const id of ids) await all.store.delete(id);
  await all.done;
}
