// Grid sets: which is in force, what a draft would change on the map and for whom, publishing and going back.
import { html, useEffect, useState } from "../shared/screen.js";
import { count, moment, t, word } from "../shared/language.js";
import { ask } from "../shared/service.js";
import { Sure, Table, Waits, faultOf, useAsked, useWrite } from "./adminparts.js";
import { divisionName, lineName, lists } from "./city.js";
import { NO_PLAN, plan, spotsOf } from "./plan.js";
import { ADMINS, holds } from "./roles.js";
import { say } from "./said.js";
import { asksForPlace } from "./view.js";

/** @typedef {{name: string, state: string, in_force: boolean, valid_from: string | null, published_at: string | null, divisions: number, cells: number, beats: number, to_follow: number | null, lost: number | null}} GridSet */

const KINDS = /** @type {const} */ (["added", "removed", "redrawn", "moved"]);

export function Grids() {
  const [turn, setTurn] = useState(0);
  const [chosen, setChosen] = useState("");
  const asked = useAsked("/api/v1/grid-sets", turn);
  const back = useWrite();
  const admin = holds(ADMINS);
  if (asked.value === null) return html`<${Waits} of=${asked} />`;
  const sets = /** @type {GridSet[]} */ (asked.value.items);
  const force = sets.find((each) => each.in_force), published = sets.filter((each) => each.state === "published");
  const last = [...published].sort((one, other) => Date.parse(other.valid_from ?? "") - Date.parse(one.valid_from ?? ""))[0];
  const left = published.find((each) => each !== last);
  const draft = sets.find((each) => each.name === chosen && each.state === "draft");
  if (draft) return html`<${Draft} key=${draft.name} draft=${draft} force=${force?.name ?? ""} back=${() => setChosen("")} changed=${() => setTurn(turn + 1)} />`;
  const rollBack = async () => {
    const answer = await back.send("/api/v1/grid-sets/rollback", {});
    if (answer !== null) say(t("grids.wentBack", { name: answer.grid_set }));
    setTurn(turn + 1);
  };
  return html`<div class="admin-body">
    <${Table} title=${t("grids.sets")} heads=${[t("grids.name"), t("grids.state"), t("grids.holds"), ""]} rows=${[...sets].reverse().map((each) => [
      each.name,
      html`${each.in_force ? html`<b>${t("grids.inForce")}</b>` : word("gridState", each.state)}${each.valid_from && html`<div class="small muted">${t("grids.from", { at: moment(each.valid_from) })}</div>`}
        ${each.in_force && (each.to_follow ?? 0) > 0 && html`<div class="small">${t("grids.toFollow", { n: each.to_follow ?? 0 })}</div>`}`,
      t("grids.counts", { divisions: count(each.divisions), cells: count(each.cells), beats: count(each.beats) }),
      each.state === "draft" && admin ? html`<button onClick=${() => setChosen(each.name)} aria-label=${t("grids.lookAt", { name: each.name })}>${t("grids.look")}</button>` : "",
    ])} />
    ${admin && last && left && html`<section class="admin-part"><h4>${t("grids.back")}</h4>
      <${Sure} label=${t("grids.backGo", { name: left.name })} go=${t("grids.backYes")} hurts disabled=${back.busy} says=${t("grids.backSays", { last: last.name, left: left.name })} done=${() => void rollBack()} />
      <p class="wrong small" role="alert">${back.wrong}</p></section>`}
    ${admin && force && html`<${Begin} of=${force.name} began=${(/** @type {string} */ name) => { setTurn(turn + 1); setChosen(name); }} />`}
    ${!admin && html`<p class="muted small">${t("admin.adminsChange")}</p>`}
  </div>`;
}

/** @param {{of: string, began: (name: string) => void}} props */
function Begin({ of, began }) {
  const [name, setName] = useState("");
  const beginning = useWrite();
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    if (await beginning.send("/api/v1/grid-sets", { name: name.trim(), of }) !== null) began(name.trim());
  };
  return html`<form class="admin-part" onSubmit=${submit}><h4>${t("grids.begin")}</h4><p class="small muted">${t("grids.beginSays", { of })}</p>
    <div class="admin-row"><label class="field grows"><span>${t("grids.name")}</span><input id="grid-name" value=${name} required maxlength="64" pattern="[\\w.\\-]+" onInput=${(/** @type {Event} */ event) => setName(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
    <button disabled=${beginning.busy}>${t("grids.beginGo")}</button></div><p class="wrong small" role="alert">${beginning.wrong}</p></form>`;
}

/** @param {{draft: GridSet, force: string, back: () => void, changed: () => void}} props */
function Draft({ draft, force, back, changed }) {
  const [turn, setTurn] = useState(0);
  const path = `/api/v1/grid-sets/${encodeURIComponent(draft.name)}`;
  const preview = useAsked(`${path}/preview`, turn), changes = useAsked(`${path}/changes`, turn);
  const publishing = useWrite();
  const [anyway, setAnyway] = useState(false);
  const seen = preview.value, cells = /** @type {any[]} */ (changes.value?.features ?? []);
  useEffect(() => {
    plan.value = {
      ...NO_PLAN, cells: cells.map((each) => ({ kind: each.properties.kind, says: word("cellChange", each.properties.kind), geometry: each.geometry })),
      spots: spotsOf(seen?.cases ?? [], (each) => each.id, (each) => (each.keeps === null ? "routed" : "keeps"), (each) => each.keeps === null ? (each.officer_after ?? t("replace.toPool")) : (each.officer ?? "")),
    };
  }, [changes.value, preview.value]);
  useEffect(() => () => { plan.value = NO_PLAN; asksForPlace.value = null; }, []);
  const publish = async () => {
    const answer = await publishing.send(`${path}/publish`, { accept_lost: anyway });
    if (answer === null) return;
    say(t("grids.published", { name: draft.name }));
    changed();
    back();
  };
  return html`<div class="admin-body">
    <header class="admin-head"><button class="quiet icon-button" onClick=${back} aria-label=${t("admin.back")} title=${t("admin.back")}>←</button><h3>${draft.name}</h3><span class="tag">${word("gridState", draft.state)}</span></header>
    <p class="small muted">${t("grids.against", { of: force })}</p>
    ${seen === null ? html`<${Waits} of=${preview} />` : html`
      <ul class="sums" aria-label=${t("grids.cells")}>${KINDS.map((kind) => html`<li key=${kind}><span class=${`swatch ${kind}`} aria-hidden="true" /> ${word("cellChange", kind)} <b>${count(seen.cells.find((/** @type {any} */ each) => each.kind === kind)?.cells ?? 0)}</b></li>`)}</ul>
      ${cells.length === 0 && changes.value !== null ? html`<p class="muted">${t("grids.same")}</p>` : ""}
      <${Table} title=${t("grids.cells")} heads=${[t("grids.cell"), t("grids.how"), t("grids.whose")]} most=${100} rows=${cells.map(({ properties: each }) => [each.code, html`<span class="kind"><span class=${`swatch ${each.kind}`} aria-hidden="true" /> ${word("cellChange", each.kind)}</span>`, whose(each)])} />
      <${Table} title=${t("grids.cases", { n: seen.cases.length })} heads=${[t("replace.case"), t("grids.cell"), t("grids.owner")]} most=${100} rows=${seen.cases.map((/** @type {any} */ each) => [each.number ?? each.id, pair(each.cell), owner(each)])} />
      <${Table} title=${t("grids.lost")} heads=${[t("replace.case"), t("grids.cell")]} rows=${seen.lost.map((/** @type {any} */ each) => [each.number ?? each.id, each.cell])} />
      <${Table} title=${t("grids.loads")} heads=${[t("grids.officer"), t("grids.before"), t("grids.after")]} rows=${seen.loads.map((/** @type {any} */ each) => [each.officer, count(each.before), `${count(each.after)}${each.change_percent === null ? "" : ` (${each.change_percent > 0 ? "+" : ""}${each.change_percent} %)`}`])} />
      ${seen.beats_without_officer.length > 0 && html`<p class="wrong small">${t("grids.unmanned", { beats: seen.beats_without_officer.map((/** @type {any} */ each) => each.beat).join(" · ") })}</p>`}
      <${Table} title=${t("grids.adrift")} heads=${[t("people.signsIn"), t("people.role"), t("grids.division")]} rows=${seen.grants_without_division.map((/** @type {any} */ each) => [each.username, word("role", each.role), each.division])} />
      ${seen.cases.length === 0 && seen.lost.length === 0 && html`<p class="muted small">${t("grids.noCases")}</p>`}
      <section class="admin-part"><h4>${t("grids.publish")}</h4>
        ${seen.lost.length > 0 && html`<label class="box"><input type="checkbox" checked=${anyway} onChange=${() => setAnyway(!anyway)} />${t("grids.anyway", { n: seen.lost.length })}</label>`}
        <${Sure} label=${t("grids.publishGo")} go=${t("grids.publishYes")} disabled=${publishing.busy} done=${() => void publish()} says=${t("grids.publishSays", { name: draft.name, of: force, n: seen.cases.length })} />
        ${publishing.busy && html`<p class="small muted" role="status">${t("grids.checking")}</p>`}
        <p class="wrong small" role="alert">${publishing.wrong}</p>
        ${(publishing.facts["defects"] ?? []).slice(0, 20).map((/** @type {any} */ each) => html`<p class="wrong small">${faultOf(each)}</p>`)}</section>`}
    <${Give} path=${path} given=${() => setTurn(turn + 1)} />
  </div>`;
}

/** @param {[string | null, string | null]} of */
const pair = ([before, after]) => (before === after ? (before ?? "–") : `${before ?? "–"} → ${after ?? "–"}`);

/** Which beats and division a cell had and gets. @param {any} each */
function whose(each) {
  const lines = [...new Set([...Object.keys(each.beats[0]), ...Object.keys(each.beats[1])])].filter((line) => each.beats[0][line] !== each.beats[1][line]);
  return html`${lines.map((line) => html`<div key=${line}><span class="muted">${lineName(line)}</span> ${pair([each.beats[0][line] ?? null, each.beats[1][line] ?? null])}</div>`)}
    ${each.division[0] !== each.division[1] && html`<div>${pair([divisionName(each.division[0]) || null, divisionName(each.division[1]) || null])}</div>`}`;
}

/** Who has the case, and why he keeps it, or who gets it. @param {any} each */
function owner(each) {
  if (each.keeps !== null) return `${each.officer ?? "–"} · ${word("keeps", each.keeps)}`;
  return `${each.officer ?? "–"} → ${each.officer_after ?? t("replace.toPool")}`;
}

/** Cells of the draft go to another beat: by their codes, or by a click on the map. @param {{path: string, given: () => void}} props */
function Give({ path, given }) {
  const [cells, setCells] = useState("");
  const [beat, setBeat] = useState("");
  const duty = [...new Set([...(lists.value?.categories.values() ?? [])].map((each) => each.duty_line))].sort();
  const [line, setLine] = useState(duty[0] ?? "");
  const giving = useWrite();
  const picking = asksForPlace.value !== null;
  const pick = () => {
    asksForPlace.value = picking ? null : (lon, lat) => {
      void ask(`/api/v1/cells?datum=wgs84&lon=${lon}&lat=${lat}`).then((found) => {
        setCells((before) => [...new Set([...before.split(/[\s,，]+/).filter(Boolean), found.cell])].join(" "));
      }, () => say(t("grids.noCell")));
    };
  };
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const codes = cells.split(/[\s,，]+/).filter(Boolean);
    if (await giving.send(`${path}/cells`, { duty_line: line, beat: beat.trim(), cells: codes }) === null) return;
    asksForPlace.value = null;
    say(t("grids.given", { n: codes.length, beat: beat.trim() }));
    setCells("");
    given();
  };
  return html`<form class="admin-part" onSubmit=${submit}><h4>${t("grids.give")}</h4>
    <label class="field"><span>${t("grids.giveCells")}</span><textarea id="grid-cells" rows="2" value=${cells} required onInput=${(/** @type {Event} */ event) => setCells(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value)} /></label>
    <button type="button" aria-pressed=${picking} onClick=${pick}>${t(picking ? "grids.picked" : "grids.pick")}</button>
    <div class="admin-row"><label class="field"><span>${t("grids.line")}</span><select value=${line} onChange=${(/** @type {Event} */ event) => setLine(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>${duty.map((each) => html`<option key=${each} value=${each}>${lineName(each)}</option>`)}</select></label>
      <label class="field grows"><span>${t("grids.beat")}</span><input id="grid-beat" value=${beat} required maxlength="64" onInput=${(/** @type {Event} */ event) => setBeat(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
      <button disabled=${giving.busy}>${t("grids.giveGo")}</button></div>
    <p class="wrong small" role="alert">${giving.wrong}</p></form>`;
}
