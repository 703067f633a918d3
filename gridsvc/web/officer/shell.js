// The frame of the app: one table of pages, the bar at the bottom, and what stands above every page.
import { computed, html, signal, useEffect } from "../shared/screen.js";
import { language, speak, t, timeOfDay } from "../shared/language.js";
import { second } from "../shared/clock.js";
import { pending } from "./outbox.js";
import { say } from "./say.js";
import { online } from "./sync.js";
import { unsure } from "./session.js";
import { newer, takeNewer } from "./install.js";

/** @import { Key } from "./say.js" */

/**
 * A page. `path` is what stands behind `#/`; a page with a `tab` is in the bar at the bottom, in order of `place`.
 * @typedef {object} Entry
 * @property {string} path
 * @property {Key} title
 * @property {(props: {rest: string}) => unknown} page `rest`: what follows the path, `#/task/<rest>`
 * @property {{icon: string, place: number, badge?: () => number, says?: Key, main?: boolean}} [tab] `says`: what the badge counts
 */

/** @type {Map<string, Entry>} */
const pages = new Map();

/** Put a page into the table. @param {Entry} entry */
export const register = (entry) => void pages.set(entry.path, entry);

/** What stands above every page; parts of the app put themselves in. @type {(() => unknown)[]} */
export const above = [];

const address = signal(location.hash);

/** Go to a page. @param {string} path such as "report" or "task/…" */
export const go = (path) => {
  location.hash = `#/${path}`;
};

/** A tap on the tab of the page that is open begins it anew: after a report the next one. */
const turn = signal(0);

const here = computed(() => {
  const [, path = "", rest = ""] = /^#\/([^/?]*)\/?(.*)$/.exec(address.value) ?? [];
  return { entry: pages.get(path) ?? pages.get("") ?? pages.get("report"), rest };
});

export function Shell() {
  useEffect(() => {
    const moved = () => {
      address.value = location.hash;
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const { entry, rest } = here.value;
  if (entry === undefined) return null;
  const Page = entry.page;
  const tabs = [...pages.values()].filter((each) => each.tab !== undefined).sort((one, other) => (one.tab?.place ?? 0) - (other.tab?.place ?? 0));
  return html`<div class="app">
    <${Standing} />
    ${above.map((Part, n) => html`<${Part} key=${n} />`)}
    <main class="page" id="page" tabindex="-1"><h1 class="page-title">${say(entry.title)}</h1><${Page} key=${`${entry.path} ${turn.value}`} rest=${rest} /></main>
    <nav class="tabs" aria-label=${say("nav.all")}>
      ${tabs.map(({ path, title, tab }) => {
        const n = tab?.badge?.() ?? 0;
        return html`<a key=${path} href=${`#/${path}`} class=${tab?.main ? "main" : ""} aria-current=${entry.path === path ? "page" : undefined} onClick=${() => { if (location.hash === `#/${path}`) turn.value += 1; }}>
          <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d=${tab?.icon} /></svg>
          <span>${say(title)}</span>${n > 0 && html`<b class="badge">${n}<span class="unseen">${say(tab?.says ?? "nav.waiting")}</span></b>`}</a>`;
      })}
    </nav>
  </div>`;
}

/** What holds for every page: whether there is a network, how many wait, whether a newer app is there. */
function Standing() {
  second.value;
  const off = !online.value || unsure.value;
  return html`<header class="standing">
    <span class=${`net ${off ? "off" : "on"}`} role="status">${off ? say(pending.value > 0 ? "net.off" : "net.offNone", { n: pending.value }) : pending.value > 0 ? say("net.sending", { n: pending.value }) : say("net.on")}</span>
    <time class="small muted">${timeOfDay(Date.now())}</time>
    <button class="quiet" lang=${language.value === "en" ? "zh-CN" : "en"} onClick=${() => speak(language.value === "en" ? "zh-CN" : "en")}>${t("top.otherLanguage")}</button>
    ${newer.value && html`<p class="newer" role="status"><span>${say("newer.says")}</span><button class="primary" onClick=${takeNewer}>${say("newer.take")}</button></p>`}
  </header>`;
}
