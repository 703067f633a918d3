// When to send: at the start, when something is put in, when the network or the page comes back, and by the clock.
// Background Sync helps where it exists, and is never what is relied on.
import { effect, signal } from "../shared/screen.js";
import { person } from "../shared/service.js";
import { readOutbox, wanted } from "./outbox.js";
import { sendAll } from "./send.js";
import { reopen, unsure } from "./session.js";

/** Whether the phone says that it has a network. */
export const online = signal(navigator.onLine);

const SOONEST_MS = 500;

/** Keep sending until the returned function is called. */
export function keepSending() {
  let timer = 0, busy = false, stopped = false;
  let asked = /** @type {boolean | null} */ (null); // while it was busy; true: for all

  const go = async (/** @type {boolean} */ all) => {
    clearTimeout(timer);
    if (busy) {
      asked = asked === true || all;
      return;
    }
    busy = true;
    try {
      if (unsure.peek() && navigator.onLine) await reopen();
      const next = await sendAll({ all });
      await readOutbox();
      if (!stopped && next > 0) timer = window.setTimeout(() => void go(false), Math.max(next - Date.now(), SOONEST_MS));
    } finally {
      busy = false;
    }
    if (asked !== null && !stopped) {
      const again = asked;
      asked = null;
      await go(again);
    }
  };
  const came = () => {
    online.value = true;
    void go(true);
  };
  const went = () => {
    online.value = false;
  };
  const seen = () => {
    if (document.visibilityState === "visible") void go(true);
  };
  addEventListener("online", came);
  addEventListener("offline", went);
  document.addEventListener("visibilitychange", seen);
  const stop = effect(() => {
    wanted.value;
    if (person.value) void go(wanted.peek() === 0);
  });
  return () => {
    stopped = true;
    clearTimeout(timer);
    stop();
    removeEventListener("online", came);
    removeEventListener("offline", went);
    document.removeEventListener("visibilitychange", seen);
  };
}
