// What the marks mean, in words, and which layers are drawn.
import { html, useState } from "../shared/screen.js";
import { named, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { lists } from "./city.js";
import { GLYPHS } from "./component.js";
import { STEPS } from "./mapstyle.js";

/** @import { Shown } from "./mapstyle.js" */

/** `category`: which one, where cells are coloured by one. @typedef {Shown & {figure: "open" | "late" | "category", category: string}} All */

/**
 * @param {object} props
 * @param {All} props.shown
 * @param {(change: Partial<All>) => void} props.show
 */
export function Legend({ shown, show }) {
  const [open, setOpen] = useState(false);
  const layers = /** @type {const} */ (["cells", "beats", "officers", "cameras", "components", "heat"]);
  return html`<section class=${`legend ${open ? "open" : ""}`} aria-label=${t("map.legend")}>
    <button class="quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}>${t("map.legend")}</button>
    ${open && html`<div class="legend-body">
      <fieldset><legend>${t("map.layers")}</legend>
        ${layers.map((each) => html`<label key=${each} class="box"><input type="checkbox" checked=${shown[each]} onChange=${() => show({ [each]: !shown[each] })} />${t(`layer.${each}`)}</label>`)}
      </fieldset>
      <fieldset><legend>${t("map.cellsBy")}</legend>
        ${/** @type {const} */ (["open", "late", "category"]).map((each) => html`<label key=${each} class="box"><input type="radio" name="figure" checked=${shown.figure === each} onChange=${() => show({ figure: each })} />${t(`figure.${each}`)}</label>`)}
        ${shown.figure === "category" && html`<select aria-label=${t("map.category")} value=${shown.category} onChange=${(/** @type {Event} */ event) => show({ category: /** @type {HTMLSelectElement} */ (event.currentTarget).value })}>
          <option value="">${t("field.choose")}</option><${Categories} /></select>`}
        <div class="ramp" aria-hidden="true">${STEPS.map((from, n) => html`<span key=${from} class=${`ramp-step ramp-${n + 1}`}>${from}${n === STEPS.length - 1 ? "+" : ""}</span>`)}</div>
        <p class="small muted">${t("map.ramp")}</p>
      </fieldset>
      ${shown.heat && html`<fieldset><legend>${t("layer.heat")}</legend>
        <div class="ramp" aria-hidden="true">${STEPS.map((from, n) => html`<span key=${from} class=${`ramp-step ramp-${n + 1}`}>${n === 0 ? t("map.few") : n === STEPS.length - 1 ? t("map.many") : ""}</span>`)}</div>
      </fieldset>`}
      <dl class="legend-marks">
        <dt>${t("legend.shape")}</dt>
        <dd>${/** @type {const} */ (["low", "normal", "high", "emergency"]).map((each) => html`<span key=${each}><${Mark} severity=${each} state="in_progress" label="" />${word("severity", each)}</span>`)}</dd>
        <dt>${t("legend.fill")}</dt>
        <dd>${/** @type {const} */ (["filed", "assigned", "accepted", "in_progress", "handled"]).map((each) => html`<span key=${each}><${Mark} severity="normal" state=${each} label="" />${word("fill", each)}</span>`)}</dd>
        <dt>${t("legend.ring")}</dt>
        <dd>${/** @type {const} */ (["soon", "late", "paused"]).map((each) => html`<span key=${each}><span class=${`ring ${each}`} aria-hidden="true" />${word("ring", each)}</span>`)}</dd>
        ${shown.components && html`<dt>${t("layer.components")} · ${t("component.from")}</dt>
        <dd>${Object.entries(GLYPHS).map(([look, glyph]) => html`<span key=${look}><svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true"><path d=${glyph} class="icon" /></svg>${word("look", look)}</span>`)}</dd>`}
      </dl>
    </div>`}
  </section>`;
}

/** Every category, below the name of its major class. */
function Categories() {
  /** @type {Map<string, {ref: string, says: string}[]>} */
  const groups = new Map();
  for (const [ref, each] of lists.value?.categories ?? []) {
    const major = named(each.major_name, each.major_name_en);
    groups.set(major, [...(groups.get(major) ?? []), { ref, says: `${each.code} ${named(each.name, each.name_en)}` }]);
  }
  return html`${[...groups].map(([major, all]) => html`<optgroup key=${major} label=${major}>${all.map(({ ref, says }) => html`<option key=${ref} value=${ref}>${says}</option>`)}</optgroup>`)}`;
}
