// The service worker: the app's own files by build, tiles and pictures that were looked at, and sending in the
// background where the browser can. `/officer/sw.js` is one line that starts this one with its build and files, so a
// new build is a new worker.
import { TAG, isOpen, sendAll } from "./send.js";
import { items } from "./keep.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh-CN.js";

/** @typedef {Event & {waitUntil: (done: Promise<unknown>) => void}} Lasting */
/** @typedef {Lasting & {request: Request, respondWith: (answer: Promise<Response>) => void}} Asked */

const worker = /** @type {EventTarget & {skipWaiting: () => Promise<void>, clients: {claim: () => Promise<void>, matchAll: (of: {type: string}) => Promise<{focus: () => Promise<unknown>, navigate: (url: string) => Promise<unknown>}[]>, openWindow: (url: string) => Promise<unknown>}, registration: ServiceWorkerRegistration, location: Location}} */ (/** @type {unknown} */ (self));

const PAGE = "/officer/";
/** What is kept beside the app, and how much of it: the oldest go first. */
const BESIDE = /** @type {const} */ ({ tiles: 1500, pictures: 200, fonts: 150 });

/**
 * Begin.
 * @param {string} build
 * @param {string[]} files addresses of all that the app needs
 */
export function start(build, files) {
  const own = `app-${build}`;

  const install = async () => {
    const cache = await caches.open(own);
    const page = await fetch(PAGE, { cache: "reload" });
    const text = page.ok ? await page.clone().text() : "";
    if (!text.includes(`/static/${build}/`)) throw new Error("the service has changed meanwhile"); // the next look finds that one
    await cache.put(PAGE, page);
    await cache.addAll(files);
  };
  const activate = async () => {
    for (const name of await caches.keys()) if (name.startsWith("app-") && name !== own) await caches.delete(name);
    await worker.clients.claim();
  };

  on("install", (event) => event.waitUntil(install()));
  on("activate", (event) => event.waitUntil(activate()));
  on("message", (event) => {
    if (/** @type {MessageEvent} */ (/** @type {unknown} */ (event)).data === "take over") void worker.skipWaiting();
  });
  on("fetch", (event) => {
    const asked = /** @type {Asked} */ (event);
    const { request } = asked;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== worker.location.origin) return;
    if (request.mode === "navigate") {
      if (url.pathname === PAGE) asked.respondWith(ofApp(own, PAGE, request));
    } else if (url.pathname.startsWith("/static/")) {
      asked.respondWith(url.pathname.endsWith(".woff2") ? beside("fonts", request) : ofApp(own, request.url, request));
    } else if (url.pathname.startsWith("/tiles/") && url.searchParams.has("v")) {
      asked.respondWith(beside("tiles", request));
    } else if (/^\/api\/v1\/attachments\/[0-9a-f-]{36}(\/thumb)?$/.test(url.pathname)) {
      asked.respondWith(beside("pictures", request));
    }
  });
  on("notificationclick", (event) => {
    const { notification } = /** @type {Lasting & {notification: Notification}} */ (event);
    notification.close();
    event.waitUntil(openAt(`${PAGE}#/notices/${notification.tag}`));
  });
  on("push", (event) => {
    event.waitUntil(showPushed(/** @type {Lasting & {data: {json: () => any} | null}} */ (event).data));
  });
  on("sync", (event) => {
    if (/** @type {Lasting & {tag: string}} */ (event).tag === TAG) event.waitUntil(inBackground());
  });
}

/** @param {string} name @param {(event: Lasting) => void} does */
const on = (name, does) => worker.addEventListener(name, (event) => does(/** @type {Lasting} */ (event)));

/**
 * A file of this build, as it was kept.
 * @param {string} cache @param {string} address @param {Request} request
 */
async function ofApp(cache, address, request) {
  return (await (await caches.open(cache)).match(address)) ?? fetch(request);
}

/**
 * What never changes under its address: kept when it was first looked at.
 * @param {keyof typeof BESIDE} name @param {Request} request
 */
async function beside(name, request) {
  const cache = await caches.open(name);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return kept;
  let answer;
  try {
    answer = await fetch(request);
  } catch (failed) {
    const older = name === "fonts" ? await ofOlder(cache, request.url) : undefined; // an older app's letters are letters too
    if (older === undefined) throw failed;
    return older;
  }
  if (answer.status === 200) {
    await cache.put(request.url, answer.clone());
    const all = await cache.keys();
    for (const old of all.slice(0, Math.max(0, all.length - BESIDE[name]))) await cache.delete(old);
  } else if (answer.status === 204) {
    await cache.put(request.url, answer.clone()); // an empty tile is an answer too
  }
  return answer;
}

/**
 * The same file as another build named it. @param {Cache} cache @param {string} address
 */
async function ofOlder(cache, address) {
  const name = new URL(address).pathname.split("/").pop() ?? "";
  const older = (await cache.keys()).find(({ url }) => new URL(url).pathname.split("/").pop() === name);
  return older && cache.match(older);
}

/**
 * A notice that nobody had seen: its kind in words. The app brings the rest; its tag is the same, so it stands once.
 * @param {{json: () => any} | null} data
 */
async function showPushed(data) {
  const { kind = "", id = "" } = data?.json() ?? {};
  const words = navigator.language.toLowerCase().startsWith("zh") ? zh : en; // what a page keeps is not read from here
  const title = /** @type {Record<string, string>} */ (words)[`notice.${kind}`] ?? words["notices.title"];
  await worker.registration.showNotification(title, { body: words["app.title"], tag: id, icon: new URL("./icon-192.png", import.meta.url).href, requireInteraction: true });
}

/** Bring the app to the front, at this address of it. @param {string} address */
async function openAt(address) {
  const [open] = await worker.clients.matchAll({ type: "window" });
  if (open === undefined) return worker.clients.openWindow(address);
  await open.focus();
  return open.navigate(address).catch(() => null); // not its worker yet: it is in front at least
}

/** Send what waits; where something is left, the browser asks again later. */
async function inBackground() {
  await sendAll({ all: true });
  if ((await items()).some(isOpen)) throw new Error("something still waits");
}
