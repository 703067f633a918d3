// The book of the shift: what whoever goes leaves to whoever comes, and who has signed for it.
import { html, useEffect, useState } from "../shared/screen.js";
import { count, moment, t } from "../shared/language.js";
import { Refused, ask, newKey, person, write } from "../shared/service.js";
import { Sure } from "./adminparts.js";
import { briefOf, divisionName } from "./city.js";
import { sentence } from "./moves.js";
import { WRITES_SHIFTS, holds } from "./roles.js";
import { say } from "./said.js";
import { open, picked } from "./view.js";

/** @import { ShiftEntry } from "../shared/types.js" */

const AGAIN_MS = 20_000;
const KEPT = "gridsvc.shift-words";
const FIGURES = /** @type {const} */ (["open", "late", "emergencies", "pooled", "alarms"]);

export function ShiftLog() {
  const [rows, setRows] = useState(/** @type {ShiftEntry[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [wrong, setWrong] = useState("");
  const load = () => ask("/api/v1/shift-log").then((page) => { setRows(page.items); setNext(page.next ?? null); setWrong(""); }, (refused) => {
    if (!(refused instanceof Refused)) throw refused;
    setWrong(refused.code);
  });
  useEffect(() => {
    void load();
    const again = setInterval(() => void load(), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  const more = async () => {
    const page = await ask(`/api/v1/shift-log?cursor=${encodeURIComponent(next ?? "")}`);
    setRows([...(rows ?? []), ...page.items]);
    setNext(page.next ?? null);
  };
  const waiting = (rows ?? []).filter((each) => each.hand_over && each.taken === null).length;
  return html`
    <header class="panel-head"><h2>${t("panel.shift")} ${waiting > 0 && html`<span class="panel-count">${t("shift.waiting", { n: count(waiting) })}</span>`}</h2></header>
    ${holds(WRITES_SHIFTS) && html`<${EntryForm} done=${load} />`}
    ${wrong !== "" && html`<p class="wrong small pad" role="alert">${t("trouble.other")} (${wrong})</p>`}
    ${rows === null && wrong === "" ? html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /></div>`
      : rows?.length === 0 ? html`<div class="empty"><p>${t("empty.shift")}</p></div>` : html`<ul class="plain-list">
        ${(rows ?? []).map((each) => html`<${Entry} key=${each.id} entry=${each} done=${load} />`)}</ul>
        ${next !== null && html`<div class="pad"><button onClick=${() => void more()}>${t("shift.more")}</button></div>`}`}`;
}

/** @param {{done: () => unknown}} props */
function EntryForm({ done }) {
  const [words, setWords] = useState(sessionStorage.getItem(KEPT) ?? "");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [key, setKey] = useState(newKey);
  const cases = [...picked.value];
  /** @param {string} next */
  const keep = (next) => {
    setWords(next);
    setKey(newKey());
    sessionStorage.setItem(KEPT, next);
  };
  /** @param {boolean} handOver */
  const send = async (handOver) => {
    if (words.trim() === "") {
      setWrong(t("shift.saySomething"));
      document.getElementById("shift-words")?.focus();
      return;
    }
    setBusy(true);
    setWrong("");
    try {
      await write("POST", "/api/v1/shift-log", { words: words.trim(), hand_over: handOver, cases }, { key: `${key}${handOver ? "h" : "n"}` });
      keep("");
      picked.value = new Set();
      say(t(handOver ? "shift.handedOver" : "shift.noted"));
      await done();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="move-form shift-form" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <label for="shift-words">${t("shift.words")}</label>
    <textarea id="shift-words" rows="4" maxlength="4000" value=${words} aria-describedby="shift-hint" aria-invalid=${wrong !== ""}
      onInput=${(/** @type {Event} */ event) => keep(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} />
    <p id="shift-hint" class="small muted">${cases.length > 0 ? t("shift.withCases", { n: count(cases.length) }) : t("shift.hint")}</p>
    ${wrong !== "" && html`<p class="wrong small" role="alert">${wrong}</p>`}
    <div class="move-buttons"><button class="primary" aria-disabled=${busy} onClick=${() => { if (!busy) void send(true); }}>${t("shift.handOver")}</button>
      <button aria-disabled=${busy} onClick=${() => { if (!busy) void send(false); }}>${t("shift.note")}</button></div>
  </form>`;
}

/** @param {{entry: ShiftEntry, done: () => unknown}} props */
function Entry({ entry, done }) {
  const me = person.value;
  const waits = entry.hand_over && entry.taken === null;
  const take = async () => {
    try {
      const after = await write("POST", `/api/v1/shift-log/${entry.id}/take`, {});
      say(t("shift.takenBy", { who: after.taken.name, at: moment(after.taken.at) }));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      say(sentence(refused));
    }
    await done();
  };
  return html`<li class="plain-row wraps shift-entry"><span class="plain-main">
    <b>${t(entry.hand_over ? "shift.isHandOver" : "shift.isNote")} · ${divisionName(entry.division)}</b>
    <span class="words">${entry.words}</span>
    <span class="small muted">${FIGURES.filter((name) => (entry.figures[name] ?? 0) > 0 || name === "open").map((name) => t(`shift.figure.${name}`, { n: count(entry.figures[name] ?? 0) })).join(" · ")}</span>
    ${entry.cases.length > 0 && html`<span class="shift-cases">${entry.cases.map((id) => html`<button key=${id} class="quiet small" onClick=${() => open(id)}>${briefOf(id)?.number ?? t("shift.case", { id: id.slice(-6) })}</button>`)}</span>`}
    <span class="muted small">${t("shift.by", { who: entry.written.name, at: moment(entry.written.at) })}${entry.taken !== null ? ` · ${t("shift.takenBy", { who: entry.taken.name, at: moment(entry.taken.at) })}` : waits ? ` · ${t("shift.notTaken")}` : ""}</span></span>
    ${waits && holds(WRITES_SHIFTS) && entry.written.id !== me?.id && html`<${Sure} label=${t("shift.take")} go=${t("shift.takeYes")} says=${t("shift.takeSays", { who: entry.written.name, me: me?.display_name ?? "" })} done=${() => void take()} />`}
  </li>`;
}
