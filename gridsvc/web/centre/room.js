// The room: bar, rail, panel, map, figures, and the drawer over the map's edge.
import { html, useEffect } from "../shared/screen.js";
import { line } from "../shared/live.js";
import { readOnly } from "../shared/service.js";
import { t } from "../shared/language.js";
import { person } from "../shared/service.js";
import { Alarms } from "./alarms.js";
import { Board } from "./board.js";
import { Drawer } from "./drawer.js";
import { Figures } from "./figures.js";
import { takesReports } from "./intake.js";
import { listKey } from "./list.js";
import { MapPane } from "./mappane.js";
import { PanelPane } from "./panel.js";
import { PastCase, Playback, backToNow } from "./playback.js";
import { followPrinting } from "./print.js";
import { Rail } from "./rail.js";
import { Said } from "./said.js";
import { TopBar, focusSearch } from "./topbar.js";
import { close, mapFirst, opened, panel } from "./view.js";

/** @import { Person } from "../shared/types.js" */

export function Room() {
  useEffect(() => followPrinting(), []);
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const key = (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const writing = target.matches("input:not([type=range]), textarea, select");
      if ((event.key === "k" || event.key === "K") && (event.ctrlKey || event.metaKey)) focusSearch(event);
      else if (event.key === "Escape" && !writing && opened.peek() !== "") close();
      else if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
      else if (event.key === "n" && readOnly.peek()) backToNow();
      else if (event.key === "/") focusSearch(event);
      else if (event.key === "n" && person.peek() && takesReports(/** @type {Person} */ (person.peek()))) {
        event.preventDefault();
        panel.value = "intake";
        document.getElementById("intake-category")?.focus();
      } else if (event.key === "j" || event.key === "k" || event.key === "x" || (event.key === "a" && (panel.peek() === "cases" || panel.peek() === "queue"))) listKey(event);
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  const classes = ["room", line.value.state === "live" && !readOnly.value ? "is-live" : "is-stale", readOnly.value ? "is-playing" : "", opened.value ? "has-drawer" : "", mapFirst.value ? "map-first" : ""];
  return html`<div class=${classes.join(" ")}>
    <a class="skip" href="#list">${t("room.skip")}</a>
    <${TopBar} />
    <${Rail} />
    ${panel.value === "board" ? html`<${Board} />` : html`<${PanelPane} />`}
    <main class="stage" inert=${panel.value === "board"} aria-label=${t("map.title")}>
      <${MapPane} />
      <${Playback} />
      <${Figures} />
    </main>
    ${opened.value && readOnly.value && html`<${PastCase} key=${opened.value} id=${opened.value} />`}
    ${opened.value && !readOnly.value && html`<${Drawer} key=${opened.value} id=${opened.value} />`}
    <${Alarms} />
    <${Said} />
  </div>`;
}
