// Silences: of which camera events nothing shall come, who said so, why, and until when.
import { html, useEffect, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { lasting, moment, t, word } from "../shared/language.js";
import { Refused, askAll, write } from "../shared/service.js";
import { Sure } from "./adminparts.js";
import { sentence } from "./moves.js";
import { RULERS, holds } from "./roles.js";
import { say } from "./said.js";

/** @import { Silence } from "../shared/types.js" */

const HOURS = /** @type {const} */ ([1, 4, 12, 24, 72]);

export function Silences() {
  const [rows, setRows] = useState(/** @type {Silence[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [making, setMaking] = useState(false);
  decade.value;
  const load = () => askAll("/api/v1/camera-silences?active=true").then(setRows, (refused) => { if (refused instanceof Refused) setWrong(refused.code); });
  useEffect(() => { void load(); }, []);
  const may = holds(RULERS);
  /** @param {Silence} silence */
  const end = async (silence) => {
    try {
      await write("POST", `/api/v1/camera-silences/${silence.id}/expire`, {});
      say(t("silence.ended"));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      say(refused.code === "wrong_moment" ? t("silence.overAlready") : sentence(refused));
    }
    await load();
  };
  if (wrong !== "") return html`<div class="empty" role="alert"><p>${t("trouble.other")}</p><p class="small">${wrong}</p></div>`;
  if (rows === null) return html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /></div>`;
  return html`
    ${may && html`<div class="pad">${making ? html`<${SilenceForm} camera="" done=${() => { setMaking(false); void load(); }} />`
      : html`<button onClick=${() => setMaking(true)}>${t("silence.make")}</button>`}</div>`}
    ${rows.length === 0 ? html`<div class="empty"><p>${t("empty.silences")}</p></div>` : html`<ul class="plain-list">
      ${rows.map((each) => html`<li key=${each.id} class="plain-row wraps"><span class="plain-main"><b>${matchers(each)}</b>
        <span class="words">${each.reason}</span>
        <span class="muted">${t("silence.by", { who: each.author_name ?? each.author, until: moment(each.until) })} · ${
          Date.parse(each.since) > cityNow() ? t("silence.from", { at: moment(each.since) }) : t("time.left", { span: lasting(Date.parse(each.until) - cityNow()) })}</span></span>
        ${may && html`<${Sure} label=${t("silence.end")} go=${t("silence.endYes")} hurts says=${t("silence.endSays")} done=${() => void end(each)} />`}</li>`)}</ul>`}`;
}

/** @param {Silence} silence */
function matchers(silence) {
  return Object.entries(silence.matchers).map(([name, values]) => `${word("matcher", name)}: ${values.map((each) => (name === "kind" ? word("seen", each) : each)).join(", ")}`).join(" · ");
}

/** @param {{camera: string, done: () => void}} props `camera` "": whichever is written */
export function SilenceForm({ camera, done }) {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    /** @type {Record<string, string[]>} */
    const asked = {};
    for (const name of ["camera", "kind", "cell"]) {
      const values = String(form.get(name) ?? "").split(/[\s,，、]+/).filter(Boolean);
      if (values.length > 0) asked[name] = values;
    }
    if (Object.keys(asked).length === 0) return setWrong(t("silence.ofWhat"));
    setBusy(true);
    try {
      const until = new Date(cityNow() + Number(form.get("hours")) * 3_600_000).toISOString();
      await write("POST", "/api/v1/camera-silences", { matchers: asked, reason: String(form.get("reason")).trim(), until });
      say(t("silence.made", { until: moment(until) }));
      done();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="move-form silence-form" onSubmit=${submit}>
    <h3>${t("silence.make")}</h3><p class="small muted">${t("silence.does")}</p>
    <label class="field"><span>${word("matcher", "camera")}</span><input name="camera" defaultValue=${camera} maxlength="4000" /></label>
    <label class="field"><span>${word("matcher", "kind")} <span class="muted">${t("field.may")}</span></span><input name="kind" maxlength="400" /></label>
    <label class="field"><span>${word("matcher", "cell")} <span class="muted">${t("field.may")}</span></span><input name="cell" maxlength="400" /></label>
    <label class="field"><span>${t("field.reason")}</span><textarea name="reason" rows="2" required maxlength="400" /></label>
    <label class="field"><span>${t("silence.howLong")}</span><select name="hours">${HOURS.map((each) => html`<option key=${each} value=${each}>${lasting(each * 3_600_000)}</option>`)}</select></label>
    <p class="wrong" role="alert">${wrong}</p>
    <div class="move-buttons"><button class="primary" disabled=${busy}>${t("silence.go")}</button><button type="button" onClick=${done}>${t("moves.cancel")}</button></div>
  </form>`;
}
