// What cameras show of a case: the pictures that are its evidence, and cameras that see its cell, with the newest picture of
// each; who may look takes one now, and says why.
import { html, useEffect, useState } from "../shared/screen.js";
import { moment, t, word } from "../shared/language.js";
import { Refused, ask, write } from "../shared/service.js";
import { sentence } from "./moves.js";
import { Picture } from "./picture.js";
import { DESK, LOOKERS, holds } from "./roles.js";
import { chosenCamera, mapFirst, panel } from "./view.js";

/** @import { CameraPicture, Case, Watching } from "../shared/types.js" */

const MOST = 3; // of a crossing that ten cameras see these show most of it
const LIVE = new Set(["online", "never"]);

/** Pictures of cameras that are evidence of this case. @param {{of: Case}} props */
export function CasePictures({ of }) {
  const [rows, setRows] = useState(/** @type {CameraPicture[]} */ ([]));
  const may = holds(DESK);
  useEffect(() => {
    if (!may) return undefined;
    const stop = new AbortController();
    ask(`/api/v1/cases/${of.id}/camera-pictures?limit=12`, stop.signal).then((page) => setRows(page.items), (failed) => {
      if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // the case is whole without them
    });
    return () => stop.abort();
  }, [of.id, of.version, may]);
  const kept = rows.filter((each) => each.image !== null && each.thumb !== null), waits = rows.some((each) => each.state === "waiting");
  if (kept.length === 0) return waits ? html`<${Picture} pictures=${rows} none="" />` : null;
  return html`<h4>${t("watching.evidence")}</h4><div class="photos">${kept.map((each) => html`<a key=${each.id} href=${each.image} target="_blank" rel="noopener">
    <img src=${each.thumb} loading="lazy" alt=${t("picture.of", { at: moment(each.received_at) })} /><span class="small">${moment(each.received_at)}</span></a>`)}</div>`;
}

/** Cameras that see the cell of this case. @param {{of: Case}} props */
export function CellCameras({ of }) {
  const [rows, setRows] = useState(/** @type {Watching[] | null} */ (null));
  const may = of.cell !== null && holds(DESK);
  useEffect(() => {
    if (!may) return undefined;
    const stop = new AbortController();
    ask(`/api/v1/cells/${of.cell}/cameras`, stop.signal).then((page) => setRows(page.items), (failed) => {
      if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // a cell of a set that is no more is seen by none
    });
    return () => stop.abort();
  }, [of.cell, may]);
  if (!may || rows === null) return null;
  const first = new Map(rows.map((each) => [each.camera, rows.find((other) => other.camera === each.camera) ?? each]));
  if (first.size === 0) return html`<h4>${t("watching.title")}</h4><p class="small muted">${t("watching.none")}</p>`;
  return html`<h4>${t("watching.title")}</h4>
    <ul class="watching">${[...first.values()].slice(0, MOST).map((each) => html`<${One} key=${each.camera} camera=${each} of=${of} />`)}</ul>
    ${first.size > MOST && html`<p class="small muted">${t("watching.more", { n: first.size - MOST })}</p>`}`;
}

/** @param {{camera: Watching, of: Case}} props */
function One({ camera, of }) {
  const [pictures, setPictures] = useState(/** @type {CameraPicture[]} */ ([]));
  const [asks, setAsks] = useState(false);
  const [wrong, setWrong] = useState("");
  const path = `/api/v1/cameras/${encodeURIComponent(camera.camera)}`;
  useEffect(() => {
    const stop = new AbortController();
    ask(`${path}/picture`, stop.signal).then((last) => setPictures(last.picture ? [last.picture] : []), (failed) => {
      if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // its name is worth knowing without
    });
    return () => stop.abort();
  }, [path]);
  /** @param {SubmitEvent} event */
  const look = async (event) => {
    event.preventDefault();
    setWrong("");
    const reason = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("reason")).trim();
    try {
      const looked = await write("POST", `${path}/looks`, { kind: "snapshot", reason });
      setPictures([await ask(`/api/v1/camera-pictures/${looked.picture}`), ...pictures]);
      setAsks(false);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(sentence(refused));
    }
  };
  return html`<li data-watches=${camera.camera}><p><button class="link" onClick=${() => { chosenCamera.value = camera.camera; panel.value = "cameras"; mapFirst.value = false; }}>${camera.name}</button>
      <span class="muted"> ${word("camera", camera.state === "active" ? camera.health : camera.state)} · ${word("sees", camera.kind)}</span></p>
    <${Picture} pictures=${pictures} none=${t("picture.noneOfCamera")} />
    ${holds(LOOKERS) && LIVE.has(camera.health) && camera.state === "active" && (asks ? html`<form class="move-form" onSubmit=${look}>
        <label class="field"><span>${t("watching.why")}</span><input name="reason" maxlength="400" required value=${of.number ?? ""} /></label>
        <p class="wrong" role="alert">${wrong}</p>
        <div class="move-buttons"><button class="primary">${t("watching.look")}</button><button type="button" onClick=${() => setAsks(false)}>${t("moves.cancel")}</button></div>
      </form>` : html`<button onClick=${() => setAsks(true)} title=${t("watching.lookDoes")}>${t("watching.look")}</button>`)}
  </li>`;
}
