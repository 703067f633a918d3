// Figures in view without asking; each is a filter when pressed.
import { computed, html } from "../shared/screen.js";
import { count, t } from "../shared/language.js";
import { cameras, caseTurn, cases, lists, officers } from "./city.js";
import { NONE, narrows, within } from "./filters.js";
import { filters, isLate, mapFirst, narrow, onlyDown, panel, widen } from "./view.js";
import { decade } from "../shared/clock.js";

/** Cameras that are meant to be heard and are not. @param {{state: string}} camera */
export const isDown = (camera) => camera.state === "offline";

const figures = computed(() => {
  caseTurn.value;
  decade.value;
  const division = filters.value.division, divisions = lists.value?.divisions;
  const sums = { open: 0, late: 0, emergency: 0, pool: 0 };
  for (const brief of cases.value.values()) {
    if (division !== "" && !(divisions && within(brief.division, division, divisions))) continue;
    sums.open += 1;
    if (isLate(brief)) sums.late += 1;
    if (brief.severity === "emergency") sums.emergency += 1;
    if (brief.pool !== null) sums.pool += 1;
  }
  return sums;
});

const onDuty = computed(() => officers.value.filter((each) => each.on_duty).length);
const down = computed(() => cameras.value.filter(isDown).length);

export function Figures() {
  const sums = figures.value, chosen = filters.value;
  const showCases = () => {
    if (panel.peek() !== "queue") panel.value = "cases";
  };
  /** @type {{key: "open" | "late" | "emergency" | "pool" | "onDuty" | "camerasDown", n: number, pressed: boolean, press: () => void}[]} */
  const all = [
    { key: "open", n: sums.open, pressed: panel.value === "cases" && !narrows({ ...chosen, division: "" }), press: () => { panel.value = "cases"; widen(); } },
    { key: "late", n: sums.late, pressed: chosen.late, press: () => { showCases(); narrow({ late: !chosen.late }); } },
    {
      key: "emergency", n: sums.emergency, pressed: chosen.severity.join() === "emergency",
      press: () => { showCases(); narrow({ severity: chosen.severity.join() === "emergency" ? NONE.severity : ["emergency"] }); },
    },
    { key: "pool", n: sums.pool, pressed: chosen.pooled, press: () => { showCases(); narrow({ pooled: !chosen.pooled }); } },
    { key: "onDuty", n: onDuty.value, pressed: panel.value === "officers", press: () => { panel.value = panel.peek() === "officers" ? "cases" : "officers"; } },
    {
      key: "camerasDown", n: down.value, pressed: panel.value === "cameras" && onlyDown.value,
      press: () => { onlyDown.value = !(panel.peek() === "cameras" && onlyDown.peek()); panel.value = onlyDown.peek() ? "cameras" : "cases"; },
    },
  ];
  return html`<div class="figures" role="group" aria-label=${t("figure.title")}>
    ${all.map(({ key, n, pressed, press }) => html`<button key=${key} class=${`figure ${key} ${n > 0 ? "some" : ""}`} aria-pressed=${pressed}
      onClick=${() => { mapFirst.value = false; press(); }}>
      <span class="figure-n">${count(n)}</span><span class="figure-word">${t(`figure.${key}`)}</span>
    </button>`)}
  </div>`;
}
