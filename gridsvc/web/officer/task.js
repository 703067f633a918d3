// One case before its officer or handler: what, how long, where, what to do next; each step kept on the phone first.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { distance, moment, named, t, word } from "../shared/language.js";
import { Mark } from "../shared/marks.js";
import { metresBetween } from "../shared/ground.js";
import { fieldsOf } from "../shared/moveform.js";
import { Refused, person } from "../shared/service.js";
import { TimeBar } from "../shared/timebar.js";
import { timeLeft } from "../shared/timeleft.js";
import { BeatMap } from "./beatmap.js";
import { Choice, boundTo } from "./conflicts.js";
import { Field } from "./fields.js";
import { foreseen } from "./foreseen.js";
import { draft as draftOf, dropDraft, putDraft } from "./keep.js";
import { enqueue } from "./outbox.js";
import { place } from "./positions.js";
import { say, told } from "./say.js";
import { askOrKept } from "./session.js";
import { go, register } from "./shell.js";
import { rules, stepsSince, waitingFor, work } from "./tasks.js";
import { visits } from "./walks.js";

/** @import { CaseDetail, MoveRule } from "../shared/types.js" */
/** @import { Draft } from "./fields.js" */

register({ path: "task", title: "task.title", page: TaskPage });

/** The way of a task; the first of them that is offered is the big button. */
const STEPS = ["answer", "respond", "check", "accept", "arrive", "start", "hand_in", "co_hand_in"];
/** Steps that say nothing beside themselves: one tap. */
const AT_ONCE = new Set(["accept", "start", "answer", "respond"]);
/** What binds to the version that was read, since no assignment stands behind it. */
const BY_VERSION = new Set(["check", "co_hand_in", "co_decline"]);

/** @param {{rest: string}} props */
function TaskPage({ rest: id }) {
  const [found, setFound] = useState(/** @type {{detail: CaseDetail, at: number, fresh: boolean} | null} */ (null));
  const [failed, setFailed] = useState("");
  const known = work.value?.cases.find((each) => each.id === id)?.version, asked = work.value?.at;
  useEffect(() => {
    let gone = false;
    setFailed("");
    askOrKept(`/api/v1/cases/${id}`).then(({ body, at, fresh }) => {
      if (!gone) setFound({ detail: body, at, fresh });
    }, (refused) => {
      if (!(refused instanceof Refused)) throw refused;
      if (!gone) setFailed(refused.status === 0 ? say("task.notKept") : say("task.gone"));
    });
    return () => { gone = true; };
  }, [id, known, asked]);
  if (found === null || found.detail.case.id !== id) return failed === "" ? html`<p role="status">${t("room.loading")}</p>` : html`<p class="empty" role="alert">${failed}</p><${Waits} id=${id} />`;
  return html`<${Card} ...${found} />`;
}

/** @param {{detail: CaseDetail, at: number, fresh: boolean}} props */
function Card({ detail, at, fresh }) {
  const of = detail.case, then = foreseen(of.state, detail.moves, stepsSince(of.id, at), rules.value);
  decade.value;
  const call = work.value?.calls.find((each) => each.case_id === of.id);
  const visit = visits.value?.list.find((each) => each.case_id === of.id);
  const check = work.value?.checks.find((each) => each.case_id === of.id);
  const running = detail.clocks.find((each) => each.kind === "handling") ?? detail.clocks[0];
  const left = timeLeft({
    state: then.state, due_at: check?.due_at ?? running?.due_at ?? of.due_at, since: check?.sent_at ?? running?.started_at ?? null, occurred_at: of.occurred_at,
    paused: of.suspended, provisional: running?.provisional ?? false,
  }, cityNow());
  return html`<article class=${`task ${of.severity}`} data-case=${of.id} data-state=${then.state}>
    <h2><${Mark} severity=${of.severity} state=${then.state} standing=${left.standing} size=${28} label=${word("severity", of.severity)} /> ${named(of.category_name, of.category_name_en)}</h2>
    <p><span class="state">${word("state", then.state)}</span> <span class="muted small">${of.number ?? ""}</span>
      ${!fresh && html` <span class="tag">${say("task.asOf", { at: moment(at) })}</span>`}</p>
    <${TimeBar} left=${left} large=${true} />
    <${Waits} id=${of.id} />
    ${visit && html`<p class="acts"><a class="button primary" href=${`#/visits/${visit.id}`}>${word("move", "visit")}</a></p>`}
    ${check && html`<p class="card">${say("task.check", { kind: told("check", check.kind ?? "") })} ${check.note}</p>`}
    <p class="words">${of.description || html`<span class="muted">${t("drawer.noWords")}</span>`}</p>
    ${detail.reports.length > 1 && html`<p class="small muted">${t("drawer.reports", { n: detail.reports.length })}</p>`}
    <${Pictures} detail=${detail} />
    <${Where} detail=${detail} />
    <${Acts} key=${of.id} detail=${detail} moves=${then.moves} call=${call?.id} />
  </article>`;
}

/** Steps that are on the phone and not with the service yet, in their order. @param {{id: string}} props */
function Waits({ id }) {
  const waits = waitingFor(id);
  if (waits.length === 0) return null;
  return html`<ol class="waits" aria-label=${say("task.waits")}>${waits.map((each) => html`<li key=${each.id} data-state=${each.state}>
    <b>${word("move", each.kind)}</b> <span class="small">${told("item", each.state)} · ${moment(each.captured_at)}${each.state === "waiting" ? ` · ${told("why", each.why.code)}` : ""}</span>
    ${(each.state === "conflict" || each.state === "refused") && html`<${Choice} item=${each} />`}</li>`)}</ol>`;
}

/** What was attached, voice notes too; what its time has taken away is told. @param {{detail: CaseDetail}} props */
function Pictures({ detail }) {
  const there = detail.photos.filter((each) => each.removed_at === null), gone = detail.photos.length - there.length;
  const pictures = there.filter((each) => each.kind === "picture"), sounds = there.filter((each) => each.kind === "sound");
  /** @param {CaseDetail["photos"][number]} each */
  const at = (each) => ({ purpose: word("purpose", each.purpose), at: moment(each.uploaded_at) });
  return html`${pictures.length > 0 && html`<div class="pictures">${pictures.map((each) => html`<a key=${each.id} href=${`/api/v1/attachments/${each.id}`} target="_blank" rel="noopener">
      <img src=${`/api/v1/attachments/${each.id}/thumb`} alt=${t("drawer.photo", at(each))} /></a>`)}</div>`}
    ${sounds.map((each) => html`<p key=${each.id} class="sound"><audio controls preload="none" src=${`/api/v1/attachments/${each.id}`} aria-label=${t("drawer.sound", at(each))}></audio>
      <span class="small">${at(each).purpose} ${at(each).at}</span></p>`)}
    ${gone > 0 && html`<p class="small muted">${say("task.removed", { n: gone })}</p>`}`;
}

/** @param {{detail: CaseDetail}} props */
function Where({ detail }) {
  const of = detail.case, here = place.value, { lon, lat } = of;
  const away = here !== null && lon !== null && lat !== null ? metresBetween(here.lon, here.lat, lon, lat) : null;
  const [shown, setShown] = useState(false);
  return html`<section class="where">
    <p>${of.address || detail.divisions.map((each) => each.name).slice(-2).join(" ")} <span class="small muted">${of.cell ? of.cell.slice(-3) : ""}${of.border ? ` · ${t("drawer.border")}` : ""}</span></p>
    ${lon === null || lat === null ? html`<p class="muted">${t("drawer.noPlace")}</p>` : html`<div class="acts">
      <a class="button" href=${`geo:${lat.toFixed(6)},${lon.toFixed(6)}?q=${lat.toFixed(6)},${lon.toFixed(6)}`}>${say("task.navigate")}${away === null ? "" : ` · ${distance(away)}`}</a>
      <button aria-expanded=${shown} onClick=${() => setShown(!shown)}>${say("task.map")}</button></div>`}
    ${shown && lon !== null && lat !== null && html`<${BeatMap} at=${{ lon, lat }} />`}
  </section>`;
}

/** @param {{detail: CaseDetail, moves: string[], call: string | undefined}} props */
function Acts({ detail, moves, call }) {
  const [chosen, setChosen] = useState("");
  const [more, setMore] = useState(false);
  const offered = moves.filter((each) => rules.value.has(each));
  if (chosen !== "" && offered.includes(chosen)) {
    return html`<${Form} key=${chosen} detail=${detail} rule=${/** @type {MoveRule} */ (rules.value.get(chosen))} call=${call} done=${() => setChosen("")} />`;
  }
  if (offered.length === 0) return html`<p class="muted small">${t("moves.none")}</p>`;
  const steps = STEPS.filter((each) => offered.includes(each)), rest = offered.filter((each) => !STEPS.includes(each));
  /** @param {string} move */
  const press = (move) => (AT_ONCE.has(move) ? void send(detail, move, {}, [], call) : setChosen(move));
  return html`<div class="steps" role="group" aria-label=${t("moves.title")}>
    ${steps.map((each, n) => html`<button key=${each} class=${n === 0 ? "primary" : ""} data-move=${each} onClick=${() => press(each)}>${word("move", each)}</button>`)}
    ${(more ? rest : []).map((each) => html`<button key=${each} data-move=${each} onClick=${() => press(each)}>${word("move", each)}</button>`)}
    ${rest.length > 0 && html`<button class="quiet" data-more aria-expanded=${more} onClick=${() => setMore(!more)}>${t(more ? "moves.fewer" : "moves.more", { n: rest.length })}</button>`}
  </div>`;
}

/**
 * Keep a step; it goes as soon as it can, in the order in which it was made.
 * @param {CaseDetail} detail @param {string} move @param {Record<string, unknown>} body
 * @param {{photo: string, into: string}[]} photos @param {string | undefined} call @param {string} [draft]
 */
export async function send(detail, move, body, photos, call, draft) {
  const of = detail.case;
  const bound = ["answer", "respond", "decline"].includes(move) && call !== undefined ? `c:${call}` : BY_VERSION.has(move) ? String(of.version) : boundTo(detail);
  await enqueue({
    kind: move, method: "POST", path: `/api/v1/cases/${of.id}/${move}`, body, photos, if_match: bound,
    about: { case: of.id, says: `${of.category_name} ${of.number ?? ""}`, says_en: `${of.category_name_en} ${of.number ?? ""}` }, ...(draft === undefined ? {} : { draft }),
  });
}

/** @type {Draft} */
const EMPTY = { values: {}, photos: [], fix: null };

/** @param {{detail: CaseDetail, rule: MoveRule, call: string | undefined, done: () => void}} props */
function Form({ detail, rule, call, done }) {
  const { move } = rule, name = `${move}.${detail.case.id}`, by = person.value?.id ?? "";
  const [draft, setDraft] = useState(/** @type {Draft | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const top = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(() => top.current?.scrollIntoView({ block: "start" }), [draft === null]);
  useEffect(() => void draftOf(name, by).then((kept) => setDraft({ ...EMPTY, ...kept, fix: null })), [name]);
  if (draft === null) return null;
  /** @param {Partial<Draft>} change */
  const write = (change) => alter((before) => ({ ...before, ...change }));
  /** @param {(before: Draft) => Draft} does */
  const alter = (does) => setDraft((before) => {
    const next = does(before ?? EMPTY);
    void putDraft(name, by, next);
    return next;
  });
  // Why there is no place is asked only where there is none.
  const fields = fieldsOf(rule).filter((each) => each.name !== "no_fix" || draft.fix === null)
    .sort((one, other) => Number(other.name === "before") - Number(one.name === "before")); // as it was comes first
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    /** @type {Record<string, unknown>} */
    const body = Object.fromEntries(Object.entries(draft.values).map(([key, value]) => [key, value.trim()]).filter(([, value]) => value !== ""));
    if (fields.some((each) => each.name === "location") && body["no_fix"] === undefined) {
      if (draft.fix === null) return void setWrong(say("here.none"));
      const { lon, lat, accuracy_m, at, mocked } = draft.fix;
      body["location"] = { lon, lat, datum: "wgs84", accuracy_m, taken_at: new Date(at).toISOString(), ...(mocked ? { mocked } : {}) };
    }
    setBusy(true);
    await send(detail, move, body, draft.photos, call, name);
    done();
    if (move === "return" || move === "hand_in" || move === "check") go("");
  };
  const away = () => {
    void dropDraft(name);
    done();
  };
  return html`<form class="move-form" ref=${top} onSubmit=${submit}>
    <h3>${word("move", move)}</h3>
    <p class="small muted">${word("does", move)}</p>
    ${fields.map((each) => html`<${Field} key=${each.name} ...${each} rule=${rule} detail=${detail} draft=${draft} write=${write}
      photos=${(/** @type {(taken: Draft["photos"]) => Draft["photos"]} */ does) => alter((before) => ({ ...before, photos: does(before.photos) }))} />`)}
    <p class="wrong" role="alert">${wrong}</p>
    <div class="acts"><button class="primary" disabled=${busy}>${t("moves.go", { move: word("move", move) })}</button><button type="button" onClick=${away}>${t("moves.cancel")}</button></div>
  </form>`;
}
