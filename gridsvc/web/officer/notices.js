// What the service tells this person, by a socket that stays open: in order, kept on the phone, shown, and only then
// acknowledged. What was not acknowledged is told again after every break.
import { computed, effect, html, signal, useEffect } from "../shared/screen.js";
import { moment, named, word } from "../shared/language.js";
import { Refused, ask, person } from "../shared/service.js";
import { NoticeSwitch } from "./allowing.js";
import { dropNotices, notice, notices, putNotice } from "./keep.js";
import { say, told } from "./say.js";
import { above, go, register } from "./shell.js";
import { online } from "./sync.js";
import { loadWork, work } from "./tasks.js";

/** @import { Notice } from "./keep.js" */

register({
  path: "notices", title: "notices.title", page: NoticesPage,
  tab: { icon: "M6 16v-5a6 6 0 0 1 12 0v5l1.500 2h-15ZM10 20.500h4", place: 2, badge: () => unread.value, says: "notices.unread" },
});
above.push(Fresh);

/** What is kept, the newest first. */
export const heard = signal(/** @type {Notice[]} */ ([]));

/** What came while the app was open and nobody has put away yet. */
const fresh = signal(/** @type {Notice | null} */ (null));

/** How many this person has not looked at in the list. */
export const unread = computed(() => heard.value.filter((each) => !each.shown).length);

const SHORT = "patrol.short"; // it is about no case
const MOST = 100;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const PROBE_MS = 45_000; // a line that is dead does not say so
const PATIENCE_MS = 10_000;

// ---- sound ----------------------------------------------------------------------------------------

/** @type {AudioContext | null} */
let speaker = null;

/** @param {boolean} loud two tones, and longer in the hand */
export function sound(loud) {
  navigator.vibrate?.(loud ? [400, 150, 400] : 200);
  speaker ??= new AudioContext();
  const plays = speaker;
  if (plays.state === "suspended") return; // no browser lets a page sound that nobody has touched
  (loud ? [880, 660] : [660]).forEach((tone, n) => {
    const source = new OscillatorNode(plays, { frequency: tone }), now = plays.currentTime + n * 0.25;
    source.connect(new GainNode(plays, { gain: 0.2 })).connect(plays.destination);
    source.start(now);
    source.stop(now + 0.2);
  });
}

/** Somebody is here: from now on the page may sound. */
function touched() {
  void speaker?.resume();
  document.removeEventListener("pointerdown", touched);
}

// ---- showing --------------------------------------------------------------------------------------

/** @param {Notice} of */
const isLoud = (of) => of.says["severity"] === "emergency" || of.says["urgent"] === true;

/** @param {Notice} of */
function titleOf(of) {
  const what = told("notice", of.kind) || of.kind;
  if (of.kind === "digest") return say("notices.digest", { n: String(of.says["count"] ?? "") });
  return of.kind === "case.escalated" ? `${what} · ${word("effect", of.says["effect"])}` : what;
}

/** @param {Notice} of */
const textOf = (of) => {
  const known = [...work.peek()?.cases ?? []].find((each) => each.id === of.case_id);
  if (of.kind === SHORT) return say("notices.short", { beat: of.says["beat"], n: of.says["open"], until: moment(of.says["until_at"]) });
  return [known && named(known.category_name, known.category_name_en), of.says["number"]].filter(Boolean).join(" · ");
};

/**
 * Show it where the person can see it; false: nobody can at this moment.
 * @param {Notice} of
 */
async function show(of) {
  if (of.shown) return true; // it came again, because nobody heard that it was here
  if (document.visibilityState === "visible") {
    fresh.value = of;
    return true;
  }
  if (!("Notification" in window) || Notification.permission !== "granted") return false;
  const registration = await navigator.serviceWorker?.getRegistration();
  const how = { body: textOf(of), tag: of.id, requireInteraction: isLoud(of) };
  if (registration) await registration.showNotification(titleOf(of), how);
  else new Notification(titleOf(of), how);
  return true;
}

// ---- the socket -----------------------------------------------------------------------------------

/** Hear what is told until the returned function is called. */
export function followNotices() {
  const by = person.peek()?.id ?? "";
  /** @type {WebSocket | null} */
  let socket = null;
  let wait = FIRST_WAIT_MS, timer = 0, probe = 0, ended = false;
  /** One after the other, in the order in which they came. */
  let turn = Promise.resolve();
  /** Kept, and not seen by anybody yet. @type {Map<string, Notice>} */
  const unseen = new Map();

  const open = () => {
    if (ended || socket !== null || !online.peek()) return;
    const address = new URL("/api/v1/me/notices", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = new WebSocket(address);
    socket = mine;
    mine.onmessage = (message) => {
      if (socket !== mine) return;
      alive(mine);
      const said = JSON.parse(message.data);
      if (said.type === "notice") turn = turn.then(() => take(said, mine));
      if (said.type === "acked") turn = turn.then(() => settle(said.seqs));
    };
    mine.onopen = () => {
      wait = FIRST_WAIT_MS;
      alive(mine);
    };
    mine.onclose = () => {
      if (socket === mine) lost();
    };
  };
  /** It has said something: ask again in a while whether it still does. @param {WebSocket} mine */
  const alive = (mine) => {
    clearTimeout(probe);
    probe = window.setTimeout(() => {
      if (mine.readyState === WebSocket.OPEN) mine.send(JSON.stringify({ type: "ack", seqs: [] }));
      probe = window.setTimeout(() => mine.close(), PATIENCE_MS);
    }, PROBE_MS);
  };
  const lost = () => {
    clearTimeout(probe);
    socket = null;
    if (ended) return;
    timer = window.setTimeout(again, wait * (0.75 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
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

  /** @param {Record<string, any>} said @param {WebSocket} from */
  const take = async (said, from) => {
    const { type: _type, seq, id, kind, case_id, at, ...says } = said;
    const before = await notice(id);
    /** @type {Notice} */
    const mine = { id, seq, by, kind, case_id, at, says, shown: before !== undefined && before.seq === seq && before.shown, acked: false };
    await putNotice(mine);
    await list();
    if (before?.seq !== seq && says["rings"] !== false) sound(isLoud(mine));
    await present(mine, from);
    loadSoon();
  };
  /** @param {Notice} of @param {WebSocket} to */
  const present = async (of, to) => {
    if (await show(of)) {
      unseen.delete(of.id);
      if (to.readyState === WebSocket.OPEN) to.send(JSON.stringify({ type: "ack", seqs: [of.seq] }));
    } else unseen.set(of.id, of);
  };
  /** @param {number[]} seqs */
  const settle = async (seqs) => {
    const had = new Set(seqs);
    for (const each of await notices()) if (had.has(each.seq)) await putNotice({ ...each, acked: true });
    await list();
  };
  const list = async () => {
    const all = (await notices()).filter((each) => each.by === by).sort((one, other) => other.seq - one.seq);
    await dropNotices(all.slice(MOST).filter((each) => each.acked).map((each) => each.id));
    heard.value = all.slice(0, MOST);
  };
  let soon = 0;
  const loadSoon = () => {
    clearTimeout(soon);
    soon = window.setTimeout(() => void loadWork(), 50);
  };
  const seen = () => {
    if (document.visibilityState !== "visible") return;
    const line = socket;
    if (line !== null) for (const each of unseen.values()) turn = turn.then(() => present(each, line));
    now();
  };
  const now = () => {
    clearTimeout(timer);
    wait = FIRST_WAIT_MS;
    open();
  };

  const stop = effect(() => {
    if (online.value) now();
    else socket?.close();
  });
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("pointerdown", touched);
  void list();
  return () => {
    ended = true;
    clearTimeout(timer);
    clearTimeout(probe);
    clearTimeout(soon);
    stop();
    document.removeEventListener("visibilitychange", seen);
    document.removeEventListener("pointerdown", touched);
    socket?.close();
    heard.value = [];
    fresh.value = null;
  };
}

// ---- pages ----------------------------------------------------------------------------------------

/** @param {Notice} of */
async function putAway(of) {
  await putNotice({ ...of, shown: true });
  heard.value = heard.peek().map((each) => (each.id === of.id ? { ...each, shown: true } : each));
  if (fresh.peek()?.id === of.id) fresh.value = null;
}

/** @param {Notice} of */
const follow = (of) => {
  void putAway(of);
  if (of.case_id !== null) go(`task/${of.case_id}`);
  else if (of.kind === SHORT) go("patrol");
};

/** The newest, over the page, until somebody puts it away. */
export function Fresh() {
  const of = fresh.value;
  if (of === null) return null;
  return html`<div class=${`fresh ${isLoud(of) ? "loud" : ""}`} role="alert">
    <p><b>${titleOf(of)}</b><br /><span class="small">${textOf(of)}${unread.value > 1 ? ` · ${say("notices.more", { n: unread.value - 1 })}` : ""}</span></p>
    <button onClick=${() => follow(of)}>${say("notices.look")}</button>
    <button class="quiet" onClick=${() => void putAway(of)} aria-label=${say("notices.away")}>×</button>
  </div>`;
}

/** `rest` is the notice that somebody pressed on the locked phone. @param {{rest: string}} props */
function NoticesPage({ rest }) {
  const all = heard.value;
  const there = all.some((each) => each.id === rest);
  useEffect(() => {
    if (there) document.querySelector(`[data-notice="${CSS.escape(rest)}"]`)?.scrollIntoView({ block: "center" });
  }, [rest, there]);
  return html`<section>
    <${NoticeSwitch} brief=${true} />
    ${all.length === 0 && html`<p class="empty">${say("notices.none")}</p>`}
    ${unread.value > 1 && html`<button onClick=${() => all.filter((each) => !each.shown).forEach((each) => void putAway(each))}>${say("notices.allAway")}</button>`}
    <ul class="cards">${all.map((each) => html`<li key=${each.id} aria-current=${each.id === rest ? "true" : undefined} class=${`card notice ${each.shown ? "" : "new"} ${isLoud(each) ? "loud" : ""}`} data-notice=${each.id}>
      <button class="quiet row" onClick=${() => follow(each)}><b>${titleOf(each)}</b>
        <span class="small">${textOf(each)}</span><span class="small muted">${moment(each.at)} ${each.acked ? "" : say("notices.unacked")}</span></button></li>`)}</ul>
  </section>`;
}
