// What the pages of administration, and others with tables, share: what is asked and how it stands, a question before what hurts, files, tables.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../shared/screen.js";
import { language, t, word } from "../shared/language.js";
import { Refused, ask, newKey, write } from "../shared/service.js";
import { sentence } from "./moves.js";

const AGAIN_MS = 30_000;

/** @typedef {{path: string, value: any, wrong: string}} Asked */

/**
 * What the service answers; `value` null while it is on its way. "" asks nothing.
 * @param {string} path
 * @param {number} [turn] another one asks again
 * @param {number} [pages] of a list, so many of its pages together
 * @returns {Asked}
 */
export function useAsked(path, turn = 0, pages = 1) {
  const [asked, setAsked] = useState(/** @type {Asked} */ ({ path: "", value: null, wrong: "" }));
  useEffect(() => {
    if (path === "") return undefined;
    const stop = new AbortController();
    pagesOf(path, pages, stop.signal).then((value) => setAsked({ path, value, wrong: "" }), (failed) => {
      if (failed instanceof Refused) setAsked({ path, value: null, wrong: failed.code === "not_allowed" ? t("admin.notYours") : sentence(failed) });
      else if (!(failed instanceof DOMException)) throw failed;
    });
    return () => stop.abort();
  }, [path, turn, pages]);
  return asked.path === path ? asked : { path, value: null, wrong: "" };
}

/**
 * The first pages of a list as if they were one; what is no list comes as it is.
 * @param {string} path @param {number} pages @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
async function pagesOf(path, pages, signal) {
  const first = await ask(path, signal);
  if (pages === 1) return first;
  const items = [...first.items];
  let next = first.next;
  for (let page = 1; page < pages && next; page += 1) {
    const more = await ask(`${path}&cursor=${encodeURIComponent(next)}`, signal);
    items.push(...more.items);
    next = more.next;
  }
  return { ...first, items, next };
}

/** Count up as long as the page is shown: what was asked is asked again. */
export function useAgain() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const again = setInterval(() => setTurn((before) => before + 1), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  return turn;
}

/** What stands there while nothing has come, or nothing will. @param {{of: Asked}} props */
export function Waits({ of }) {
  if (of.wrong !== "") return html`<p class="wrong pad" role="alert">${of.wrong}</p>`;
  return html`<div class="skeleton" role="status"><span class="unseen">${t("room.loading")}</span><div class="skeleton-row" /><div class="skeleton-row" /></div>`;
}

/**
 * A write that is made once, however often its button is pressed; `wrong` says why it was refused, `facts` what else.
 * @returns {{busy: boolean, wrong: string, facts: Record<string, any>, send: (path: string, body: unknown) => Promise<any>, forget: () => void}}
 */
export function useWrite() {
  const [state, setState] = useState({ busy: false, wrong: "", facts: /** @type {Record<string, any>} */ ({}) });
  const attempt = useRef({ key: "", spelled: "" });
  /** @param {string} path @param {unknown} body */
  const send = async (path, body) => {
    const spelled = `${path} ${JSON.stringify(body)}`;
    if (attempt.current.spelled !== spelled) attempt.current = { key: newKey(), spelled };
    setState({ busy: true, wrong: "", facts: {} });
    try {
      const answer = await write("POST", path, body, { key: attempt.current.key });
      attempt.current = { key: "", spelled: "" };
      setState({ busy: false, wrong: "", facts: {} });
      return answer;
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setState({ busy: false, wrong: refused.code === "not_allowed" ? t("admin.notYours") : sentence(refused), facts: refused.facts });
      return null;
    }
  };
  return { ...state, send, forget: () => setState({ busy: false, wrong: "", facts: {} }) };
}

/**
 * A button that asks before it does, and says what will happen.
 * @param {{label: string, says: unknown, go: string, hurts?: boolean, disabled?: boolean, done: () => void}} props
 */
export function Sure({ label, says, go, hurts = false, disabled = false, done }) {
  const [open, setOpen] = useState(false);
  const first = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const outside = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const was = useRef(false);
  useLayoutEffect(() => {
    if (open) first.current?.focus();
    else if (was.current) outside.current?.focus();
    was.current = open;
  }, [open]);
  if (!open) return html`<button type="button" ref=${outside} class=${hurts ? "hurts" : "primary"} disabled=${disabled} onClick=${() => setOpen(true)}>${label}</button>`;
  return html`<div class="sure" role="group" aria-label=${label} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.stopPropagation(); setOpen(false); } }}>
    <p><b>${t("admin.sure")}</b></p><div>${says}</div>
    <div class="move-buttons"><button type="button" ref=${first} class=${`primary ${hurts ? "hurts" : ""}`} disabled=${disabled} onClick=${() => { setOpen(false); done(); }}>${go}</button>
      <button type="button" onClick=${() => setOpen(false)}>${t("moves.cancel")}</button></div></div>`;
}

/**
 * A file as the service takes it.
 * @param {File} file
 * @returns {Promise<{name: string, content: string}>}
 */
export async function packed(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { name: file.name, content: btoa(text) };
}

/** A fault of a file: what kind, and where and why, as the service says it. @param {{code: string, message: string}} fault */
export const faultOf = ({ code, message }) => (language.value === "en" ? message : `${word("defect", code)}: ${message}`);

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string[]} props.heads
 * @param {unknown[][]} props.rows the first of each names the row
 * @param {number} [props.most] more are counted and not drawn
 * @param {boolean} [props.tall] it is what the page is about: it scrolls with the page
 */
export function Table({ title, heads, rows, most = 200, tall = false }) {
  if (rows.length === 0) return null;
  return html`<div class=${`admin-scroll ${tall ? "tall" : ""}`} tabindex=${tall ? undefined : 0} role="region" aria-label=${title}><table class="admin-table"><caption>${title}</caption>
    <thead><tr>${heads.map((each) => html`<th key=${each} scope="col">${each}</th>`)}</tr></thead>
    <tbody>${rows.slice(0, most).map((cells, n) => html`<tr key=${n}>${cells.map((each, m) => (m === 0 ? html`<th scope="row">${each}</th>` : html`<td>${each}</td>`))}</tr>`)}</tbody></table>
    ${rows.length > most && html`<p class="small muted">${t("admin.more", { n: rows.length - most })}</p>`}</div>`;
}
