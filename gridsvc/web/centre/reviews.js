// The queue of what cameras saw and a person is to judge. A verdict leaves the bench at once and is sent a moment later,
// so that a slip of the finger can be taken back; what another has judged meanwhile is gone from here too.
import { signal } from "../shared/screen.js";
import { t, word } from "../shared/language.js";
import { sentence } from "../shared/moveform.js";
import { Refused, ask, newKey, write } from "../shared/service.js";
import { DESK, holds } from "./roles.js";
import { say } from "./said.js";

/** @import { Review, ReviewNews } from "../shared/types.js" */
/** @typedef {"real" | "false" | "duplicate"} Verdict */
/** @typedef {{review: Review, verdict: Verdict, category: string, key: string}} Held */

const PAGE = 100;
const FEW = 20; // so many are at hand, or more are asked for
const HELD_MS = 4_000;
const MINUTE_MS = 60_000;
const COUNTED_MS = 1_000; // a flood of verdicts is counted once a second

/** What waits, the longest wait first; null until it is there. @type {import("../vendor/signals.mjs").Signal<Review[] | null>} */
export const waiting = signal(null);

/** @type {import("../vendor/signals.mjs").Signal<{waiting: number, judged: number, mine: number} | null>} */
export const tally = signal(null);

/** The last verdict, until it is sent. @type {import("../vendor/signals.mjs").Signal<Held | null>} */
export const held = signal(null);

/** Why the queue could not be loaded. */
export const failed = signal("");

/** What was judged here, and must not come back with an answer that was on its way. @type {Set<string>} */
const done = new Set();

let isOpen = false, loading = false, again = false;
let sending = 0, counting = 0;

/** Load the queue, or load it anew. */
export async function loadReviews() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  try {
    const [page, counted] = await Promise.all([ask(`/api/v1/camera-reviews?limit=${PAGE}`), ask("/api/v1/camera-reviews/tally")]);
    waiting.value = page.items.filter((/** @type {Review} */ each) => !done.has(each.id));
    tally.value = counted;
    failed.value = "";
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    failed.value = refused.code;
  } finally {
    loading = false;
  }
  if (again && isOpen) {
    again = false;
    await loadReviews();
  }
}

/** The live feed has begun anew: what it told of the queue may be incomplete. */
export function reviewsAnew() {
  countReviews();
  if (isOpen) void loadReviews();
}

/** The bench is before somebody, until the returned function is called. */
export function openBench() {
  isOpen = true;
  void loadReviews();
  const leave = () => sendNow(true);
  window.addEventListener("pagehide", leave);
  const again = setInterval(countReviews, MINUTE_MS); // what was judged an hour ago counts no more
  return () => {
    isOpen = false;
    waiting.value = null;
    clearInterval(again);
    window.removeEventListener("pagehide", leave);
    sendNow();
  };
}

/** Count anew, soon. */
export function countReviews() {
  if (counting !== 0 || !holds(DESK)) return;
  counting = window.setTimeout(() => {
    counting = 0;
    ask("/api/v1/camera-reviews/tally").then((counted) => { tally.value = counted; }, () => undefined); // the next verdict counts again
  }, COUNTED_MS);
}

/**
 * What the live feed tells of reviews.
 * @param {ReviewNews[]} news
 */
export function takeReviews(news) {
  countReviews();
  if (!isOpen || waiting.peek() === null) return;
  let fresh = false;
  for (const told of news) {
    const queue = waiting.peek() ?? [];
    if (told.verdict === null) {
      fresh ||= !done.has(told.id) && !queue.some((each) => each.id === told.id);
      continue;
    }
    const mine = held.peek();
    if (mine?.review.id === told.id) {
      clearTimeout(sending);
      held.value = null;
    }
    if (mine?.review.id === told.id || queue[0]?.id === told.id) overtaken(told.verdict, told.verdict_by?.name ?? "");
    done.add(told.id);
    if (queue.some((each) => each.id === told.id)) waiting.value = queue.filter((each) => each.id !== told.id);
  }
  if ((fresh && (waiting.peek()?.length ?? 0) < PAGE) || isShort()) void loadReviews();
}

const isShort = () => (waiting.peek()?.length ?? 0) < FEW && (tally.peek()?.waiting ?? 0) > (waiting.peek()?.length ?? 0);

/** @param {string} verdict @param {string} who */
function overtaken(verdict, who) {
  say(t("review.overtaken", { who: who || t("review.another"), verdict: word("verdict", verdict) }));
}

/**
 * Judge what is before the person; the next is there at once, and the verdict before goes out.
 * @param {Review} review
 * @param {Verdict} verdict
 * @param {string} category "" as the label map has it
 */
export function judge(review, verdict, category) {
  sendNow();
  done.add(review.id);
  waiting.value = (waiting.peek() ?? []).filter((each) => each.id !== review.id);
  held.value = { review, verdict, category, key: newKey() };
  sending = window.setTimeout(sendNow, HELD_MS);
  if (isShort()) void loadReviews();
}

/** Take the last verdict back, while it is not sent. */
export function takeBack() {
  const last = held.peek();
  if (last === null) return;
  clearTimeout(sending);
  held.value = null;
  putBack(last.review);
}

/** @param {Review} review */
function putBack(review) {
  done.delete(review.id);
  waiting.value = [review, ...(waiting.peek() ?? []).filter((each) => each.id !== review.id)];
}

/** @param {unknown} [leaving] true: the page goes away, and the verdict must outlive it */
function sendNow(leaving) {
  const last = held.peek();
  if (last === null) return;
  clearTimeout(sending);
  held.value = null;
  const body = { verdict: last.verdict, ...(last.category === "" ? {} : { category: last.category }) };
  write("POST", `/api/v1/camera-reviews/${last.review.id}/verdict`, body, { key: last.key, keepalive: leaving === true }).then(countReviews, (refused) => {
    if (!(refused instanceof Refused)) throw refused;
    if (refused.code === "wrong_moment") return overtaken(String(refused.facts["verdict"] ?? ""), "");
    if (refused.code === "unknown") return; // it is not in this person's area any more
    putBack(last.review);
    say(sentence(refused));
  });
}
