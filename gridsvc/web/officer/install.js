// The app as something installed: its service worker, a newer version, storage that the browser may not clear.
import { signal } from "../shared/screen.js";

/** Whether a newer version has been fetched and waits. */
export const newer = signal(false);

/** How much of the storage is used; `persisted` whether the browser has promised to leave it alone. */
export const storage = signal({ used: 0, quota: 0, persisted: false });

const HOURLY_MS = 3_600_000;

/** @type {ServiceWorkerRegistration | null} */
let registration = null;

/** Have the app kept on the phone. Where that cannot be (no HTTPS, an old browser), it works while it is open. */
export async function keepApp() {
  void measure(true);
  if (!("serviceWorker" in navigator)) return;
  const fresh = navigator.serviceWorker.controller === null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!fresh || newer.peek()) location.reload(); // drafts and the outbox are on the disk
  });
  registration = await navigator.serviceWorker.register("/officer/sw.js", { scope: "/officer/", type: "module", updateViaCache: "none" }).catch(() => null);
  if (registration === null) return;
  const look = () => {
    newer.value = registration?.waiting != null && navigator.serviceWorker.controller !== null;
  };
  registration.addEventListener("updatefound", () => registration?.installing?.addEventListener("statechange", look));
  look();
  setInterval(() => void update(), HOURLY_MS);
  document.addEventListener("visibilitychange", () => void (document.visibilityState === "visible" && update()));
}

const update = async () => {
  await registration?.update().catch(() => undefined); // no network: another time
};

/** Take the newer version now. */
export function takeNewer() {
  registration?.waiting?.postMessage("take over");
}

/** Look how full the storage is. @param {boolean} [ask] whether the browser is asked to leave it alone */
export async function measure(ask = false) {
  if (!navigator.storage?.estimate) return;
  const persisted = (await navigator.storage.persisted?.()) || (ask && (await navigator.storage.persist?.())) || false;
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  storage.value = { used: usage, quota, persisted };
}
