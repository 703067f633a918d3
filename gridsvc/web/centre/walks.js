// How patrols were walked in the last days, by officer or by cell, as a table and as a file.
import { html, useState } from "../shared/screen.js";
import { count, language, share, t } from "../shared/language.js";
import { Table, Waits, useAsked } from "./adminparts.js";
import { dayFrom } from "./board.js";
import { inDivision } from "./view.js";

/** @import { WalkedBy } from "../shared/types.js" */

const BY = /** @type {const} */ (["officer", "cell"]);
const SPANS = [1, 7, 30, 90];

export function Walks() {
  const [by, setBy] = useState(/** @type {(typeof BY)[number]} */ ("officer"));
  const [span, setSpan] = useState(7);
  const [tries, setTries] = useState(0);
  const address = `/api/v1/patrols/walks?from=${dayFrom(1 - span)}&to=${dayFrom(1)}&by=${by}${inDivision()}`;
  const asked = useAsked(address, tries);
  const rows = /** @type {WalkedBy[]} */ (asked.value?.items ?? []);
  return html`<div class="patrols-page">
    <div class="admin-controls">
      <label class="field"><span class="small muted">${t("walks.by")}</span><select value=${by} onChange=${(/** @type {Event} */ event) => setBy(/** @type {HTMLSelectElement} */ (event.currentTarget).value === "cell" ? "cell" : "officer")}>
        ${BY.map((each) => html`<option key=${each} value=${each}>${t(`walks.${each}`)}</option>`)}</select></label>
      <label class="field"><span class="small muted">${t("board.span")}</span><select value=${span} onChange=${(/** @type {Event} */ event) => setSpan(Number(/** @type {HTMLSelectElement} */ (event.currentTarget).value))}>
        ${SPANS.map((each) => html`<option key=${each} value=${each}>${each === 1 ? t("walks.today") : t("board.days", { n: each })}</option>`)}</select></label>
      <span class="grows" />
      <a class="button" href=${`${address}&format=csv&headings=${language.value === "en" ? "en" : "zh"}`} download aria-label=${t("walks.csv")}>CSV</a>
    </div>
    ${asked.value === null ? html`<${Waits} of=${asked} />${asked.wrong !== "" && html`<div class="pad"><button onClick=${() => setTries(tries + 1)}>${t("trouble.again")}</button></div>`}`
      : rows.length === 0 ? html`<div class="empty"><p>${t("empty.walks")}</p></div>`
        : html`<div class="pad walks-table"><${Table} title=${t("walks.title")} tall most=${300} heads=${[t(`walks.${by}`), t("walks.coverage"), t("walks.walked"), t("walks.missed"), t("walks.unknown"), t("walks.patrols")]}
          rows=${rows.map((each) => [each.name, each.coverage === null ? "–" : share(each.coverage), t("walks.of", { n: count(each.walked), of: count(each.wanted) }), count(each.missed), count(each.unknown), count(each.patrols)])} /></div>
          <p class="small muted pad">${t(by === "officer" ? "walks.says.officer" : "walks.says.cell")}</p>`}
  </div>`;
}
