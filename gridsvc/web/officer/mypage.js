// Who I am, and on which devices I am signed in: each can be signed out from here.
import { html, useEffect, useState } from "../shared/screen.js";
import { moment, t, word } from "../shared/language.js";
import { Refused, ask, person, write } from "../shared/service.js";
import { switchTheme, theme } from "../centre/theme.js";
import { NoticeSwitch } from "./allowing.js";
import { pending } from "./outbox.js";
import { say } from "./say.js";
import { PushSwitch } from "./push.js";
import { leave } from "./session.js";
import { register } from "./shell.js";

register({ path: "me", title: "me.title", page: MyPage, tab: { icon: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 20c1-4 4-6 8-6s7 2 8 6", place: 5 } });

/** @typedef {{id: string, kind: string, label: string, created_at: string, expires_at: string, current: boolean}} Device */

function MyPage() {
  const me = person.value;
  const [devices, setDevices] = useState(/** @type {Device[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    ask("/api/v1/auth/sessions", stop.signal).then(({ items }) => { setDevices(items); setWrong(""); }, (refused) => {
      if (!stop.signal.aborted) setWrong(refused instanceof Refused && refused.status === 0 ? say("me.offline") : String(refused.message));
    });
    return () => stop.abort();
  }, [turn]);
  if (!me) return null;

  /** @param {Device} device */
  const end = async (device) => {
    try {
      await write("DELETE", `/api/v1/auth/sessions/${device.id}`, undefined);
      setTurn(turn + 1);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(refused.status === 0 ? say("me.offline") : refused.message);
    }
  };
  const out = async () => {
    if (pending.peek() > 0 && !confirm(say("me.leaveWaiting", { n: pending.peek() }))) return;
    try {
      await leave();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(say("me.offline"));
    }
  };
  return html`<section class="me">
    <p><b>${me.display_name}</b> <span class="muted">${me.username}</span></p>
    <p class="small muted">${[...new Set(me.roles.map(({ role }) => word("role", role)))].join(" · ")}</p>
    <button onClick=${switchTheme}>${say(theme.value === "dark" ? "me.light" : "me.dark")}</button>
    <${NoticeSwitch} />
    <${PushSwitch} />
    <h2>${say("me.devices")}</h2>
    <p class="wrong" role="alert">${wrong}</p>
    ${devices === null && wrong === "" && html`<p role="status">${t("room.loading")}</p>`}
    <ul class="cards">${(devices ?? []).map((each) => html`<li key=${each.id} class="card device">
      <div><b>${each.label || say("me.unnamed")}</b> ${each.current && html`<span class="tag">${say("me.thisOne")}</span>`}
        <p class="small muted">${say("me.since", { at: moment(each.created_at), until: moment(each.expires_at) })}</p></div>
      ${!each.current && html`<button class="hurts" onClick=${() => end(each)}>${say("me.end")}</button>`}
    </li>`)}</ul>
    <button class="hurts" onClick=${out}>${say("me.leave")}</button>
  </section>`;
}
