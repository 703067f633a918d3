// The drawer: what and how long; evidence; where; who and why; duplicates; moves; history; clocks explained.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { metresBetween } from "../shared/ground.js";
import { count, distance, lasting, moment, named, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { Refused, ask, askAll } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { briefOf, departmentName, officerOf, officers } from "./city.js";
import { Moves } from "./moves.js";
import { Near } from "./near.js";
import { chosenComponent } from "./component.js";
import { close, goal, leftOf, mapFirst, narrow, open, panel } from "./view.js";
import { CasePictures, CellCameras } from "./watching.js";

/** @import { Attachment, Brief, CaseDetail, Clock, HistoryRow, Routed } from "../shared/types.js" */

/** @typedef {{detail: CaseDetail, history: HistoryRow[], clocks: Clock[], routing: {items: Routed[], pooled: {at: string, why: string}[]}}} Whole */

/**
 * All of a case; again whenever the live feed has a newer version of it.
 * @param {string} id
 */
function useCase(id) {
  const [whole, setWhole] = useState(/** @type {Whole | null} */ (null));
  const [failed, setFailed] = useState("");
  const [tries, setTries] = useState(0);
  const wanted = briefOf(id)?.version ?? 0;
  useEffect(() => {
    const stop = new AbortController();
    setFailed("");
    Promise.all([
      ask(`/api/v1/cases/${id}`, stop.signal),
      askAll(`/api/v1/cases/${id}/history?limit=500`),
      ask(`/api/v1/cases/${id}/clocks`, stop.signal),
      ask(`/api/v1/cases/${id}/routing`, stop.signal),
    ]).then(
      ([detail, history, clocks, routing]) => {
        if (!stop.signal.aborted) setWhole({ detail, history, clocks: clocks.items, routing });
      },
      (refused) => {
        if (!stop.signal.aborted) setFailed(refused instanceof Refused ? refused.code : String(refused));
      },
    );
    return () => stop.abort();
  }, [id, wanted, tries]);
  return { whole, failed, again: () => setTries((n) => n + 1) };
}

/** @param {{id: string}} props */
export function Drawer({ id }) {
  const { whole, failed, again } = useCase(id);
  const brief = briefOf(id);
  const head = useRef(/** @type {HTMLElement | null} */ (null));
  const before = useRef(/** @type {Element | null} */ (null));
  decade.value;
  // Who opens it by the keyboard goes on in it, and is back in the list when it closes.
  useEffect(() => {
    before.current = document.activeElement;
    if (before.current instanceof HTMLElement && before.current.id === "list") head.current?.focus();
    return () => { if (before.current instanceof HTMLElement) before.current.focus(); };
  }, []);
  return html`<aside class="drawer" aria-label=${t("drawer.title")} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
  }}>
    <header class="drawer-head" tabindex="-1" ref=${head}>
      ${whole ? html`<${Head} brief=${brief} detail=${whole.detail} />` : html`<h2>${brief?.number ?? t("drawer.title")}</h2>`}
      <button class="quiet icon-button" onClick=${close} aria-label=${t("drawer.close")} title=${t("drawer.close")}>×</button>
    </header>
    ${failed === "unknown" || (failed !== "" && whole === null) ? html`<div class="empty" role="alert"><p>${t(failed === "unknown" ? "drawer.gone" : "trouble.other")}</p>
        <button onClick=${again}>${t("trouble.again")}</button><p class="small muted">${failed}</p></div>`
      : whole === null ? html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /><div class="skeleton-row" /></div>`
        : html`${failed !== "" && html`<p class="wrong small pad" role="alert">${t("trouble.other")} (${failed}) <button class="quiet" onClick=${again}>${t("trouble.again")}</button></p>`}
          <div class="drawer-body" tabindex="0" role="group" aria-label=${t("drawer.facts")}>
            <${Doubted} detail=${whole.detail} />
            <${Evidence} detail=${whole.detail} />
            <${Where} detail=${whole.detail} />
            <${WhoAndWhy} whole=${whole} />
            <${Alike} detail=${whole.detail} />
            <${History} rows=${whole.history} />
            <${Clocks} clocks=${whole.clocks} />
          </div>
          <${Moves} detail=${whole.detail} history=${whole.history} again=${again} />`}
  </aside>`;
}

/** @param {{brief: Brief | null, detail: CaseDetail}} props */
function Head({ brief, detail }) {
  const of = detail.case;
  const handling = detail.clocks.find((each) => each.kind === "handling");
  const running = handling ?? detail.clocks[0];
  const left = brief !== null && handling === undefined && running === undefined ? leftOf(brief) : timeLeft({
    state: of.state, due_at: running?.due_at ?? of.due_at, since: running?.started_at ?? null, occurred_at: of.occurred_at,
    paused: of.suspended, provisional: running?.provisional ?? false,
  }, cityNow());
  return html`<div class="drawer-title">
    <h2><${Mark} severity=${of.severity} state=${of.state} standing=${left.standing} size=${26} label=${word("severity", of.severity)} />
      <span>${named(of.category_name, of.category_name_en)}</span></h2>
    <p class="muted"><span class="state">${word("state", of.state)}${of.pool ? ` · ${word("pool", of.pool)}` : ""}${of.suspended ? ` · ${t("time.paused")}` : ""}</span>
      <span class="number">${of.number ?? detail.reports[0]?.acceptance_number ?? ""}</span></p>
    <${TimeBar} left=${left} large=${true} />
    ${running && html`<p class="small muted">${t("drawer.limitOf", { clock: word("clock", running.kind), due: moment(running.due_at) })}</p>`}
  </div>`;
}

/** What a desk should look at twice before it believes a move; nothing where nothing is doubted. @param {{detail: CaseDetail}} props */
function Doubted({ detail }) {
  if (detail.doubted.length === 0) return null;
  return html`<section class="doubted">
    <h3>⚠ ${t("drawer.doubted")}</h3>
    <ul class="near">${detail.doubted.map((each) => html`<li key=${each.version}>
      <span><b>${word("move", each.move)}</b> <span class="muted">${moment(each.at)}</span><br />${each.doubts.map((doubt) => word("doubt", doubt)).join(" · ")}</span></li>`)}</ul>
  </section>`;
}

/** @param {{detail: CaseDetail}} props */
function Evidence({ detail }) {
  const of = detail.case, attributes = Object.entries(of.attributes);
  return html`<section>
    <h3>${t("drawer.what")}</h3>
    <p class="words">${of.description || html`<span class="muted">${t("drawer.noWords")}</span>`}</p>
    ${attributes.length > 0 && html`<dl class="facts">${attributes.map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>`}
    <p class="small muted">${word("source", of.source)} · ${moment(of.occurred_at)} · ${t("drawer.reports", { n: detail.reports.length })}${of.exercise ? ` · ${t("case.exercise")}` : ""}</p>
    ${detail.photos.length > 0 && html`<div class="photos">${detail.photos.map((each) => html`<${Attached} key=${each.id} each=${each} />`)}</div>`}
    <${CasePictures} of=${of} />
  </section>`;
}

/** A photograph, a voice note, or that its time is over; and what it served before. @param {{each: Attachment}} props */
function Attached({ each }) {
  const at = { purpose: word("purpose", each.purpose), at: moment(each.uploaded_at) };
  const from = `/api/v1/attachments/${each.id}`;
  const label = html`<span class="small">${at.purpose} ${at.at}</span>`;
  const before = each.used_before.map((twin, n) => html`<span key=${n} class="small used-before">⚠ ${twin.case === null
    ? t("drawer.usedElsewhere")
    : html`<button class="quiet" onClick=${() => twin.case && open(twin.case)}>${t("drawer.usedBefore")}</button>`}</span>`);
  if (each.removed_at !== null) return html`<div class="muted">${t("drawer.removed", { at: moment(each.removed_at) })} ${label}</div>`;
  if (each.kind === "sound") return html`<div><audio controls preload="none" src=${from} aria-label=${t("drawer.sound", at)}></audio>${label}</div>`;
  return html`<div><a href=${from} target="_blank" rel="noopener">
    <img src=${`${from}/thumb`} loading="lazy" alt=${t("drawer.photo", at)} />${label}</a>${before}</div>`;
}

/** @param {{detail: CaseDetail}} props */
function Where({ detail }) {
  const of = detail.case;
  const { lon, lat } = of;
  return html`<section>
    <h3>${t("drawer.where")}</h3>
    ${lon === null || lat === null ? html`<p class="muted">${t("drawer.noPlace")}</p>` : ""}
    <dl class="facts">
      ${of.address && html`<dt>${t("drawer.address")}</dt><dd>${of.address}</dd>`}
      <dt>${t("drawer.divisions")}</dt><dd>${detail.divisions.map((each) => each.name).join(" ▸ ") || "–"}</dd>
      ${of.cell && html`<dt>${t("drawer.cell")}</dt><dd>${of.cell}${of.border ? html` <span class="tag">${t("drawer.border")}</span>` : ""}
        <button class="quiet" onClick=${() => { narrow({ cell: of.cell ?? "" }); panel.value = "cases"; mapFirst.value = false; }}>${t("drawer.ofCell")}</button></dd>`}
      ${of.beat && html`<dt>${t("drawer.beat")}</dt><dd>${of.beat}</dd>`}
      ${of.component && html`<dt>${t("drawer.component")}</dt><dd><button class="link number" onClick=${() => { chosenComponent.value = of.component ?? ""; }}>${of.component}</button></dd>`}
      ${lon !== null && lat !== null && html`<dt>${t("drawer.place")}</dt><dd>${lat.toFixed(5)}, ${lon.toFixed(5)} <button class="quiet" onClick=${() => { goal.value = { lon, lat, always: true }; }}>${t("list.toMap")}</button></dd>`}
    </dl>
    <${Near} of=${of} />
    <${CellCameras} of=${of} />
  </section>`;
}

/** Officers on duty whose place is known, the nearest first. @param {{lon: number | null, lat: number | null}} of */
export function nearest(of) {
  const { lon, lat } = of;
  if (lon === null || lat === null) return [];
  return officers.value.filter((each) => each.on_duty && each.lon !== null && each.lat !== null)
    .map((officer) => ({ officer, metres: metresBetween(lon, lat, officer.lon ?? 0, officer.lat ?? 0) }))
    .sort((one, other) => one.metres - other.metres);
}

/** @param {{whole: Whole}} props */
function WhoAndWhy({ whole }) {
  const { detail, routing } = whole, of = detail.case;
  const owner = of.officer ? (officerOf(of.officer)?.name ?? of.officer) : departmentName(of.department);
  const last = routing.items.at(-1), pooled = routing.pooled.at(-1);
  return html`<section>
    <h3>${t("drawer.who")}</h3>
    <p>${owner ? html`<b>${owner}</b>` : html`<span class="muted">${t("drawer.nobody")}</span>`}${of.held_by ? ` · ${t("drawer.heldBy", { division: of.held_by })}` : ""}</p>
    ${last && owner && html`<p class="small">${t("drawer.byRule", { rule: named(last.rule_name ?? last.rule, last.rule_name_en ?? undefined), edition: last.edition })}</p>`}
    ${last && owner && html`<${Candidates} reasons=${last.reasons} chosen=${last.officer} />`}
    ${!owner && pooled && html`<p class="small">${t("drawer.pooled", { why: word("pooled", pooled.why), at: moment(pooled.at) })}</p>`}
    ${detail.parts.map((each) => html`<p key=${each.department} class="small">${t("drawer.part", { department: departmentName(each.department), wanted: each.wanted })}${each.ended_at ? " ✓" : ""}</p>`)}
  </section>`;
}

/** Who was weighed against whom. @param {{reasons: Record<string, unknown>, chosen: string | null}} props */
function Candidates({ reasons, chosen }) {
  const weighed = /** @type {{officer: string, distance_m?: number | null, open_cases?: number, load?: number, why_not?: string | null}[]} */ (reasons["candidates"] ?? []);
  if (!Array.isArray(weighed) || weighed.length === 0) return null;
  return html`<ul class="near">${weighed.slice(0, 5).map((each) => html`<li key=${each.officer}>
    <span>${each.officer === chosen ? "▸ " : ""}${officerOf(each.officer)?.name ?? each.officer}</span>
    <span class="muted">${[typeof each.distance_m === "number" ? distance(each.distance_m) : null, each.open_cases === undefined ? null : t("officer.cases", { n: each.open_cases })].filter(Boolean).join(" · ")}</span>
  </li>`)}</ul>`;
}

/** @param {{detail: CaseDetail}} props */
function Alike({ detail }) {
  if (detail.duplicates.length === 0) return null;
  return html`<section>
    <h3>${t("drawer.alike")}</h3>
    <ul class="near">${detail.duplicates.map((each) => html`<li key=${each.id}><button class="quiet" onClick=${() => open(each.id)}>${each.number ?? t("case.unnumbered")}</button>
      <span class="muted">${word("state", each.state)} · ${distance(each.distance_m)}</span></li>`)}</ul>
  </section>`;
}

/** @param {{rows: HistoryRow[]}} props */
function History({ rows }) {
  return html`<section>
    <h3>${t("drawer.history")}</h3>
    <ol class="history">${[...rows].reverse().map((each) => html`<li key=${each.version}>
      <span class="history-at">${moment(each.at)}</span>
      <span><b>${word("move", each.move)}</b> ${who(each)}${each.from_state !== each.to_state ? html` <span class="muted">→ ${word("state", each.to_state)}</span>` : ""}
        ${said(each) && html`<br /><span class="words">${said(each)}</span>`}</span>
    </li>`)}</ol>
  </section>`;
}

/** Who made it: a person, a program or the city itself. @param {HistoryRow} row */
export function who(row) {
  if (row.actor_name) return row.actor_name;
  const [kind, name] = row.actor.split(":");
  return kind === "worker" ? t("history.worker") : kind === "key" ? t("history.program") : (name ?? row.actor);
}

/** @param {HistoryRow} row */
function said(row) {
  return ["reason", "note", "reply", "wanted"].map((name) => row.facts[name]).filter((each) => typeof each === "string" && each !== "").join(" · ");
}

/** @param {{clocks: Clock[]}} props */
function Clocks({ clocks }) {
  if (clocks.length === 0) return null;
  return html`<section>
    <h3>${t("drawer.clocks")}</h3>
    ${[...clocks].reverse().map((each) => html`<details key=${each.id} class="clock">
      <summary><b>${word("clock", each.kind)}</b> <span class="muted">${t("clock.used", { used: lasting(each.used_s * 1000), budget: lasting(each.budget_s * 1000) })} · ${word("clockState", each.state)}</span></summary>
      <p class="small muted">${t("clock.due", { due: moment(each.due_at) })}${each.calendar ? ` · ${t("clock.calendar", { name: each.calendar, edition: each.calendar_edition ?? "" })}` : ""}${each.provisional ? ` · ${t("clock.provisional")}` : ""}</p>
      <ul class="intervals">${each.intervals.slice(-12).map((span) => html`<li key=${span.start} class=${span.counted ? "counted" : "not"}>
        <span>${moment(span.start)} – ${moment(span.end)}</span><span>${lasting(span.seconds * 1000)} · ${word("why", span.why)}${span.name ? ` (${word("reason", span.name)})` : ""}</span></li>`)}</ul>
      ${each.fired.map((rung) => html`<p key=${rung.level} class="small">▲ ${t("clock.rung", { level: count(rung.level), at: moment(rung.fired_at), effect: word("effect", rung.effect) })}</p>`)}
    </details>`)}
  </section>`;
}

