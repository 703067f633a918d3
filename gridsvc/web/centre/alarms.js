// Alarms: an emergency is loud until somebody acknowledges it, by name and for all; an escalation sounds once. Muting is
// of this desk alone, is remembered, and is said.
import { effect, html, signal, useEffect, useState } from "../shared/screen.js";
import { language, moment, t, word } from "../shared/language.js";
import { Refused, person, write } from "../shared/service.js";
import { acknowledged, alarms, briefOf, categoryName, divisionName, heardHere, takeAlarms } from "./city.js";
import { sentence } from "./moves.js";
import { say } from "./said.js";
import { DESK, keepStanding, standingKnown } from "./standing.js";
import { open } from "./view.js";

/** @import { Alarm } from "../shared/types.js" */

const KEPT = "gridsvc.muted";
const AGAIN_MS = 5_000;

/** How many stand over the map; on a phone more than one would cover all that somebody works at. */
const most = () => (matchMedia("(max-width: 720px)").matches ? 1 : 3);

/** Who has muted this desk; "" while it sounds. It is remembered, and said while an emergency stands. */
const mutedBy = signal(localStorage.getItem(KEPT) ?? "");

/** A browser lets no page sound that nobody has touched: then the page says so. */
const waitsForTouch = signal(false);

/** Put out of the way on this desk; they stay under the bell until somebody acknowledges them. @type {import("../vendor/signals.mjs").Signal<ReadonlySet<string>>} */
const aside = signal(new Set());

function switchSound() {
  mutedBy.value = mutedBy.peek() === "" ? (person.peek()?.display_name ?? "–") : "";
  if (mutedBy.peek() === "") localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, mutedBy.peek());
}

/** @type {AudioContext | null} */
let speaker = null;

/** @param {number[]} tones in Hz, one after the other */
function sound(tones) {
  if (mutedBy.peek() !== "") return;
  const plays = (speaker ??= new AudioContext());
  waitsForTouch.value = plays.state === "suspended";
  if (plays.state === "suspended") return;
  tones.forEach((tone, n) => {
    const now = plays.currentTime + n * 0.25;
    const source = new OscillatorNode(plays, { frequency: tone });
    source.connect(new GainNode(plays, { gain: 0.15 })).connect(plays.destination);
    source.start(now);
    source.stop(now + 0.2);
  });
}

/** Somebody is here: from now on the page may sound. */
function touched() {
  void speaker?.resume();
  waitsForTouch.value = false;
}

/** What stands over the map: emergencies, and what has come while somebody was here. */
function loud() {
  return alarms.value.filter((each) => !aside.value.has(each.id) && (each.kind === "emergency" || heardHere.has(each.id)))
    .sort((one, other) => Number(other.kind === "emergency") - Number(one.kind === "emergency"));
}

export function Alarms() {
  useEffect(() => {
    const leave = keepStanding();
    document.addEventListener("pointerdown", touched);
    document.addEventListener("keydown", touched);
    const rung = new Set(heardHere);
    const stop = effect(() => {
      // What comes together is heard once: twenty at one moment are no louder than one.
      const fresh = alarms.value.filter((each) => heardHere.has(each.id) && !rung.has(each.id));
      for (const { id } of fresh) rung.add(id);
      if (fresh.length > 0) sound(fresh.some((each) => each.kind === "emergency") ? [880, 660] : [660]);
      for (const id of rung) if (!heardHere.has(id)) rung.delete(id);
    });
    let told = acknowledged.peek();
    const tell = effect(() => {
      for (const alarm of acknowledged.value) if (!told.includes(alarm)) say(seenBy(alarm));
      told = acknowledged.value;
    });
    const again = setInterval(() => {
      if (alarms.peek().some((each) => each.kind === "emergency")) sound([880, 660]);
    }, AGAIN_MS);
    return () => {
      leave();
      document.removeEventListener("pointerdown", touched);
      document.removeEventListener("keydown", touched);
      stop();
      tell();
      clearInterval(again);
    };
  }, []);
  const there = loud();
  if (there.length === 0) return null;
  const shown = most();
  return html`<section class="alarms" aria-label=${t("alarm.title")}>
    ${there.slice(0, shown).map((alarm) => html`<${One} key=${alarm.id} alarm=${alarm} over=${true} />`)}
    ${there.length > shown && html`<p class="small">${t("alarm.more", { n: there.length - shown })}</p>`}
    ${mutedBy.value !== "" && there.some((each) => each.kind === "emergency") && html`<p class="small">${t("alarm.isMuted", { who: mutedBy.value })}</p>`}
    ${waitsForTouch.value && html`<p class="small">${t("alarm.waitsForTouch")}</p>`}
  </section>`;
}

/** What an alarm says, in the language of the page. @param {Alarm} alarm */
const says = (alarm) => alarm.says[language.value] ?? alarm.says["zh-CN"] ?? "";

/** Who has acknowledged it. @param {Alarm} alarm */
const seenBy = (alarm) => t("alarm.seenBy", { who: alarm.acknowledged?.name ?? "", says: says(alarm) });

/** @param {{alarm: Alarm, over: boolean}} props */
function One({ alarm, over }) {
  const [busy, setBusy] = useState(false);
  const note = async () => {
    setBusy(true);
    try {
      takeAlarms([await write("POST", `/api/v1/alarms/${alarm.id}/acknowledge`, {})]);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setBusy(false);
      say(sentence(refused));
    }
  };
  const brief = alarm.case === null ? null : briefOf(alarm.case);
  const may = person.value?.roles.some(({ role }) => DESK.has(role) && role !== "auditor");
  return html`<div class=${`alarm ${alarm.kind}`} role=${over ? "alert" : undefined}>
    <p><b>${word("alarm", alarm.kind)}</b> <span class="small">${moment(alarm.at)}</span><br />${says(alarm)}
      ${brief && html`<br />${categoryName(brief)} · ${divisionName(brief.division)}`}</p>
    ${alarm.case && html`<button onClick=${() => open(/** @type {string} */ (alarm.case))}>${t("alarm.open")}</button>`}
    ${may && html`<button disabled=${busy} onClick=${() => void note()}>${t("alarm.note")}</button>`}
    ${over && html`<button class="quiet" onClick=${() => { aside.value = new Set([...aside.peek(), alarm.id]); }}>${t("alarm.aside")}</button>`}
  </div>`;
}

/** All that nobody has acknowledged, and whether this desk sounds. */
export function Bell() {
  const [isOpen, setOpen] = useState(false);
  const n = alarms.value.length;
  useEffect(() => {
    if (!isOpen) return undefined;
    const shut = (/** @type {Event} */ event) => {
      if (!(event.target instanceof Element && event.target.closest(".bell"))) setOpen(false);
    };
    document.addEventListener("pointerdown", shut);
    return () => document.removeEventListener("pointerdown", shut);
  }, [isOpen]);
  return html`<div class="bell" onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") setOpen(false); }}>
    <button class="quiet icon-button" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)} aria-label=${t("alarm.count", { n })} title=${t("alarm.title")}>
      <svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 16v-5a6 6 0 0 1 12 0v5l1.500 2h-15ZM10 20.500h4" class="icon" />${mutedBy.value !== "" && html`<path d="M4 3l16 18" class="icon" />`}
      </svg>${n > 0 && html`<span class="bell-count">${n > 99 ? "99+" : n}</span>`}
    </button>
    ${isOpen && html`<div class="menu bell-menu">
      <label class="box"><input type="checkbox" checked=${mutedBy.value === ""} onChange=${switchSound} />${t("alarm.sounds")}</label>
      ${!standingKnown.value && html`<p role="status">${t("alarm.notWhole")}</p>`}
      ${n === 0 && standingKnown.value ? html`<p class="muted">${t("alarm.none")}</p>` : alarms.value.slice(0, 50).map((alarm) => html`<${One} key=${alarm.id} alarm=${alarm} over=${false} />`)}
      ${acknowledged.value.length > 0 && html`<h3>${t("alarm.lately")}</h3><ul class="small">${acknowledged.value.map((alarm) => html`<li key=${alarm.id}>${seenBy(alarm)} <span class="muted">${moment(alarm.acknowledged?.at ?? alarm.at)}</span></li>`)}</ul>`}
    </div>`}
  </div>`;
}
