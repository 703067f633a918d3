// Calls of the service: the session's anti-forgery token, a key for every write, and refusals as values.
import { signal } from "./screen.js";

/** @import { Person } from "./types.js" */

/** Who is signed in: null nobody, undefined not known yet. */
export const person = signal(/** @type {Person | null | undefined} */ (undefined));

/** The city's zone: its times are the same on every desk, wherever that stands. */
export const zone = signal("");

/** Why the page asks to sign in: "ended" when a session came to its end. */
export const signedOutWhy = signal("");

/** While the past is looked at nothing is written, whatever form is open. */
export const readOnly = signal(false);

let forgeryToken = "";
let sessions = 0; // that began or ended on this page: an answer to one before says nothing of this one

// The cookie cannot be read from here; this remembers whether there may be one, so that the first visit asks nothing.
const MAY_BE_IN = "gridsvc.session";

/**
 * A refusal of the service (RFC 9457), or that it could not be reached (`status` 0).
 * `facts` holds what else the problem says; `code` is stable.
 */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {Record<string, unknown>} facts
   */
  constructor(status, code, detail, facts = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

/**
 * Ask for JSON. Raises Refused.
 * @param {string} path
 * @param {AbortSignal} [signal_]
 * @returns {Promise<any>}
 */
export async function ask(path, signal_) {
  return (await send("GET", path, undefined, {}, signal_)).body;
}

/**
 * Every page of a list, one after the other.
 * @param {string} path
 * @returns {Promise<any[]>}
 */
export async function askAll(path) {
  const items = [];
  const joint = path.includes("?") ? "&" : "?";
  let next = /** @type {string | null} */ ("");
  while (next !== null) {
    const page = await ask(next === "" ? path : `${path}${joint}cursor=${encodeURIComponent(next)}`);
    items.push(...page.items);
    next = page.next ?? null;
  }
  return items;
}

/**
 * Write. The key makes the same write twice the same: a caller that tries again gives the key of the first try.
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {{key?: string, ifMatch?: string, keepalive?: boolean}} [more] `keepalive`: it outlives the page
 */
export async function write(method, path, body, more = {}) {
  if (readOnly.peek()) throw new Refused(423, "playback", "");
  /** @type {Record<string, string>} */
  const headers = { "Idempotency-Key": more.key ?? newKey(), "X-CSRF-Token": forgeryToken };
  if (more.ifMatch !== undefined) headers["If-Match"] = `"${more.ifMatch}"`;
  return (await send(method, path, body, headers, undefined, more.keepalive)).body;
}

/**
 * Send photographs; returns the ids of those that were kept. Raises Refused for the first that was not.
 * @param {File[]} files
 * @returns {Promise<string[]>}
 */
export async function upload(files) {
  if (readOnly.peek()) throw new Refused(423, "playback", "");
  const form = new FormData();
  for (const file of files) form.append("file", file);
  const headers = { "Idempotency-Key": newKey(), "X-CSRF-Token": forgeryToken };
  const { body } = await send("POST", "/api/v1/attachments", form, headers);
  for (const item of body.items) {
    if (!item.id) throw new Refused(422, item.code ?? "bad_picture", item.detail ?? "", item);
  }
  return body.items.map((/** @type {{id: string}} */ item) => item.id);
}

/** A key of our own making for one write. */
export function newKey() {
  // randomUUID is there on secure origins alone; on http addresses of a local network it is not.
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Find out who is signed in, by the session's cookie. */
export async function recognise() {
  if (localStorage.getItem(MAY_BE_IN) === null) {
    person.value = null;
    return;
  }
  try {
    const session = await ask("/api/v1/auth/session");
    forgeryToken = session.csrf_token;
    zone.value = session.zone;
    person.value = session.user;
  } catch (refused) {
    if (!(refused instanceof Refused) || refused.status !== 401) throw refused;
    localStorage.removeItem(MAY_BE_IN);
    person.value = null;
  }
}

/**
 * @param {string} username
 * @param {string} password
 * @param {string} [label] what this session is called in the list of one's own
 */
export async function signIn(username, password, label = "") {
  await send("POST", "/api/v1/auth/login", { username, password, label }, {});
  sessions += 1;
  localStorage.setItem(MAY_BE_IN, "1");
  signedOutWhy.value = "";
  await recognise();
}

/** End the session here. */
export async function signOut() {
  await send("POST", "/api/v1/auth/logout", undefined, { "X-CSRF-Token": forgeryToken });
  sessions += 1;
  localStorage.removeItem(MAY_BE_IN);
  person.value = null;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {Record<string, string>} headers
 * @param {AbortSignal} [signal_]
 * @param {boolean} [keepalive]
 */
async function send(method, path, body, headers, signal_, keepalive = false) {
  /** @type {RequestInit} */
  const request = { method, headers, signal: signal_ ?? null, keepalive, credentials: "same-origin" };
  if (body instanceof FormData) request.body = body;
  else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...headers, "Content-Type": "application/json" };
  }
  const asking = sessions;
  let answer;
  try {
    answer = await fetch(path, request);
  } catch (failed) {
    if (failed instanceof DOMException && failed.name === "AbortError") throw failed;
    throw new Refused(0, "unreachable", "");
  }
  if (answer.status === 204) return { body: null };
  const said = await answer.json().catch(() => null);
  if (answer.ok) return { body: said };
  if (answer.status === 401 && asking === sessions && person.peek()) {
    localStorage.removeItem(MAY_BE_IN);
    signedOutWhy.value = "ended";
    person.value = null;
  }
  throw new Refused(answer.status, said?.code ?? "unreadable", said?.detail ?? answer.statusText, said ?? {});
}
