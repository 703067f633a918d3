// The client of the live feed: position first, then the snapshot, then what has come since. A break is resumed where
// it began, all or nothing; what cannot be resumed is loaded anew. How old the picture is, is always known.
import { batch, signal } from "./screen.js";
import { heardTime } from "./clock.js";
import { Refused, ask } from "./service.js";

/** @import { Frame, Snapshot } from "./types.js" */

/**
 * "loading" until the first picture is whole, "live" while the feed is heard, "broken" while it is not.
 * @typedef {"loading" | "live" | "broken"} Line
 */

/** How the feed stands; `heard` is when it was heard last, by performance.now(), `at` by the city's clock. */
export const line = signal(/** @type {{state: Line, heard: number, at: number, why: string}} */ ({ state: "loading", heard: 0, at: 0, why: "" }));

/** Two heartbeats and a half: a feed that is silent for longer is broken, whatever its socket says. */
const SILENT_MS = 12_500;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * @typedef {object} Hearer
 * @property {(snapshot: Snapshot) => void} whole the whole picture, in place of the last one
 * @property {(frames: Frame[]) => void} news what has changed since, in order
 */

/**
 * Listen until the returned function is called.
 * @param {Hearer} hearer
 * @returns {() => void}
 */
export function listen(hearer) {
  /** @type {WebSocket | null} */
  let socket = null;
  let epoch = "", seq = 0;
  let whole = false; // whether the picture is complete up to `seq`
  let loading = 0; // the number of the snapshot that is being loaded; 0: none
  let loads = 0;
  let wait = FIRST_WAIT_MS;
  let ended = false;
  /** @type {Frame[]} */
  let held = []; // what came while a snapshot was on its way
  /** @type {Frame[]} */
  let fresh = []; // what came since the screen was drawn last
  let timer = 0, watch = 0, frame = 0;

  const open = () => {
    if (ended) return;
    const address = new URL("/api/v1/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (whole) {
      address.searchParams.set("epoch", epoch);
      address.searchParams.set("seq", String(seq));
    }
    const mine = new WebSocket(address);
    socket = mine;
    mine.onmessage = (message) => {
      if (socket === mine) hear(JSON.parse(message.data));
    };
    mine.onclose = () => {
      if (socket === mine) lost();
    };
    watch = window.setTimeout(() => mine.close(), SILENT_MS);
  };

  const lost = () => {
    clearTimeout(watch);
    socket = null;
    loading = 0;
    held = [];
    if (ended) return;
    line.value = { ...line.peek(), state: "broken" };
    const pause = wait * (0.75 + Math.random() / 2); // so that a thousand desks do not come back at once
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    timer = window.setTimeout(again, pause);
  };

  // A socket does not say why it was refused; the session does.
  const again = async () => {
    try {
      await ask("/api/v1/auth/session");
    } catch (refused) {
      if (refused instanceof Refused && refused.status === 401) return;
    }
    open();
  };

  /** @param {Frame} said */
  const hear = (said) => {
    clearTimeout(watch);
    const mine = socket;
    watch = window.setTimeout(() => mine?.close(), SILENT_MS);
    if ("at" in said && said.at !== undefined && said.type !== "case") {
      heardTime(said.at);
      line.value = { ...line.peek(), heard: performance.now(), at: Date.parse(said.at) };
    } else {
      line.value = { ...line.peek(), heard: performance.now() };
    }
    if (said.type === "position") return found(said);
    if (said.type === "resync") return void load();
    if (loading !== 0) held.push(said);
    else take(said);
  };

  /** @param {{epoch: string, seq: number, recovered: boolean}} position */
  const found = (position) => {
    wait = FIRST_WAIT_MS;
    if (whole && position.recovered && position.epoch === epoch) {
      line.value = { ...line.peek(), state: "live", why: "" };
      return;
    }
    epoch = position.epoch;
    seq = position.seq;
    void load();
  };

  const load = async () => {
    const mine = ++loads;
    loading = mine;
    whole = false;
    try {
      const snapshot = /** @type {Snapshot} */ (await ask(`/api/v1/live/snapshot?epoch=${encodeURIComponent(epoch)}&seq=${seq}`));
      if (ended || loading !== mine) return;
      if (snapshot.epoch !== epoch) {
        socket?.close(); // the feed began anew in between: so do we
        return;
      }
      seq = snapshot.seq;
      heardTime(snapshot.at);
      fresh = [];
      batch(() => {
        hearer.whole(snapshot);
        line.value = { state: "live", heard: performance.now(), at: Date.parse(snapshot.at), why: "" };
      });
      loading = 0;
      whole = true;
      const waited = held;
      held = [];
      waited.forEach(take);
    } catch (refused) {
      if (ended || loading !== mine) return;
      line.value = { ...line.peek(), state: "broken", why: refused instanceof Refused ? refused.code : "" };
      socket?.close();
    }
  };

  /** @param {Frame} said */
  const take = (said) => {
    if (!("seq" in said) || said.seq < seq) return; // older than the picture
    seq = said.seq;
    if (said.type === "heartbeat" || said.type === "position") return;
    fresh.push(said);
    // A hidden page draws no frames; what came must not pile up there.
    if (frame === 0) frame = document.hidden ? window.setTimeout(flush, 1000) : requestAnimationFrame(flush);
  };

  const flush = () => {
    frame = 0;
    const news = fresh;
    fresh = [];
    if (news.length > 0) hearer.news(news);
  };

  const soon = () => {
    if (socket === null && !ended) {
      clearTimeout(timer);
      wait = FIRST_WAIT_MS;
      open();
    }
  };
  window.addEventListener("online", soon);
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(watch);
    window.removeEventListener("online", soon);
    socket?.close();
    line.value = { state: "loading", heard: 0, at: 0, why: "" };
  };
}
