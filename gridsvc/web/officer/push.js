// Push on this phone: a switch that asks for permission when it is pressed, and says why where it cannot be.
import { html, useEffect, useState } from "../shared/screen.js";
import { t } from "../shared/language.js";
import { Refused, ask, write } from "../shared/service.js";
import { allowNotices } from "./allowing.js";
import { say } from "./say.js";

/** @import { Key } from "./say.js" */

const SUBSCRIPTIONS = "/api/v1/me/push-subscriptions";

/** Where the browser can: the app is kept on the phone, and its worker is told of what comes. */
const able = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** The worker of the app, as soon as it is there; null: this page has none. */
const registered = async () => (await navigator.serviceWorker.getRegistration("/officer/")) ?? null;

/** @param {string} text base64url @returns {Uint8Array<ArrayBuffer>} */
const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));

/** @typedef {{key: string, on: boolean} | {why: Key}} Standing */

/** Whether it is on here: by the service and by the browser. @returns {Promise<Standing>} */
async function look() {
  const registration = able() ? await registered() : null;
  if (registration === null) return { why: "push.cannot" };
  try {
    const { key, subscribed } = await ask("/api/v1/me/push-key");
    if (key === null) return { why: "push.notHere" };
    return { key, on: subscribed && (await registration.pushManager.getSubscription()) !== null };
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return { why: "me.offline" };
  }
}

/** @param {string} key @returns {Promise<Key | "">} what keeps it from being on */
async function turnOn(key) {
  if (!await allowNotices()) return "push.denied";
  const registration = await registered();
  if (registration === null) return "push.cannot";
  await (await registration.pushManager.getSubscription())?.unsubscribe(); // it may be of another key
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) }).catch(() => null);
  const { endpoint, keys } = made?.toJSON() ?? {};
  if (endpoint === undefined || keys === undefined) return "push.failed";
  await write("POST", SUBSCRIPTIONS, { endpoint, keys: { p256dh: keys["p256dh"], auth: keys["auth"] } });
  return "";
}

async function turnOff() {
  await write("DELETE", SUBSCRIPTIONS, undefined);
  await (await (await registered())?.pushManager.getSubscription())?.unsubscribe();
}

export function PushSwitch() {
  const [standing, setStanding] = useState(/** @type {Standing | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => void look().then(setStanding), []);

  /** @param {{key: string, on: boolean}} now */
  const press = async ({ key, on }) => {
    setBusy(true);
    setWrong("");
    try {
      const why = on ? await turnOff() : await turnOn(key);
      if (why) setWrong(say(why));
      setStanding(await look());
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(refused.status === 0 ? say("me.offline") : refused.message);
    } finally {
      setBusy(false);
    }
  };
  return html`<h2>${say("push.title")}</h2>
    <p class="small muted">${say("push.says")}</p>
    ${standing === null ? html`<p role="status">${t("room.loading")}</p>`
      : "why" in standing ? html`<p class="push" role="status">${say(standing.why)}</p>`
        : html`<p class="push" role="status">${say(standing.on ? "push.isOn" : "push.isOff")}</p>
          <button disabled=${busy} aria-pressed=${standing.on} onClick=${() => press(standing)}>${say(standing.on ? "push.off" : "push.on")}</button>`}
    <p class="wrong" role="alert">${wrong}</p>`;
}
