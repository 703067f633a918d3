// The report that is being made, as it stands: every keystroke and photograph of it is on the disk.
import { signal } from "../shared/screen.js";
import { person } from "../shared/service.js";
import { draft as keptDraft, drafts, dropPhotos, items, photoIds, putDraft } from "./keep.js";
import { isStale } from "./place.js";

/** @typedef {{lon: number, lat: number, accuracy_m: number | null, taken_at: number, by: "gps" | "hand" | "before"}} Place `before`: measured when the draft was open last, too long ago to count unsaid */

/**
 * @typedef {object} Draft
 * @property {string} category
 * @property {string} condition
 * @property {string} description
 * @property {Record<string, string>} attributes
 * @property {string[]} photos ids
 * @property {string[]} after ids: what it was like when it had been put right on the spot
 * @property {string[]} voices ids
 * @property {Place | null} place
 * @property {number} begun_at ms; 0: nothing was written yet
 */

export const NAME = "report";

/** @returns {Draft} */
const blank = () => ({ category: "", condition: "", description: "", attributes: {}, photos: [], after: [], voices: [], place: null, begun_at: 0 });

export const draft = signal(blank());

let written = Promise.resolve();

/** @param {Partial<Draft>} change */
export function write(change) {
  const now = draft.peek();
  draft.value = { ...now, ...change, begun_at: now.begun_at || Date.now() };
  const me = person.peek()?.id ?? "", kept = draft.peek();
  written = written.then(async () => void (await putDraft(NAME, me, kept)));
}

/** What was written last is on the disk. */
export const settled = () => written;

/** It has gone into the outbox, with its photographs. */
export function clear() {
  draft.value = blank();
}

/** Take up what this person had begun. */
export async function takeUp() {
  const kept = { ...blank(), ...(await keptDraft(NAME, person.peek()?.id ?? "")) };
  const before = kept.place?.by === "gps" && isStale(kept.place.taken_at);
  draft.value = before ? { ...kept, place: { ...kept.place, by: "before" } } : kept;
}

const YOUNG_MS = 3_600_000; // a picture that is just being put into a form

/** Let go of photographs that nothing points at any more: their draft was thrown away, or the page died in between. */
export async function sweepPhotos() {
  const wanted = new Set((await items()).flatMap(({ photos }) => photos.map(({ photo }) => photo)));
  const written_ = JSON.stringify(await drafts());
  const limit = Date.now() - YOUNG_MS;
  await dropPhotos((await photoIds()).filter((id) => !wanted.has(id) && !written_.includes(id) && madeAt(id) < limit));
}

/** When an id was made: UUIDv7 says so. @param {string} id */
const madeAt = (id) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
