// The control centre: who is there, then the room or the door.
import { effect, html, render, useEffect, useState } from "../shared/screen.js";
import { startClock } from "../shared/clock.js";
import { language, t } from "../shared/language.js";
import { listen } from "../shared/live.js";
import { Refused, person, recognise } from "../shared/service.js";
import { loadLists, takeNews, takeSnapshot } from "./city.js";
import { Room } from "./room.js";
import { SignIn } from "./signin.js";
import { applyTheme } from "./theme.js";
import { followAddress } from "./view.js";

/** Roles that work here or may look. */
const READERS = new Set(["officer", "handler", "acceptor", "dispatcher", "supervisor", "admin", "auditor"]);

function Page() {
  const [failed, setFailed] = useState("");
  const [tries, setTries] = useState(0);
  const me = person.value;

  useEffect(() => {
    setFailed("");
    recognise().catch((refused) => setFailed(refused instanceof Refused ? refused.code : String(refused)));
  }, [tries]);

  if (failed !== "") return html`<${Trouble} code=${failed} again=${() => setTries(tries + 1)} />`;
  if (me === undefined) return html`<main class="door"><p role="status">${t("room.loading")}</p></main>`;
  if (me === null) return html`<${SignIn} />`;
  if (!me.roles.some(({ role }) => READERS.has(role))) return html`<${NoPlace} />`;
  return html`<${Inside} key=${me.id} />`;
}

/** Everything that lives as long as somebody is signed in. */
function Inside() {
  const [failed, setFailed] = useState("");
  const [tries, setTries] = useState(0);
  useEffect(() => followAddress(), []);
  useEffect(() => {
    setFailed("");
    loadLists().catch((refused) => setFailed(refused instanceof Refused ? refused.code : String(refused)));
    return listen({ whole: takeSnapshot, news: takeNews });
  }, [tries]);
  if (failed !== "") return html`<${Trouble} code=${failed} again=${() => setTries(tries + 1)} />`;
  return html`<${Room} />`;
}

/**
 * @param {object} props
 * @param {string} props.code
 * @param {() => void} props.again
 */
function Trouble({ code, again }) {
  return html`<main class="door">
    <section class="card" role="alert">
      <h1>${t("trouble.title")}</h1>
      <p>${t(code === "unreachable" ? "trouble.unreachable" : "trouble.other")}</p>
      <button class="primary" onClick=${again}>${t("trouble.again")}</button>
      <p class="small">${code}</p>
    </section>
  </main>`;
}

function NoPlace() {
  return html`<main class="door">
    <section class="card">
      <h1>${t("noplace.title")}</h1>
      <p>${t("noplace.says")}</p>
    </section>
  </main>`;
}

applyTheme();
startClock();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t("app.title");
});
const root = /** @type {HTMLElement} */ (document.getElementById("root"));
render(html`<${Page} />`, root);
