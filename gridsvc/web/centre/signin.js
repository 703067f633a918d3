// The door: name and password, and why one stands here again.
import { html, useRef, useState } from "../shared/screen.js";
import { language, speak, t } from "../shared/language.js";
import { sentence } from "../shared/moveform.js";
import { Refused, signIn, signedOutWhy } from "../shared/service.js";

export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const name = useRef(/** @type {HTMLInputElement | null} */ (null));

  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    setBusy(true);
    setWrong("");
    try {
      await signIn(String(form.get("username")), String(form.get("password")));
    } catch (refused) {
      setBusy(false);
      if (!(refused instanceof Refused)) throw refused;
      if (refused.code === "too_many_tries") setWrong(t("signin.throttled"));
      else setWrong(refused.status === 0 ? t("trouble.unreachable") : refused.status === 401 ? t("signin.wrong") : sentence(refused));
      name.current?.focus();
    }
  };

  return html`<main class="door">
    <form class="card" onSubmit=${submit}>
      <h1>${t("app.title")}</h1>
      <p class="muted">${t(signedOutWhy.value === "ended" ? "signin.ended" : "signin.says")}</p>
      <label>${t("signin.name")}
        <input ref=${name} name="username" autocomplete="username" autocapitalize="none" spellcheck=${false} required autofocus />
      </label>
      <label>${t("signin.password")}
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <p class="wrong" role="alert">${wrong}</p>
      <button class="primary" disabled=${busy}>${t(busy ? "signin.busy" : "signin.go")}</button>
      <button type="button" class="quiet" onClick=${() => speak(language.value === "en" ? "zh-CN" : "en")}
        lang=${language.value === "en" ? "zh-CN" : "en"}>${t("top.otherLanguage")}</button>
    </form>
  </main>`;
}
