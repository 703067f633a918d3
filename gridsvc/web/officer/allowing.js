// Notices while the app is not in front: allowed with a switch that the person presses, never asked for by itself.
import { html, signal, useEffect } from "../shared/screen.js";
import { say } from "./say.js";

const now = () => ("Notification" in window ? Notification.permission : "");

/** What the browser says: "default" where nobody was asked, "" where it has no notices. */
export const allowed = signal(now());

/** Ask the browser; only ever from a switch. Returns whether it may. */
export async function allowNotices() {
  await Notification.requestPermission();
  allowed.value = now();
  return allowed.peek() === "granted";
}

/** The switch, and where it cannot be pressed, why. @param {{brief?: boolean}} props `brief`: only while there is something to press */
export function NoticeSwitch({ brief = false }) {
  useEffect(() => { allowed.value = now(); }, []); // the browser's settings may have changed it
  const is = allowed.value;
  if (brief && is !== "default") return null;
  return html`<section class="allow">
    ${!brief && html`<h2>${say("allow.title")}</h2>`}
    <p class="small muted" role="status">${say(is === "granted" ? "allow.isOn" : is === "denied" ? "push.denied" : is === "" ? "allow.cannot" : "allow.says")}</p>
    ${is === "default" && html`<button onClick=${() => void allowNotices()}>${say("allow.on")}</button>`}
  </section>`;
}
