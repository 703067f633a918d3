// The video wall: who is there, then the wall or the door. It has no controls: what cannot be had now is tried again.
import { effect, html, render, useEffect, useState } from "../shared/screen.js";
import { startClock } from "../shared/clock.js";
import { language, t } from "../shared/language.js";
import { listen } from "../shared/live.js";
import { person, recognise } from "../shared/service.js";
import { loadLists, takeNews, takeSnapshot } from "./city.js";
import { SignIn } from "./signin.js";
import { DESK, keepStanding } from "./standing.js";
import { filters } from "./view.js";
import { Wall } from "./wall.js";

const AGAIN_MS = 5_000;
const asked = new URLSearchParams(location.search);

/**
 * Try until it is done or the returned function is called.
 * @param {() => Promise<void>} what
 * @param {(done: boolean) => void} tell
 */
function untilDone(what, tell) {
  let timer = 0, over = false;
  const attempt = () => void what().then(
    () => { if (!over) tell(true); },
    () => {
      if (over) return;
      tell(false);
      timer = window.setTimeout(attempt, AGAIN_MS);
    },
  );
  attempt();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function Page() {
  const [reached, setReached] = useState(true);
  useEffect(() => untilDone(recognise, setReached), []);
  const me = person.value;
  if (me === undefined) return html`<main class="door"><p role="status">${t(reached ? "room.loading" : "trouble.unreachable")}</p></main>`;
  if (me === null) return html`<${SignIn} />`;
  if (!me.roles.some(({ role }) => DESK.has(role))) return html`<main class="door"><section class="card"><h1>${t("noplace.title")}</h1><p>${t("noplace.says")}</p></section></main>`;
  return html`<${Inside} key=${me.id} />`;
}

/** Everything that lives as long as somebody is signed in. */
function Inside() {
  useEffect(() => {
    const stops = [untilDone(loadLists, () => undefined), listen({ whole: takeSnapshot, news: takeNews }), keepStanding()];
    return () => stops.forEach((stop) => stop());
  }, []);
  return html`<${Wall} turnMs=${1000 * Math.max(1, Number(asked.get("turn")) || 20)} />`;
}

const spoken = asked.get("lang");
if (spoken === "en" || spoken === "zh-CN") language.value = spoken;
filters.value = { ...filters.peek(), division: asked.get("division") ?? "" };
startClock();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t("wall.title");
});
render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("root")));
