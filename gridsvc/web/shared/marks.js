// How a case looks wherever it is drawn: shape is severity, fill is state, ring is lateness. Colour repeats what
// the shape says and never adds to it.
import { html } from "./screen.js";

/** @import { Severity } from "./types.js" */
/** @import { Standing } from "./timeleft.js" */

/** Nobody's; somebody's who has not accepted yet; accepted; in progress; handled or over. @typedef {"hollow" | "dot" | "half" | "solid" | "tick"} Fill */

const FILLS = /** @type {Record<string, Fill>} */ ({
  reported: "hollow", filed: "hollow",
  assigned: "dot",
  accepted: "half",
  in_progress: "solid", handled: "tick",
  closed: "tick", rejected: "tick", cancelled: "tick", merged: "tick",
});

/**
 * @param {string} state
 * @returns {Fill}
 */
export const fillOf = (state) => FILLS[state] ?? "hollow";

/** Outlines on a field of 24 by 24, drawn around its middle. @type {Record<Severity, string>} */
export const OUTLINES = {
  low: "M12 5a7 7 0 1 1 0 14a7 7 0 0 1 0-14Z",
  normal: "M6 6h12v12H6Z",
  high: "M12 4.2L20.4 18.8H3.6Z",
  emergency: "M8.5 3.5h7l5 5v7l-5 5h-7l-5-5v-7Z",
};

/** The lower half of the field, that a shape half full is filled in. */
const HALF = "M0 12.5h24V24H0Z";
/** @type {Record<Severity, string>} */
const TICKS = {
  low: "M8.6 12.2l2.4 2.4l4.4-4.8", normal: "M8.4 12.2l2.6 2.6l4.8-5.2",
  high: "M9 14.2l2.2 2.2l3.8-4.2", emergency: "M7.6 12.2l3.2 3.2l5.6-6",
};

/** Where the middle of a shape is to the eye. @type {Record<Severity, number>} */
const MIDDLE = { low: 12, normal: 12, high: 13.6, emergency: 12 };

let masks = 0;

/**
 * @param {object} props
 * @param {Severity} props.severity
 * @param {string} props.state
 * @param {Standing} [props.standing]
 * @param {number} [props.size]
 * @param {string} props.label
 */
export function Mark({ severity, state, standing, size = 20, label }) {
  const fill = fillOf(state), outline = OUTLINES[severity], id = `half-${masks++}`;
  return html`<svg class=${`mark ${severity} ${standing ?? ""}`} width=${size} height=${size} viewBox="0 0 24 24" role=${label ? "img" : undefined} aria-label=${label || undefined} aria-hidden=${label ? undefined : "true"}>
    ${fill === "half" && html`<clipPath id=${id}><path d=${HALF} /></clipPath>`}
    <path class="mark-ground" d=${outline} />
    ${fill === "half" && html`<path class="mark-fill" d=${outline} clip-path=${`url(#${id})`} />`}
    ${fill === "solid" && html`<path class="mark-fill" d=${outline} />`}
    <path class="mark-line" d=${outline} />
    ${fill === "dot" && html`<circle class="mark-fill" cx="12" cy=${MIDDLE[severity]} r="2.6" />`}
    ${fill === "tick" && html`<path class="mark-tick" d=${TICKS[severity]} />`}
  </svg>`;
}

/**
 * @typedef {object} Inks
 * @property {string} ground
 * @property {string} line
 * @property {string} ring the colour of the ring, or "" for none
 * @property {boolean} dashed
 */

/**
 * The same mark for the map, as pixels.
 * @param {Severity} severity
 * @param {Fill} fill
 * @param {Inks} inks
 * @param {number} ratio pixels of the screen per pixel of the page
 */
export function drawMark(severity, fill, inks, ratio) {
  const side = 34;
  const canvas = new OffscreenCanvas(side * ratio, side * ratio);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(ratio, ratio);
  if (inks.ring !== "") {
    pen.beginPath();
    pen.arc(side / 2, side / 2, 14.5, 0, 2 * Math.PI);
    pen.lineWidth = 3;
    pen.strokeStyle = inks.ring;
    if (inks.dashed) pen.setLineDash([4, 3]);
    pen.stroke();
    pen.setLineDash([]);
  }
  pen.translate((side - 24) / 2, (side - 24) / 2);
  const outline = new Path2D(OUTLINES[severity]);
  pen.lineJoin = "round";
  pen.lineWidth = 5;
  pen.strokeStyle = inks.ground;
  pen.stroke(outline);
  pen.fillStyle = inks.ground;
  pen.fill(outline);
  pen.fillStyle = inks.line;
  if (fill === "solid") pen.fill(outline);
  if (fill === "half") {
    pen.save();
    pen.clip(new Path2D(HALF));
    pen.fill(outline);
    pen.restore();
  }
  pen.lineWidth = 2.2;
  pen.strokeStyle = inks.line;
  pen.stroke(outline);
  if (fill === "dot") {
    pen.beginPath();
    pen.arc(12, MIDDLE[severity], 2.6, 0, 2 * Math.PI);
    pen.fill();
  }
  if (fill === "tick") pen.stroke(new Path2D(TICKS[severity]));
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
