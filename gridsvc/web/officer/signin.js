// The door of the phone: name, password, and what this phone is called.
import { html, useEffect, useState } from "../shared/screen.js";
import { language, speak, t } from "../shared/language.js";
import { Refused, signedOutWhy } from "../shared/service.js";
import { pending } from "./outbox.js";
import { say } from "./say.js";
import { enter, lastHere } from "./session.js";

export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const [last, setLast] = useState({ username: "", device: "" });
  useEffect(() => void lastHere().then(setLast), []);

  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    setBusy(true);
    setWrong("");
    try {
      await enter(String(form.get("username")), String(form.get("password")), String(form.get("device")).trim());
    } catch (refused) {
      setBusy(false);
      if (!(refused instanceof Refused)) throw refused;
      if (refused.code === "too_many_tries") setWrong(t("signin.throttled"));
      else setWrong(refused.status === 0 ? say("door.offline") : refused.status === 401 ? t("signin.wrong") : refused.message);
    }
  };

  return html`<main class="door">
    <form class="card" onSubmit=${submit}>
      <h1>${say("app.title")}</h1>
      <p class="muted">${t(signedOutWhy.value === "ended" ? "signin.ended" : "signin.says")}</p>
      ${pending.value > 0 && html`<p role="status">${say("door.waiting", { n: pending.value })}</p>`}
      <label>${t("signin.name")}
        <input name="username" defaultValue=${last.username} autocomplete="username" autocapitalize="none" spellcheck=${false} required />
      </label>
      <label>${t("signin.password")}<input name="password" type="password" autocomplete="current-password" required /></label>
      <label>${say("door.device")}<input name="device" defaultValue=${last.device} maxlength="100" placeholder=${say("door.deviceHint")} /></label>
      <p class="wrong" role="alert">${wrong}</p>
      <button class="primary" disabled=${busy}>${t(busy ? "signin.busy" : "signin.go")}</button>
      <button type="button" class="quiet" onClick=${() => speak(language.value === "en" ? "zh-CN" : "en")}
        lang=${language.value === "en" ? "zh-CN" : "en"}>${t("top.otherLanguage")}</button>
    </form>
  </main>`;
}
