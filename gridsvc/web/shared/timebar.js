// The time bar: full, draining, amber under a third, red and counting up when late, hatched when it stands still,
// dotted when its calendar is not published yet. The words beside it say the same.
import { html } from "./screen.js";
import { lasting, t } from "./language.js";

/** @import { TimeLeft } from "./timeleft.js" */

/**
 * The words of a bar.
 * @param {TimeLeft} left
 */
export function timeWords(left) {
  switch (left.standing) {
    case "none": return t("time.none");
    case "over": return t("time.over");
    case "paused": return t("time.paused");
    case "late": return t("time.late", { span: lasting(left.ms) });
    default: return t(left.provisional ? "time.leftProvisional" : "time.left", { span: lasting(left.ms) });
  }
}

/**
 * @param {object} props
 * @param {TimeLeft} props.left
 * @param {boolean} [props.large]
 */
export function TimeBar({ left, large = false }) {
  const share = left.standing === "late" ? 1 : left.share;
  return html`<span class=${`timebar ${left.standing} ${left.provisional ? "provisional" : ""} ${large ? "large" : ""}`}>
    <svg class="timebar-track" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="timebar-ground" width="100" height="6" rx="1" />
      <rect class="timebar-left" width=${100 * share} height="6" rx="1" />
    </svg>
    <span class="timebar-words">${timeWords(left)}</span>
  </span>`;
}
