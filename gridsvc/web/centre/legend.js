// What the marks mean, in words, and which layers are drawn.
import { html, useState } from "../shared/screen.js";
import { t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { STEPS } from "./mapstyle.js";

/** @import { Shown } from "./mapstyle.js" */

/** @typedef {Shown & {figure: "open" | "late"}} All */

/**
 * @param {object} props
 * @param {All} props.shown
 * @param {(change: Partial<All>) => void} props.show
 */
export function Legend({ shown, show }) {
  const [open, setOpen] = useState(false);
  const layers = /** @type {const} */ (["cells", "beats", "officers", "cameras"]);
  return html`<section class=${`legend ${open ? "open" : ""}`} aria-label=${t("map.legend")}>
    <button class="quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}>${t("map.legend")}</button>
    ${open && html`<div class="legend-body">
      <fieldset><legend>${t("map.layers")}</legend>
        ${layers.map((each) => html`<label key=${each} class="box"><input type="checkbox" checked=${shown[each]} onChange=${() => show({ [each]: !shown[each] })} />${t(`layer.${each}`)}</label>`)}
      </fieldset>
      <fieldset><legend>${t("map.cellsBy")}</legend>
        ${/** @type {const} */ (["open", "late"]).map((each) => html`<label key=${each} class="box"><input type="radio" name="figure" checked=${shown.figure === each} onChange=${() => show({ figure: each })} />${t(`figure.${each}`)}</label>`)}
        <div class="ramp" aria-hidden="true">${STEPS.map((from, n) => html`<span key=${from} class=${`ramp-step ramp-${n + 1}`}>${from}${n === STEPS.length - 1 ? "+" : ""}</span>`)}</div>
      </fieldset>
      <dl class="legend-marks">
        <dt>${t("legend.shape")}</dt>
        <dd>${/** @type {const} */ (["low", "normal", "high", "emergency"]).map((each) => html`<span key=${each}><${Mark} severity=${each} state="in_progress" label="" />${word("severity", each)}</span>`)}</dd>
        <dt>${t("legend.fill")}</dt>
        <dd>${/** @type {const} */ (["filed", "assigned", "accepted", "in_progress", "handled"]).map((each) => html`<span key=${each}><${Mark} severity="normal" state=${each} label="" />${word("fill", each)}</span>`)}</dd>
        <dt>${t("legend.ring")}</dt>
        <dd>${/** @type {const} */ (["soon", "late", "paused"]).map((each) => html`<span key=${each}><span class=${`ring ${each}`} aria-hidden="true" />${word("ring", each)}</span>`)}</dd>
      </dl>
    </div>`}
  </section>`;
}
