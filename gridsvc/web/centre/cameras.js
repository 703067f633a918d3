// Cameras and their health, in step with the map: who is silent, who is to be trusted, who is muted or storms; silences;
// and the words of devices that nobody has given a meaning yet.
import { html, signal, useEffect, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { count, lasting, moment, named, share, t, word } from "../shared/language.js";
import { Refused, ask, askAll, write } from "../shared/service.js";
import { cameras, lists } from "./city.js";
import { isDown } from "./figures.js";
import { sentence } from "./moves.js";
import { Picture } from "./picture.js";
import { categoryOf } from "./review.js";
import { ADMINS, DESK, RULERS, holds } from "./roles.js";
import { say } from "./said.js";
import { NOTHING, sight } from "./sight.js";
import { SilenceForm, Silences } from "./silences.js";
import { loadStandings, muted, precisionOf, standings, standingsFailed, storming, urgency } from "./standings.js";
import { chosenCamera, goal, onlyDown } from "./view.js";

/** @import { Camera, CameraDetail, CameraPicture, Kind, Unmapped } from "../shared/types.js" */

/** @typedef {"all" | "storms" | "muted" | "silences" | "words"} Shelf */
const SHELVES = /** @type {const} */ (["all", "storms", "muted", "silences", "words"]);
const AGAIN_MS = 20_000;

const shelf = signal(/** @type {Shelf} */ ("all"));

export function Cameras() {
  useEffect(() => {
    if (!holds(DESK)) return undefined;
    void loadStandings();
    const again = setInterval(() => void loadStandings(), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  const chosen = chosenCamera.value, is = shelf.value;
  if (chosen !== "") return html`<${One} key=${chosen} code=${chosen} />`;
  const counts = { all: cameras.value.length, storms: storming.value.length, muted: muted.value.length, silences: null, words: null };
  return html`
    <header class="panel-head"><h2>${t("panel.cameras")} <span class="panel-count">${count(cameras.value.length)}</span></h2>
      ${is === "all" && html`<label class="box"><input type="checkbox" checked=${onlyDown.value} onChange=${() => { onlyDown.value = !onlyDown.peek(); }} />${t("figure.camerasDown")}</label>`}
    </header>
    ${holds(DESK) && html`<div class="shelves" role="group" aria-label=${t("cameras.shelves")}>
      ${SHELVES.map((each) => html`<button key=${each} class="quiet" aria-pressed=${is === each} onClick=${() => { shelf.value = each; }}>${t(`cameras.${each}`)}
        ${(each === "storms" || each === "muted") && counts[each] > 0 && html`<span class="badge-flat">${count(counts[each])}</span>`}</button>`)}
    </div>`}
    ${standingsFailed.value !== "" && html`<p class="wrong small" role="alert">${t("trouble.other")} (${standingsFailed.value})</p>`}
    ${is === "all" ? html`<${All} />` : is === "storms" ? html`<${Storms} />` : is === "muted" ? html`<${Muted} />` : is === "silences" ? html`<${Silences} />` : html`<${Words} />`}`;
}

function All() {
  decade.value;
  const all = cameras.value;
  const rows = all.filter((each) => !onlyDown.value || isDown(each)).map((each) => ({ each, first: urgency(each) }))
    .sort((one, other) => one.first - other.first || (one.each.code < other.each.code ? -1 : 1));
  if (rows.length === 0) return html`<div class="empty"><p>${t(all.length === 0 ? "empty.cameras" : "empty.camerasDown")}</p></div>`;
  return html`<ul class="plain-list">${rows.map(({ each }) => html`<${Row} key=${each.code} camera=${each} />`)}</ul>`;
}

/** @param {{camera: Camera}} props */
function Row({ camera }) {
  const standing = standings.value?.get(camera.code), trusted = precisionOf(standing);
  const mutes = standing?.kinds.filter((each) => each.mute !== null).length ?? 0;
  const since = standing?.offline_since;
  return html`<li class="plain-row" data-camera=${camera.code}>
    <span class=${`duty ${isDown(camera) ? "down" : camera.state === "online" ? "on" : "off"}`} aria-hidden="true" />
    <span class="plain-main"><button class="link" onClick=${() => { chosenCamera.value = camera.code; }}>${camera.name}</button>
      <span class="muted">${[
        word("camera", camera.state), isDown(camera) && since ? t("cameras.since", { span: lasting(cityNow() - Date.parse(since)) }) : camera.heard_at ? t("officer.seen", { at: moment(camera.heard_at) }) : null,
        trusted === null ? null : t("cameras.trusted", { share: share(trusted) }),
      ].filter(Boolean).join(" · ")}</span></span>
    ${standing?.over != null && html`<span class="tag loud">${t("cameras.storming")}</span>`}
    ${mutes > 0 && html`<span class="tag">${t("cameras.mutedKinds", { n: mutes })}</span>`}
    <button class="quiet" onClick=${() => { goal.value = { lon: camera.lon, lat: camera.lat, always: true }; }}>${t("list.toMap")}</button>
  </li>`;
}

/** @param {string} code */
const nameOf = (code) => cameras.value.find((each) => each.code === code)?.name ?? code;

function Storms() {
  if (storming.value.length === 0) return html`<div class="empty"><p>${t("empty.storms")}</p></div>`;
  return html`<ul class="plain-list">${storming.value.map((each) => html`<li key=${each.camera} class="plain-row">
    <span class="plain-main"><button class="link" onClick=${() => { chosenCamera.value = each.camera; }}>${nameOf(each.camera)}</button>
      <span class="muted">${t("cameras.over", { n: count(each.over ?? 0) })}</span></span></li>`)}</ul>`;
}

function Muted() {
  if (muted.value.length === 0) return html`<div class="empty"><p>${t("empty.muted")}</p></div>`;
  return html`<ul class="plain-list">${muted.value.map(({ standing, kind }) => html`<li key=${kind.mute} class="plain-row">
    <span class="plain-main"><button class="link" onClick=${() => { chosenCamera.value = standing.camera; }}>${nameOf(standing.camera)}</button>
      <span class="muted">${kindLine(kind)}</span></span><${Lift} kind=${kind} /></li>`)}</ul>`;
}

/** @param {Kind} kind */
function kindLine(kind) {
  return [
    word("seen", kind.kind), kind.precision === null ? null : t("cameras.judged", { share: share(kind.precision), n: count(kind.seen_real + kind.seen_false) }),
    kind.muted_at ? t("cameras.mutedSince", { at: moment(kind.muted_at) }) : null,
  ].filter(Boolean).join(" · ");
}

/** Let a kind be heard again. @param {{kind: Kind}} props */
function Lift({ kind }) {
  const [busy, setBusy] = useState(false);
  if (kind.mute === null || !holds(RULERS)) return null;
  const lift = async () => {
    setBusy(true);
    try {
      await write("POST", `/api/v1/camera-mutes/${kind.mute}/lift`, {});
      say(t("cameras.lifted", { kind: word("seen", kind.kind) }));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      say(refused.code === "wrong_moment" ? t("cameras.liftedAlready") : sentence(refused));
    }
    await loadStandings();
    setBusy(false);
  };
  return html`<button disabled=${busy} onClick=${() => void lift()} title=${t("cameras.liftDoes")}>${t("cameras.lift")}</button>`;
}

/** All of one camera, beside the map that shows what it sees. @param {{code: string}} props */
function One({ code }) {
  const [detail, setDetail] = useState(/** @type {CameraDetail | null} */ (null));
  const [last, setLast] = useState(/** @type {{picture: CameraPicture | null} | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [silencing, setSilencing] = useState(false);
  decade.value;
  useEffect(() => {
    const stop = new AbortController();
    const path = `/api/v1/cameras/${encodeURIComponent(code)}`;
    ask(path, stop.signal).then((found) => {
      setDetail(found);
      const spot = { lon: found.camera.lon, lat: found.camera.lat };
      sight.value = { ...NOTHING, view: found.field_of_view };
      goal.value = { ...spot, always: true };
    }, (refused) => { if (refused instanceof Refused) setWrong(refused.code); });
    if (holds(DESK)) ask(`${path}/picture`, stop.signal).then(setLast, () => undefined); // the rest of it is worth seeing without
    return () => {
      stop.abort();
      sight.value = NOTHING;
    };
  }, [code]);
  const live = cameras.value.find((each) => each.code === code), standing = standings.value?.get(code);
  const since = standing?.offline_since ?? null, trusted = precisionOf(standing);
  return html`
    <header class="panel-head"><button class="quiet icon-button" onClick=${() => { chosenCamera.value = ""; }} aria-label=${t("cameras.back")} title=${t("cameras.back")}>←</button>
      <h2>${live?.name ?? detail?.camera.name ?? code}</h2></header>
    <div class="panel-body" tabindex="0" role="group" aria-label=${t("cameras.one")}>
      ${wrong !== "" && html`<p class="wrong" role="alert">${t(wrong === "unknown" ? "cameras.gone" : "trouble.other")}</p>`}
      <${Picture} pictures=${last?.picture ? [last.picture] : []} none=${t("picture.noneOfCamera")} />
      <dl class="facts">
        <dt>${t("filter.state")}</dt><dd>${live ? word("camera", live.state) : ""}${since ? ` · ${t("cameras.since", { span: lasting(cityNow() - Date.parse(since)) })}` : ""}</dd>
        <dt>${t("cameras.heard")}</dt><dd>${standing?.heard_at ?? live?.heard_at ? moment(standing?.heard_at ?? live?.heard_at ?? "") : "–"}</dd>
        <dt>${t("cameras.code")}</dt><dd class="number">${code}</dd>
        ${detail && html`<dt>${t("cameras.device")}</dt><dd>${[detail.camera.protocol, detail.camera.vendor, detail.camera.model].filter(Boolean).join(" · ")}</dd>
          <dt>${t("cameras.looks")}</dt><dd>${t("cameras.look", { bearing: count(Math.round(detail.camera.bearing_deg)), field: count(Math.round(detail.camera.field_deg)), far: count(Math.round(detail.camera.far_m)) })}</dd>
          <dt>${t("cameras.cells")}</dt><dd>${[...new Set(detail.cells.map((each) => each.cell))].join(" · ") || "–"}</dd>`}
      </dl>
      ${standing?.over != null && html`<p class="wrong">${t("cameras.storming")}: ${t("cameras.over", { n: count(standing.over) })}</p>`}
      <h3>${t("cameras.trust")}${trusted === null ? "" : ` · ${share(trusted)}`}</h3>
      ${(standing?.kinds.length ?? 0) === 0 ? html`<p class="muted small">${t("cameras.notJudged")}</p>` : html`<ul class="near">
        ${standing?.kinds.map((each) => html`<li key=${each.kind}><span>${kindLine(each)}</span><${Lift} kind=${each} /></li>`)}</ul>`}
      ${detail && html`<h3>${t("cameras.means")}</h3>
        ${detail.labels.length === 0 ? html`<p class="muted small">${t("cameras.meansNothing")}</p>` : html`<ul class="near">${detail.labels.map((each) => html`<li key=${each.id}>
          <span>${word("seen", each.kind)}</span><span class="muted">${[each.category ? categoryOf(each.category) : null, word("labelMode", each.mode)].filter(Boolean).join(" · ")}</span></li>`)}</ul>`}`}
      ${holds(RULERS) && (silencing ? html`<${SilenceForm} camera=${code} done=${() => setSilencing(false)} />`
        : html`<button onClick=${() => setSilencing(true)}>${t("silence.make")}</button>`)}
    </div>`;
}

/** Words of devices that stand in no label map: each is a task of an administrator. */
function Words() {
  const [rows, setRows] = useState(/** @type {Unmapped[] | null} */ (null));
  const [wrong, setWrong] = useState("");
  const [chosen, setChosen] = useState("");
  const load = () => askAll("/api/v1/unmapped-labels").then(setRows, (refused) => { if (refused instanceof Refused) setWrong(refused.code); });
  useEffect(() => { void load(); }, []);
  if (wrong !== "") return html`<div class="empty" role="alert"><p>${t("trouble.other")}</p><p class="small">${wrong}</p></div>`;
  if (rows === null) return html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /></div>`;
  if (rows.length === 0) return html`<div class="empty"><p>${t("empty.words")}</p></div>`;
  const may = holds(ADMINS);
  return html`${!may && html`<p class="small muted pad">${t("words.admins")}</p>`}<ul class="plain-list">
    ${rows.map((each) => {
      const key = [each.camera, each.kind, each.zone, each.target].join("\n");
      return html`<li key=${key} class="plain-row wraps"><span class="plain-main"><b>${[each.kind, each.zone, each.target].filter(Boolean).join(" · ")}</b>
          <span class="muted">${each.camera_name} · ${each.protocol} · ${t("words.came", { n: count(each.count), at: moment(each.last_at) })}</span></span>
        ${may && chosen !== key && html`<button onClick=${() => setChosen(key)}>${t("words.give")}</button>`}
        ${chosen === key && html`<${Meaning} of=${each} done=${(/** @type {boolean} */ written) => { setChosen(""); if (written) void load(); }} />`}</li>`;
    })}</ul>`;
}

/** What a word means from now on. @param {{of: Unmapped, done: (written: boolean) => void}} props */
function Meaning({ of, done }) {
  const [wrong, setWrong] = useState("");
  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const whole = form.get("for") === "protocol";
    try {
      const written = await write("POST", "/api/v1/camera-labels", {
        kind: of.kind, ...(whole ? { protocol: of.protocol } : { camera: of.camera }), ...(of.zone ? { zone: of.zone } : {}), ...(of.target ? { target: of.target } : {}),
        category: String(form.get("category") ?? ""), mode: String(form.get("mode")),
      });
      say(t("words.written", { n: written.settled }));
      done(true);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    }
  };
  return html`<form class="move-form" onSubmit=${submit}>
    <label class="field"><span>${t("field.category")}</span><select name="category"><option value="">${t("field.choose")}</option>
      ${[...(lists.value?.categories.entries() ?? [])].map(([ref, each]) => html`<option key=${ref} value=${ref}>${each.code} ${named(each.name, each.name_en)}</option>`)}</select></label>
    <label class="field"><span>${t("words.mode")}</span><select name="mode">${["review", "automatic", "off"].map((each) => html`<option key=${each} value=${each}>${word("labelMode", each)}</option>`)}</select></label>
    <label class="field"><span>${t("words.for")}</span><select name="for"><option value="camera">${of.camera_name}</option><option value="protocol">${t("words.allOf", { protocol: of.protocol })}</option></select></label>
    <p class="wrong" role="alert">${wrong}</p>
    <div class="move-buttons"><button class="primary">${t("words.save")}</button><button type="button" onClick=${() => done(false)}>${t("moves.cancel")}</button></div>
  </form>`;
}
