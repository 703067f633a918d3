// Alarms: an emergency is loud until somebody takes note, an escalation sounds once. Muting is remembered and said.
import { effect, html, signal, useEffect } from "../shared/screen.js";
import { language, moment, t, word } from "../shared/language.js";
import { person } from "../shared/service.js";
import { alarms } from "./city.js";
import { open } from "./view.js";

/** @import { Alarm } from "../shared/types.js" */

const KEPT = "gridsvc.muted";
const AGAIN_MS = 5_000;

export const muted = signal(localStorage.getItem(KEPT) === "1");

/** Alarms that somebody here has taken note of. @type {import("../vendor/signals.mjs").Signal<ReadonlySet<string>>} */
const noted = signal(new Set());

/** @param {boolean} is */
export function setMuted(is) {
  localStorage.setItem(KEPT, is ? "1" : "0");
  muted.value = is;
}

/** @type {AudioContext | null} */
let speaker = null;

/** @param {number[]} tones in Hz, one after the other */
function sound(tones) {
  speaker ??= new AudioContext();
  if (speaker.state === "suspended") return; // nobody has touched the page yet, so it may not sound
  tones.forEach((tone, n) => {
    const now = /** @type {AudioContext} */ (speaker).currentTime + n * 0.25;
    const source = new OscillatorNode(/** @type {AudioContext} */ (speaker), { frequency: tone });
    const volume = new GainNode(/** @type {AudioContext} */ (speaker), { gain: 0.15 });
    source.connect(volume).connect(/** @type {AudioContext} */ (speaker).destination);
    source.start(now);
    source.stop(now + 0.2);
  });
}

/** The newest of those nobody has taken note of; emergencies before all. */
function waiting() {
  return alarms.value.filter((each) => !noted.value.has(each.id))
    .sort((one, other) => Number(other.kind === "emergency") - Number(one.kind === "emergency"));
}

export function Alarms() {
  useEffect(() => {
    const heard = new Set(alarms.peek().map((each) => each.id));
    const stop = effect(() => {
      for (const alarm of alarms.value) {
        if (heard.has(alarm.id)) continue;
        heard.add(alarm.id);
        if (!muted.peek()) sound(alarm.kind === "emergency" ? [880, 660] : [660]);
      }
    });
    const again = setInterval(() => {
      if (!muted.peek() && waiting().some((each) => each.kind === "emergency")) sound([880, 660]);
    }, AGAIN_MS);
    return () => { stop(); clearInterval(again); };
  }, []);
  const there = waiting();
  if (there.length === 0) return null;
  return html`<section class="alarms" aria-label=${t("alarm.title")}>
    ${there.slice(0, 3).map((alarm) => html`<${Bell} key=${alarm.id} alarm=${alarm} />`)}
    ${there.length > 3 && html`<p class="small">${t("alarm.more", { n: there.length - 3 })}</p>`}
    ${muted.value && there.some((each) => each.kind === "emergency") && html`<p class="small">${t("alarm.isMuted", { who: person.value?.display_name ?? "" })}</p>`}
  </section>`;
}

/** @param {{alarm: Alarm}} props */
function Bell({ alarm }) {
  const note = () => {
    noted.value = new Set([...noted.peek(), alarm.id]);
  };
  return html`<div class=${`alarm ${alarm.kind}`} role="alert">
    <p><b>${word("alarm", alarm.kind)}</b> <span class="small">${moment(alarm.at)}</span><br />${alarm.says[language.value] ?? alarm.says["zh-CN"]}</p>
    ${alarm.case && html`<button onClick=${() => { open(/** @type {string} */ (alarm.case)); note(); }}>${t("alarm.open")}</button>`}
    <button onClick=${note}>${t("alarm.note")}</button>
  </div>`;
}
