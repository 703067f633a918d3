// Administration: people, grids, routing rules, categories, calendars. What changes the city is looked at before it is done.
import { html, signal, useEffect } from "../shared/screen.js";
import { t } from "../shared/language.js";
import { Calendars } from "./admincalendars.js";
import { Categories } from "./admincategories.js";
import { Grids } from "./admingrids.js";
import { People } from "./adminpeople.js";
import { Rules } from "./adminrules.js";
import { NO_PLAN, plan } from "./plan.js";
import { LOOKS_AFTER, holds } from "./roles.js";

const TABS = /** @type {const} */ (["people", "grids", "rules", "categories", "calendars"]);
const PAGES = { people: People, grids: Grids, rules: Rules, categories: Categories, calendars: Calendars };

const tab = signal(/** @type {typeof TABS[number]} */ ("people"));

export function Administration() {
  useEffect(() => () => { plan.value = NO_PLAN; }, [tab.value]);
  if (!holds(LOOKS_AFTER)) return html`<header class="panel-head"><h2>${t("panel.admin")}</h2></header><div class="empty"><p>${t("admin.none")}</p></div>`;
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    tab.value = TABS[(TABS.indexOf(tab.value) + step + TABS.length) % TABS.length] ?? "people";
    document.getElementById(`admin-${tab.value}`)?.focus();
  };
  return html`<header class="panel-head"><h2>${t("panel.admin")}</h2></header>
    <div class="shelves" role="tablist" aria-label=${t("panel.admin")} onKeyDown=${key}>
      ${TABS.map((each) => html`<button key=${each} id=${`admin-${each}`} role="tab" class="quiet" aria-selected=${tab.value === each} aria-controls="admin-page" tabindex=${tab.value === each ? 0 : -1}
        onClick=${() => { tab.value = each; }}>${t(`admin.${each}`)}</button>`)}
    </div>
    <div class="admin-page" id="admin-page" role="tabpanel" tabindex="-1" aria-labelledby=${`admin-${tab.value}`}><${PAGES[tab.value]} key=${tab.value} /></div>`;
}
