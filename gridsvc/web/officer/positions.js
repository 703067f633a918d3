// Where this phone is: asked by a budget, kept until it is sent, never asked off duty.
import { effect, signal } from "../shared/screen.js";
import { Refused, write } from "../shared/service.js";
import { hasMoved, nextAsk, recent } from "./asking.js";
import { measure, measureOnce, skew } from "./citytime.js";
import { onDuty } from "./duty.js";
import { dropFixes, fact, fixes, putFact, putFix } from "./keep.js";
import { online } from "./sync.js";

/** @import { Asked } from "./asking.js" */
/** @import { Fix } from "./keep.js" */

/** Where the phone was last; null: not known. */
export const place = signal(/** @type {Fix | null} */ (null));

const LOCK = "gridsvc.positions"; // two windows of one phone ask once
const ASKED = "asked";
const PATIENCE_MS = 20_000;
const MOST = 500; // of one batch; the service takes twice as many
const SHAKE = 1.5; // m/s² beyond gravity
const SHAKES = 15; // within
const SHAKEN_MS = 3_000;

/** Whether the browser says that somebody has made this place up. @param {GeolocationPosition} found */
const saysMocked = (found) => {
  const said = /** @type {{mocked?: boolean, coords: {mocked?: boolean}}} */ (/** @type {unknown} */ (found));
  return said.mocked === true || said.coords.mocked === true;
};

/**
 * One fix, made now: nothing that the phone remembers counts. null where there is none.
 * @returns {Promise<Fix | null>}
 */
export async function look() {
  if (!("geolocation" in navigator)) return null;
  const found = await new Promise((/** @type {(found: GeolocationPosition | null) => void} */ told) => {
    navigator.geolocation.getCurrentPosition(told, () => told(null), { enableHighAccuracy: true, maximumAge: 0, timeout: PATIENCE_MS });
  });
  if (found === null) return null;
  const { longitude: lon, latitude: lat, accuracy: accuracy_m } = found.coords;
  // Made now, so it is of now: receivers write times of clocks of their own.
  place.value = { at: Date.now(), lon, lat, accuracy_m, mocked: saysMocked(found) };
  return place.value;
}

let sending = false;

/** Send what is kept, the oldest first, until nothing is left or nobody answers. */
export async function sendFixes() {
  if (sending || !online.peek()) return;
  sending = true;
  try {
    await measureOnce(); // the first fix may be ready before the first answer
    for (let batch = await fixes(MOST); batch.length > 0; batch = await fixes(MOST)) {
      const ahead = await skew();
      const positions = batch.map(({ at, lon, lat, accuracy_m, mocked }) => ({
        lon, lat, datum: "wgs84", accuracy_m, taken_at: new Date(at + ahead).toISOString(), ...(mocked ? { mocked } : {}),
      }));
      await write("POST", "/api/v1/positions", { positions });
      await dropFixes(batch);
    }
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // they stay, and go with the next
  } finally {
    sending = false;
  }
}

/** Follow where the phone is while its officer is on duty, until the returned function is called. */
export function followPositions() {
  let timer = 0, stirred = 0, stopped = false;
  /** @type {Asked[]} */
  let asked = [];

  const plan = () => {
    clearTimeout(timer);
    if (!stopped && onDuty.peek()) timer = window.setTimeout(ask, Math.max(0, nextAsk(asked, stirred) - Date.now()));
  };
  const ask = async () => {
    const before = place.peek(), at = Date.now();
    const fix = await look();
    asked = [...recent(asked, at), { at, moved: fix !== null && hasMoved(before, fix) }];
    await putFact(ASKED, asked); // opened anew, the app has no budget of its own
    if (fix !== null && onDuty.peek()) {
      await putFix(fix);
      await sendFixes();
    }
    plan();
  };
  const stir = () => {
    if (Date.now() - stirred < SHAKEN_MS) return;
    stirred = Date.now();
    plan();
  };
  let shakes = 0, since = 0;
  const felt = (/** @type {DeviceMotionEvent} */ { acceleration }) => {
    if (Math.hypot(acceleration?.x ?? 0, acceleration?.y ?? 0, acceleration?.z ?? 0) < SHAKE) return;
    if (Date.now() - since > SHAKEN_MS) {
      since = Date.now();
      shakes = 0;
    }
    shakes += 1;
    if (shakes === SHAKES) stir();
  };
  const seen = () => {
    if (document.visibilityState === "visible") stir();
  };

  const held = new AbortController();
  /** @type {() => void} */
  let release = () => {};
  void navigator.locks.request(LOCK, { signal: held.signal }, async () => {
    asked = recent(/** @type {Asked[]} */ (await fact(ASKED) ?? []), Date.now());
    const stop = effect(() => {
      if (onDuty.value) {
        addEventListener("devicemotion", felt);
        plan();
      } else {
        removeEventListener("devicemotion", felt);
        clearTimeout(timer);
      }
    });
    document.addEventListener("visibilitychange", seen);
    const sends = effect(() => {
      if (online.value) void measure().then(sendFixes); // a clock may have been set meanwhile
    });
    if (!stopped) await new Promise((/** @type {(done: void) => void} */ done) => { release = done; });
    stop();
    sends();
    clearTimeout(timer);
    removeEventListener("devicemotion", felt);
    document.removeEventListener("visibilitychange", seen);
  }).catch((/** @type {unknown} */ ended) => {
    if (!(ended instanceof DOMException && ended.name === "AbortError")) throw ended;
  });
  return () => {
    stopped = true;
    held.abort();
    release();
  };
}
