// The outbox as the pages see it: what waits, why, and how to put something in.
import { computed, signal } from "../shared/screen.js";
import { person } from "../shared/service.js";
import { newId } from "./ids.js";
import { addItem, changeItem, dropItem, fact, item, items } from "./keep.js";
import { CHANNEL, TAG, isOpen, tell } from "./send.js";

/** @import { About, Item } from "./keep.js" */

/** Everything in it, the oldest first; undefined until it was read. */
export const outbox = signal(/** @type {Item[] | undefined} */ (undefined));

/** How many wait or need somebody. */
export const pending = computed(() => (outbox.value ?? []).filter((each) => each.state !== "done").length);

/** Somebody wants that it is sent now; `sync.js` listens. */
export const wanted = signal(0);

let reads = 0;

/** Read it anew. */
export async function readOutbox() {
  const turn = ++reads;
  const found = await items();
  if (turn === reads) outbox.value = found;
}

/** Follow what this page, another or the service worker changes, until the returned function is called. */
export function followOutbox() {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => void readOutbox();
  void readOutbox();
  return () => channel.close();
}

/**
 * Put something in. It is on the disk when this returns, and is sent as soon as that can be.
 * @param {object} what
 * @param {string} what.kind
 * @param {string} what.method
 * @param {string} what.path
 * @param {Record<string, unknown>} what.body
 * @param {{photo: string, into: string}[]} [what.photos] by the ids of `photos.js`; `into` names the list of the body
 * @param {string | null} [what.if_match] a version or "a:<assignment>"
 * @param {string} [what.captured_at] when it was done; now when left out
 * @param {About} what.about
 * @param {string} [what.draft] the draft that it comes from and that goes with it
 * @returns {Promise<Item>}
 */
export async function enqueue({ kind, method, path, body, photos = [], if_match = null, captured_at, about, draft }) {
  /** @type {Item} */
  const made = {
    id: newId(), by: person.peek()?.id ?? "", kind, method, path, body, photos, if_match,
    captured_at: captured_at ?? new Date().toISOString(), last_contact: (await fact("clock"))?.heard_at ?? "", about,
    state: "waiting", why: { code: "new", detail: "" }, sent: false, tries: 0, next_at: 0, settled_at: 0, answer: null,
  };
  await addItem(made, draft);
  await readOutbox();
  tell();
  await wakeWorker();
  wanted.value += 1;
  return made;
}

/** Ask the browser to send when it next can, also when the page is shut by then; where it cannot, the page alone sends. */
async function wakeWorker() {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  if (registration === undefined || !("sync" in registration)) return;
  const { sync } = /** @type {{sync: {register: (tag: string) => Promise<void>}}} */ (/** @type {unknown} */ (registration));
  await sync.register(TAG).catch(() => undefined); // refused where background work is switched off
}

/**
 * Try one again that was refused, with what has been changed: a new key, since it is a new request.
 * @param {string} id
 * @param {Partial<Pick<Item, "body" | "if_match" | "photos">>} change
 */
export async function again(id, change) {
  const found = await item(id);
  if (found === undefined || isOpen(found)) return;
  await dropItem({ ...found, photos: [] });
  await addItem({ ...found, ...change, id: newId(), state: "waiting", why: { code: "new", detail: "" }, sent: false, tries: 0, next_at: 0, settled_at: 0, answer: null });
  await readOutbox();
  wanted.value += 1;
}

/** Try one now. @param {string} id */
export async function hurry(id) {
  await changeItem(id, { next_at: 0 });
  wanted.value += 1;
}

/** Whether it may be thrown away: refused, or never sent. @param {Item} each */
export const mayGo = (each) => each.state === "refused" || each.state === "conflict" || (each.state === "waiting" && !each.sent);

/**
 * Throw one away that the service has refused, or take back what was not sent yet. What may be half sent stays.
 * @param {Item} gone
 */
export async function discard(gone) {
  const found = await item(gone.id);
  if (found === undefined || !mayGo(found)) return;
  await dropItem(found);
  await readOutbox();
  tell();
  wanted.value += 1; // what stood behind it may go now
}
