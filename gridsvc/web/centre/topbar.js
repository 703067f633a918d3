// The bar on top: where one works, what one looks for, how old the picture is, language, theme, who.
import { html, useEffect, useState } from "../shared/screen.js";
import { second } from "../shared/clock.js";
import { language, named, speak, t, timeOfDay, word } from "../shared/language.js";
import { line } from "../shared/live.js";
import { person, signOut } from "../shared/service.js";
import { Bell } from "./alarms.js";
import { lists } from "./city.js";
import { Search } from "./search.js";
import { switchTheme, theme } from "./theme.js";
import { filters, narrow } from "./view.js";

/** @import { Division } from "../shared/types.js" */

/** @param {Event} event */
export function focusSearch(event) {
  event.preventDefault();
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("#search"));
  field?.focus();
  field?.select();
}

export function TopBar() {
  return html`<header class="topbar">
    <${Where} />
    <${Search} />
    <${Age} />
    <${Bell} />
    <button class="quiet" onClick=${() => speak(language.value === "en" ? "zh-CN" : "en")} lang=${language.value === "en" ? "zh-CN" : "en"}
      title=${t("top.language")}>${t("top.otherLanguage")}</button>
    <button class="quiet icon-button" onClick=${switchTheme} aria-label=${t(theme.value === "dark" ? "top.light" : "top.dark")}
      title=${t(theme.value === "dark" ? "top.light" : "top.dark")}>
      <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8" class="icon" /><path d="M12 4a8 8 0 0 1 0 16Z" class="icon-fill" /></svg>
    </button>
    <${Who} />
  </header>`;
}

/** The way down the divisions: city, district, street. */
function Where() {
  const divisions = [...(lists.value?.divisions.values() ?? [])];
  const me = person.value;
  const top = divisions.find((each) => each.parent === null || !divisions.some((other) => other.code === each.parent));
  const chosen = divisions.find((each) => each.code === filters.value.division);
  const path = chosen?.path ?? (top ? [top.code] : []);
  const steps = [];
  for (let depth = 0; depth < Math.min(path.length, 3); depth += 1) {
    const above = path[depth];
    const below = divisions.filter((each) => each.parent === above && each.level !== "community");
    if (below.length > 0) steps.push({ above, below, at: path[depth + 1] ?? "" });
  }
  if (!me || top === undefined) return html`<div class="where" />`;
  return html`<nav class="where" aria-label=${t("top.where")}>
    <button class="quiet where-top" onClick=${() => narrow({ division: "" })}>${named(top.name, top.name_en)}</button>
    ${steps.map(({ above, below, at }) => html`<span key=${above} class="where-step"><span class="where-arrow" aria-hidden="true">▸</span>
      <select aria-label=${t("top.below", { name: name(divisions, above) })} value=${at}
        onChange=${(/** @type {Event} */ event) => narrow({ division: /** @type {HTMLSelectElement} */ (event.currentTarget).value || (above === top.code ? "" : (above ?? "")) })}>
        <option value="">${t(below[0]?.level === "district" ? "top.allDistricts" : "top.allStreets")}</option>
        ${below.map((each) => html`<option key=${each.code} value=${each.code}>${named(each.name, each.name_en)}</option>`)}
      </select></span>`)}
  </nav>`;
}

/**
 * @param {Division[]} divisions
 * @param {string | undefined} code
 */
function name(divisions, code) {
  const found = divisions.find((each) => each.code === code);
  return found ? named(found.name, found.name_en) : "";
}

/** How old the picture is; always in this corner. */
export function Age() {
  second.value;
  const { state, heard, at, why } = line.value;
  const silent = heard === 0 ? 0 : (performance.now() - heard) / 1000;
  let words = t("age.loading"), kind = "loading";
  if (state === "live" && silent < 7.5) [kind, words] = ["live", t("age.live", { s: silent.toFixed(1) })];
  else if (state === "live") [kind, words] = ["behind", t("age.behind", { s: Math.round(silent) })];
  else if (state === "broken" && at > 0) [kind, words] = ["offline", t("age.offline", { at: timeOfDay(at) })];
  else if (state === "broken") [kind, words] = ["offline", t("age.never")];
  // The words change every second; read aloud is only that the kind changed.
  return html`<div class=${`age ${kind}`} title=${why}>
    <span class="age-dot" aria-hidden="true" /><span class="age-words" data-kind=${kind}>${words}</span>
    <span class="unseen" role="status">${t(`age.said.${/** @type {"live" | "behind" | "offline" | "loading"} */ (kind)}`)}</span>
  </div>`;
}

function Who() {
  const [open, setOpen] = useState(false);
  const me = person.value;
  useEffect(() => {
    if (!open) return undefined;
    const shut = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Element && event.target.closest(".who"))) setOpen(false);
    };
    document.addEventListener("pointerdown", shut);
    return () => document.removeEventListener("pointerdown", shut);
  }, [open]);
  if (!me) return null;
  const roles = [...new Set(me.roles.map(({ role }) => role))];
  return html`<div class="who">
    <button class="quiet who-button" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <span class="who-name">${me.display_name}</span><span class="who-role">${roles.map((role) => word("role", role)).join(" · ")}</span>
    </button>
    ${open && html`<div class="menu">
      <p class="small muted">${me.username}</p>
      <button onClick=${() => void signOut()}>${t("top.signOut")}</button>
    </div>`}
  </div>`;
}
