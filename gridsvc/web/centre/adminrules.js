// Routing rules: the editions, what is wrong with new ones, what they would have made of the last days, publishing, going back.
import { html, useEffect, useState } from "../shared/screen.js";
import { count, moment, named, t, word } from "../shared/language.js";
import { Sure, Table, Waits, useAsked, useWrite } from "./adminparts.js";
import { briefOf, departmentName, officerOf } from "./city.js";
import { NO_PLAN, plan, spotsOf } from "./plan.js";
import { ADMINS, holds } from "./roles.js";
import { say } from "./said.js";

/** @typedef {{number: number, name: string, state: string, drafted_at: string, published_at: string | null, replaces: number | null, rules: number}} Edition */

const DAYS = /** @type {const} */ ([7, 30, 90]);

export function Rules() {
  const [turn, setTurn] = useState(0);
  const [chosen, setChosen] = useState(/** @type {number | null} */ (null));
  const [writing, setWriting] = useState(false);
  const asked = useAsked("/api/v1/routing-rules/editions", turn);
  const back = useWrite();
  const admin = holds(ADMINS);
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  const editions = /** @type {Edition[]} */ (asked.value.items);
  const force = editions.find((each) => each.state === "published");
  const one = editions.find((each) => each.number === chosen);
  const again = () => setTurn(turn + 1);
  if (writing && force) return html`<${Write} of=${force.number} back=${() => setWriting(false)} drafted=${(/** @type {number} */ number) => { again(); setWriting(false); setChosen(number); }} />`;
  if (one) return html`<${One} key=${one.number} edition=${one} force=${force ?? null} back=${() => setChosen(null)} changed=${again} />`;
  const rollBack = async () => {
    const answer = await back.send("/api/v1/routing-rules/rollback", {});
    if (answer !== null) say(t("rules.wentBack", { n: answer.edition }));
    again();
  };
  return html`<div class="admin-body">
    <${Table} title=${t("rules.editions")} heads=${[t("rules.number"), t("rules.name"), t("grids.state"), t("rules.count"), ""]} rows=${editions.map((each) => [
      count(each.number), each.name || "–",
      html`${each === force ? html`<b>${t("grids.inForce")}</b>` : word("ruleState", each.state)}<div class="small muted">${moment(each.published_at ?? each.drafted_at)}</div>`, count(each.rules),
      html`<button onClick=${() => setChosen(each.number)} aria-label=${t("rules.lookAt", { n: each.number })}>${t("grids.look")}</button>`])} />
    ${admin ? html`<section class="admin-part"><h4>${t("rules.change")}</h4><div class="move-buttons"><button onClick=${() => setWriting(true)}>${t("rules.write")}</button>
      ${force?.replaces != null && html`<${Sure} label=${t("rules.backGo", { n: force.replaces })} go=${t("rules.backYes")} hurts disabled=${back.busy} says=${t("rules.backSays", { n: force.replaces, now: force.number })} done=${() => void rollBack()} />`}</div>
      <p class="wrong small" role="alert">${back.wrong}</p></section>` : html`<p class="muted small">${t("admin.adminsChange")}</p>`}
  </div>`;
}

/** Who a rule gives to. @param {any} rule */
const target = (rule) => word("ruleTo", rule.to) + (rule.department ? ` ${departmentName(rule.department)}` : rule.team ? ` ${rule.team}` : rule.reason ? `: ${rule.reason}` : "");

/** When it holds: each condition with its values. @param {any} rule */
const when = (rule) => Object.entries(rule.when ?? {}).map(([name, value]) => `${word("ruleWhen", name)}: ${Array.isArray(value) ? value.map((each) => (typeof each === "object" ? JSON.stringify(each) : each)).join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value)}`).join("; ");

/** Names for the owners of a rehearsal: `officer <id>`, `department <code>`, `pool`. @param {string} owner */
function ownerOf(owner) {
  const [kind, code = ""] = owner.split(" ");
  if (kind === "officer") return officerOf(code)?.name ?? t("rules.somebody");
  return kind === "department" ? departmentName(code) : t("replace.toPool");
}

/** @param {{edition: Edition, force: Edition | null, back: () => void, changed: () => void}} props */
function One({ edition, force, back, changed }) {
  const asked = useAsked(`/api/v1/routing-rules/editions/${edition.number}`);
  const [days, setDays] = useState(0);
  const tried = useAsked(days === 0 ? "" : `/api/v1/routing-rules/editions/${edition.number}/rehearsal?days=${days}`);
  const publishing = useWrite();
  const admin = holds(ADMINS), draft = edition.state === "draft";
  const publish = async () => {
    if (await publishing.send(`/api/v1/routing-rules/editions/${edition.number}/publish`, {}) === null) return;
    say(t("rules.published", { n: edition.number }));
    changed();
    back();
  };
  const seen = tried.value;
  useEffect(() => {
    plan.value = { ...NO_PLAN, spots: spotsOf(/** @type {{case: string}[]} */ (seen?.pooled ?? []), (each) => each.case, () => "routed", () => t("replace.toPool")) };
  }, [seen]);
  useEffect(() => () => { plan.value = NO_PLAN; }, []);
  const elsewhere = seen?.matrix.filter((/** @type {any} */ each) => each.before !== each.after) ?? [];
  return html`<div class="admin-body">
    <header class="admin-head"><button class="quiet icon-button" onClick=${back} aria-label=${t("admin.back")} title=${t("admin.back")}>←</button><h3>${t("rules.edition", { n: edition.number })} ${edition.name}</h3>
      <span class="tag">${edition.state === "published" ? t("grids.inForce") : word("ruleState", edition.state)}</span></header>
    ${asked.value === null ? html`<${Waits} of=${asked} />` : html`<${Table} title=${t("rules.order")} heads=${[t("rules.rule"), t("rules.to"), t("rules.when")]} rows=${asked.value.rules.map((/** @type {any} */ each) => [named(each.name, each.name_en), target(each), when(each) || t("rules.always")])} />`}
    ${admin && html`<section class="admin-part"><h4>${t("rules.rehearsal")}</h4><p class="small muted">${t("rules.rehearsalSays")}</p>
      <div class="move-buttons">${DAYS.map((each) => html`<button key=${each} aria-pressed=${days === each} onClick=${() => setDays(each)}>${t("rules.days", { n: each })}</button>`)}</div>
      ${days !== 0 && (seen === null ? html`<${Waits} of=${tried} />` : html`
        <p role="status">${t("rules.tried", { n: count(seen.rehearsed), of: count(seen.decisions) })} <b>${elsewhere.length === 0 ? t("rules.allSame") : t("rules.elsewhere", { n: count(elsewhere.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.cases, 0)) })}</b></p>
        <${Table} title=${t("rules.matrix")} heads=${[t("grids.before"), t("grids.after"), t("rules.cases")]} rows=${elsewhere.map((/** @type {any} */ each) => [ownerOf(each.before), ownerOf(each.after), count(each.cases)])} />
        <${Table} title=${t("rules.pooled")} heads=${[t("replace.case"), t("grids.before"), t("rules.why")]} most=${50} rows=${seen.pooled.map((/** @type {any} */ each) => [briefOf(each.case)?.number ?? html`<span class="small muted">${each.case}</span>`, ownerOf(each.before), each.why ?? ""])} />`)}</section>
      ${draft && html`<section class="admin-part"><h4>${t("grids.publish")}</h4>
        <${Sure} label=${t("grids.publishGo")} go=${t("grids.publishYes")} disabled=${publishing.busy} says=${t("rules.publishSays", { n: edition.number, now: force?.number ?? 0 })} done=${() => void publish()} />
        <p class="wrong small" role="alert">${publishing.wrong}</p>${(publishing.facts["faults"] ?? []).map((/** @type {string} */ each) => html`<p class="wrong small">${each}</p>`)}</section>`}`}
  </div>`;
}

/** New rules as text, beginning with those in force. @param {{of: number, back: () => void, drafted: (number: number) => void}} props */
function Write({ of, back, drafted }) {
  const asked = useAsked(`/api/v1/routing-rules/editions/${of}`);
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [name, setName] = useState("");
  const [unreadable, setUnreadable] = useState("");
  const [checked, setChecked] = useState(/** @type {{good: boolean, faults: any[]} | null} */ (null));
  const sending = useWrite();
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  const shown = text ?? JSON.stringify(asked.value.rules, null, 2);
  const said = () => {
    try {
      const rules = JSON.parse(shown);
      setUnreadable("");
      return { rules, name: name.trim(), position_max_age_s: asked.value.position_max_age_s };
    } catch (wrong) {
      setUnreadable(t("rules.noJson", { why: String(wrong instanceof Error ? wrong.message : wrong) }));
      return null;
    }
  };
  const check = async () => {
    const body = said();
    if (body !== null) setChecked(await sending.send("/api/v1/routing-rules/check", body));
  };
  const save = async () => {
    const body = said();
    if (body === null) return;
    const answer = await sending.send("/api/v1/routing-rules/editions", body);
    if (answer === null) return;
    say(t("rules.drafted", { n: answer.number }));
    drafted(answer.number);
  };
  return html`<div class="admin-body">
    <header class="admin-head"><button class="quiet icon-button" onClick=${back} aria-label=${t("admin.back")} title=${t("admin.back")}>←</button><h3>${t("rules.write")}</h3></header>
    <p class="small muted">${t("rules.writeSays", { n: of })}</p>
    <label class="field"><span>${t("rules.name")}</span><input id="rules-name" value=${name} maxlength="100" onInput=${(/** @type {Event} */ event) => setName(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
    <label class="field"><span>${t("rules.text")}</span><textarea id="rules-text" class="code" rows="16" spellcheck=${false} value=${shown} onInput=${(/** @type {Event} */ event) => { setText(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value); setChecked(null); }} /></label>
    <div class="move-buttons"><button disabled=${sending.busy} onClick=${() => void check()}>${t("rules.check")}</button><button class="primary" disabled=${sending.busy} onClick=${() => void save()}>${t("rules.save")}</button></div>
    <p class="wrong small" role="alert">${unreadable || sending.wrong}</p>${(sending.facts["faults"] ?? []).map((/** @type {string} */ each) => html`<p class="wrong small">${each}</p>`)}
    ${checked !== null && html`<p role="status"><b>${t(checked.good ? "rules.good" : "rules.bad")}</b></p>
      <${Table} title=${t("rules.faults")} heads=${[t("rules.rule"), t("rules.field"), t("rules.givenWanted")]} rows=${checked.faults.map((each) => [each.rule ?? "–", each.field, html`<span class=${each.refuses ? "wrong" : ""}>${t(each.refuses ? "rules.refuses" : "rules.warns")}</span>: ${each.given} → ${each.wanted}`])} />`}
  </div>`;
}
