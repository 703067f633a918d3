// The officer's app: who is there, then his pages or the door.
import { effect, html, render, useEffect, useState } from "../shared/screen.js";
import { applyTheme } from "../centre/theme.js";
import { startClock } from "../shared/clock.js";
import { language, t } from "../shared/language.js";
import { Refused, person } from "../shared/service.js";
import { keepApp } from "./install.js";
import { followOutbox } from "./outbox.js";
import "./pages.js";
import { say } from "./say.js";
import { open } from "./session.js";
import { Shell } from "./shell.js";
import { SignIn } from "./signin.js";
import { keepSending } from "./sync.js";
import { keepWatch } from "./watch.js";

/** Roles that work outside. */
const OUTSIDE = new Set(["officer", "handler"]);

function App() {
  const [failed, setFailed] = useState("");
  const [tries, setTries] = useState(0);
  const me = person.value;
  useEffect(() => {
    setFailed("");
    open().catch((refused) => {
      if (!(refused instanceof Refused)) throw refused;
      setFailed(refused.code);
    });
  }, [tries]);
  useEffect(() => (me ? keepSending() : undefined), [me?.id]);
  useEffect(() => (me ? keepWatch() : undefined), [me?.id]);

  if (failed !== "") {
    return html`<main class="door"><section class="card" role="alert">
      <h1>${t("trouble.title")}</h1><p>${t(failed === "unreachable" ? "trouble.unreachable" : "trouble.other")}</p>
      <button class="primary" onClick=${() => setTries(tries + 1)}>${t("trouble.again")}</button><p class="small">${failed}</p>
    </section></main>`;
  }
  if (me === undefined) return html`<main class="door"><p role="status">${t("room.loading")}</p></main>`;
  if (me === null) return html`<${SignIn} />`;
  if (!me.roles.some(({ role }) => OUTSIDE.has(role))) {
    return html`<main class="door"><section class="card"><h1>${say("noplace.title")}</h1><p>${say("noplace.says")}</p></section></main>`;
  }
  return html`<${Shell} key=${me.id} />`;
}

applyTheme();
startClock();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = say("app.title");
});
followOutbox();
void keepApp();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("root")));
