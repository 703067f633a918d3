// How cameras stand beside what the live feed tells of them: silent since when, how far to be trusted, muted, storming.
import { computed, signal } from "../shared/screen.js";
import { Refused, askAll } from "../shared/service.js";

/** @import { Camera, Kind, Standing } from "../shared/types.js" */

/** By the camera's code; null until it is there. @type {import("../vendor/signals.mjs").Signal<Map<string, Standing> | null>} */
export const standings = signal(null);

/** Why they could not be loaded. */
export const standingsFailed = signal("");

/** Load them anew. */
export async function loadStandings() {
  try {
    const found = await askAll("/api/v1/camera-standings?limit=500");
    standings.value = new Map(found.map((each) => [each.camera, each]));
    standingsFailed.value = "";
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    standingsFailed.value = refused.code;
  }
}

/** Kinds of which nothing comes, each with its camera. */
export const muted = computed(() => {
  /** @type {{standing: Standing, kind: Kind}[]} */
  const found = [];
  for (const standing of standings.value?.values() ?? []) {
    for (const kind of standing.kinds) if (kind.mute !== null) found.push({ standing, kind });
  }
  return found;
});

/** Cameras that send far too much. */
export const storming = computed(() => [...(standings.value?.values() ?? [])].filter((each) => each.over !== null));

/**
 * Of all that people judged of a camera, the share that was real; null: nobody has judged.
 * @param {Standing | undefined} standing
 */
export function precisionOf(standing) {
  let real = 0, wrong = 0;
  for (const kind of standing?.kinds ?? []) {
    real += kind.seen_real;
    wrong += kind.seen_false;
  }
  return real + wrong === 0 ? null : real / (real + wrong);
}

/** What wants a look comes first: storms, then silence, then mutes, then what is wrong most often. @param {Camera} camera */
export function urgency(camera) {
  const standing = standings.value?.get(camera.code);
  if (standing?.over != null) return 0;
  if (camera.state === "offline") return 1;
  if (standing?.kinds.some((each) => each.mute !== null)) return 2;
  const share = precisionOf(standing);
  return share === null ? 4 : 3 + share / 2;
}
