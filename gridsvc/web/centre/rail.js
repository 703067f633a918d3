// The rail: which panel is beside the map.
import { html, useEffect } from "../shared/screen.js";
import { count, t } from "../shared/language.js";
import { person } from "../shared/service.js";
import { seesFigures } from "./board.js";
import { takesReports } from "./intake.js";
import { hasQueue } from "./queue.js";
import { countReviews, tally } from "./reviews.js";
import { DESK, LOOKS_AFTER, holds } from "./roles.js";
import { PANELS, mapFirst, mine, panel } from "./view.js";

/** @import { Person } from "../shared/types.js" */

const ICONS = {
  queue: "M4 5h16v10h-4l-2 3h-4l-2-3H4Z",
  cases: "M4 6h16M4 12h16M4 18h16",
  officers: "M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8ZM4.5 20c.6-4 3.6-6 7.5-6s6.900 2 7.500 6",
  review: "M2 12c3-5 6.500-7.500 10-7.500s7 2.500 10 7.500c-3 5-6.500 7.500-10 7.500s-7-2.500-10-7.500ZM12 9a3 3 0 1 1 0 6a3 3 0 0 1 0-6Z",
  cameras: "M3 7h12v10H3ZM15 11l6-3v8l-6-3",
  intake: "M6 3l3 5l-2.500 2c1 3 4 6 7 7l2-2.500l5 3c0 2-2 3.500-4 3.500C9 21 3 13 3 7c0-2 1.500-4 3-4Z",
  patrols: "M6 20a2 2 0 1 1 0-4a2 2 0 0 1 0 4ZM8 18h7a3 3 0 0 0 0-6H9a3 3 0 0 1 0-6h6M14 2.500h5v5M19 2.500l-5 5",
  shift: "M6 3h11a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H6ZM6 3v18M10 8h6M10 12h6",
  board: "M4 20V4M4 20h16M8 16v-5M12 16V7M16 16v-8",
  admin: "M12 8.500a3.500 3.500 0 1 1 0 7a3.500 3.500 0 0 1 0-7ZM10.500 3h3l.6 2.500l1.800.8l2.200-1.300l2 2l-1.300 2.200l.8 1.800l2.500.6v3l-2.500.6l-.8 1.800l1.300 2.200l-2 2l-2.200-1.300l-1.800.8l-.6 2.500h-3l-.6-2.500l-1.800-.8l-2.200 1.300l-2-2l1.300-2.200l-.8-1.800l-2.500-.6v-3l2.500-.6l.8-1.800l-1.300-2.200l2-2l2.200 1.300l1.800-.8Z",
  map: "M3 6l6-2l6 2l6-2v14l-6 2l-6-2l-6 2ZM9 4v14M15 6v14",
};

/** @param {{name: keyof typeof ICONS}} props */
function Icon({ name }) {
  return html`<svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} class="icon" /></svg>`;
}

/** The panels that this person has. @param {Person} me */
export function panelsFor(me) {
  const for_ = { queue: hasQueue, review: () => holds(DESK), intake: takesReports, patrols: () => holds(DESK), shift: () => holds(DESK), board: seesFigures, admin: () => holds(LOOKS_AFTER) };
  return PANELS.filter((each) => !(each in for_) || for_[/** @type {keyof typeof for_} */ (each)](me));
}

export function Rail() {
  const me = person.value;
  const there = me ? panelsFor(me) : [];
  const looks = tally.value?.waiting ?? 0;
  useEffect(countReviews, [me]);
  return html`<nav class="rail" aria-label=${t("rail.title")}>
    <button class="rail-item rail-map" aria-pressed=${mapFirst.value} onClick=${() => { mapFirst.value = true; }} title=${t("map.title")}>
      <${Icon} name="map" /><span class="rail-word">${t("map.title")}</span>
    </button>
    ${there.map((each) => html`<button key=${each} class="rail-item" aria-pressed=${panel.value === each && !mapFirst.value}
      onClick=${() => { panel.value = each; mapFirst.value = false; }} title=${t(`panel.${each}`)}>
      <${Icon} name=${each} />
      <span class="rail-word">${t(`panel.${each}`)}</span>
      ${each === "queue" && mine.value.length > 0 && html`<span class="badge" aria-label=${t("rail.waiting", { n: mine.value.length })}>${count(Math.min(mine.value.length, 999))}</span>`}
      ${each === "review" && looks > 0 && html`<span class="badge quiet-badge" aria-label=${t("review.waiting", { n: looks })}>${count(Math.min(looks, 999))}</span>`}
    </button>`)}
  </nav>`;
}
