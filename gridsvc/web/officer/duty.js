// On duty or off: what the service says, and what this phone wants to have said.
import { computed, html, signal, useState } from "../shared/screen.js";
import { moment } from "../shared/language.js";
import { sentence } from "../shared/moveform.js";
import { Refused, person, write } from "../shared/service.js";
import { enqueue, outbox } from "./outbox.js";
import { say } from "./say.js";
import { askOrKept } from "./session.js";
import { is } from "./tasks.js";

/** @typedef {{on_duty: boolean, there: boolean, shift_until: string | null, absent_until: string | null}} Duty */

const PATH = "/api/v1/officers/me/duty";

/** As the service said last; null: not known. */
export const duty = signal(/** @type {Duty | null} */ (null));

/** Whether the service was asked: before that the switch may show the wrong side, and must not be pressed. */
const asked = signal(false);

/** What waits to be said of it. */
const waits = computed(() => (outbox.value ?? []).filter((each) => each.path === PATH && each.state !== "done").at(-1));

/** Whether I am on duty, as far as this phone knows. */
export const onDuty = computed(() => (waits.value ? waits.value.body["on_duty"] === true : duty.value?.on_duty === true));

export async function loadDuty() {
  const me = person.peek();
  if (!me || !is(me, "officer")) {
    duty.value = null;
    return;
  }
  try {
    const { body } = await askOrKept(PATH);
    duty.value = body;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // not known yet: off, until it is
  } finally {
    asked.value = true;
  }
}

/** @param {boolean} on */
async function change(on) {
  try {
    await write("POST", PATH, { on_duty: on });
    await loadDuty();
  } catch (refused) {
    if (!(refused instanceof Refused) || refused.status !== 0) throw refused;
    const [kind, says, says_en] = on ? ["duty_on", "上岗", "On duty"] : ["duty_off", "下岗", "Off duty"];
    await enqueue({ kind, method: "POST", path: PATH, body: { on_duty: on }, about: { case: "duty", says, says_en } });
  }
}

export function DutySwitch() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const on = onDuty.value, is_ = duty.value;
  const press = async () => {
    setBusy(true);
    setWrong("");
    try {
      await change(!on);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return html`<div class="duty">
    <button role="switch" aria-checked=${on} disabled=${busy || !asked.value} onClick=${press}><span aria-hidden="true">${on ? "●" : "○"}</span> ${say(on ? "duty.on" : "duty.off")}</button>
    <span class="small muted">${waits.value ? say("duty.waits") : is_?.absent_until ? say("duty.absent", { until: moment(is_.absent_until) })
      : is_?.shift_until ? say("duty.shift", { until: moment(is_.shift_until) }) : ""}</span>
    <p class="wrong small" role="alert">${wrong}</p>
  </div>`;
}
