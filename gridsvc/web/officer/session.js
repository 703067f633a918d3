// Who works on this phone. The session is the browser's cookie, good for 30 days and another every day, which no script
// can read; what is remembered here is only whose it is, so that the app opens without a network.
import { signal } from "../shared/screen.js";
import { Refused, ask, person, recognise, signIn, signOut, write, zone } from "../shared/service.js";
import { answer, dropAnswers, dropFact, fact, putAnswer, putFact } from "./keep.js";

/** @import { Person } from "../shared/types.js" */

/** Whether somebody is in by memory alone: the service could not be asked yet. */
export const unsure = signal(false);

const KEPT = "person";
const RENEWED = "renewed"; // when the cookie was last renewed, by this phone's clock
const A_DAY_MS = 86_400_000;

/** Find out who is here: by the service, else by memory. Raises Refused where neither knows. */
export async function open() {
  const kept = /** @type {{user: Person, zone: string} | null} */ (await fact(KEPT));
  try {
    await recognise();
    await remember();
    await renew();
  } catch (refused) {
    if (!(refused instanceof Refused) || kept === null) throw refused;
    zone.value = kept.zone;
    person.value = kept.user;
    unsure.value = true;
  }
}

/** The network is back: ask whether the session still stands. */
export async function reopen() {
  try {
    await recognise();
    await remember();
    await renew();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // still no network: nothing has changed
  }
}

/**
 * Once a day the cookie is renewed: who has a copy of an older one ends the session for both. Where the answer is lost,
 * the next time gives the same cookie again; no try hinders the work.
 */
async function renew() {
  if (person.peek() === null || Date.now() - (await fact(RENEWED) ?? 0) < A_DAY_MS) return;
  try {
    await write("POST", "/api/v1/auth/session/renew", undefined);
    await putFact(RENEWED, Date.now());
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
  }
}

async function remember() {
  unsure.value = false;
  const me = person.peek();
  if (me) await putFact(KEPT, { user: me, zone: zone.peek() });
}

/** What was typed last at the door of this phone, and what the phone is called. */
export const lastHere = async () => ({ username: (await fact(KEPT))?.user.username ?? "", device: await fact("device") ?? "" });

/**
 * @param {string} username
 * @param {string} password
 * @param {string} device what this phone is called in the list of devices
 */
export async function enter(username, password, device) {
  await putFact("device", device);
  await signIn(username, password, device);
  await putFact(RENEWED, Date.now());
  await remember();
}

/** Sign out. What waits stays on the phone, for whoever it belongs to; what was kept to read offline goes. */
export async function leave() {
  await signOut();
  await dropAnswers();
  if ("caches" in window) await caches.delete("pictures");
  await dropFact(KEPT);
}

/**
 * What the service says at a path: fresh where it can be reached, else as it was kept. `at` is when it was asked for.
 * Raises Refused where it can neither be asked nor was kept.
 * @param {string} path
 * @param {(path: string) => Promise<any>} [how] `askAll` for every page of a list
 * @returns {Promise<{body: any, at: number, fresh: boolean}>}
 */
export async function askOrKept(path, how = ask) {
  const by = person.peek()?.id ?? "";
  try {
    const asked = Date.now(), body = await how(path);
    await putAnswer(path, by, body, asked);
    return { body, at: asked, fresh: true };
  } catch (refused) {
    if (!(refused instanceof Refused) || (refused.status !== 0 && refused.status < 500)) throw refused;
    const kept = await answer(path, by);
    if (kept === null) throw refused;
    return { body: kept.body, at: kept.at, fresh: false };
  }
}
