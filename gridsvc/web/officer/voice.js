// A voice note: one tap begins, one ends; a minute at most.
import { html, useEffect, useState } from "../shared/screen.js";
import { second } from "../shared/clock.js";
import { photo as photoOf } from "./keep.js";
import { draft, write } from "./draft.js";
import { takeVoice } from "./photos.js";
import { say } from "./say.js";

const LONGEST_MS = 60_000;
const SHORTEST_MS = 500; // less is a slip of the thumb, and no sound that the service would take
/** What is being recorded; null: nothing. @type {{end: () => Promise<void>} | null} */
let now = null;

/** End what is being recorded; it is in the draft when this returns. */
export const endVoice = async () => void (await now?.end());

const FORMS = ["audio/webm;codecs=opus", "audio/mp4"];

export function Voice() {
  const [since, setSince] = useState(0);
  const busy = since > 0;
  const [wrong, setWrong] = useState("");
  useEffect(() => () => void endVoice(), []);
  const form = typeof MediaRecorder === "undefined" ? undefined : FORMS.find((each) => MediaRecorder.isTypeSupported(each));
  if (form === undefined || !navigator.mediaDevices) return null; // the keyboard's own dictation is there all the same
  const { voices } = draft.value;

  const begin = async () => {
    setWrong("");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (failed) {
      setWrong(say(failed instanceof DOMException && failed.name === "NotAllowedError" ? "voice.denied" : "voice.none"));
      return;
    }
    const parts = /** @type {Blob[]} */ ([]);
    const made = new MediaRecorder(stream, { mimeType: form, audioBitsPerSecond: 24_000 });
    made.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((/** @type {(ended: unknown) => void} */ told) => { made.onstop = told; }).then(async () => {
      for (const track of stream.getTracks()) track.stop();
      const sound = new Blob(parts, { type: form.split(";")[0] ?? "" });
      if (Date.now() - began < SHORTEST_MS || sound.size === 0) setWrong(say("voice.short"));
      else write({ voices: [...draft.peek().voices, (await takeVoice(sound)).id] });
    }).catch((failed) => {
      if (!(failed instanceof DOMException)) throw failed;
      setWrong(say("voice.noRoom"));
    }).finally(() => {
      now = null;
      setSince(0);
    });
    const end = () => {
      if (made.state === "recording") made.stop();
      return ended;
    };
    now = { end };
    const began = Date.now();
    made.start();
    setTimeout(end, LONGEST_MS);
    setSince(began);
  };
  return html`<div class="field voice">
    <button type="button" aria-pressed=${busy} onClick=${() => void (busy ? endVoice() : begin())}>
      <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3M6 11v1a6 6 0 0 0 12 0v-1M12 18v3" /></svg>
      ${busy ? say("voice.stop", { n: (second.value, Math.floor((Date.now() - since) / 1000)) }) : say("voice.begin")}</button>
    ${voices.map((id, n) => html`<span key=${id} class="note"><${Note} id=${id} n=${n + 1} />
      <button type="button" class="quiet" aria-label=${say("voice.drop", { n: n + 1 })} onClick=${() => write({ voices: voices.filter((each) => each !== id) })}>✕</button></span>`)}
    <p class="wrong" role="alert">${wrong}</p>
  </div>`;
}

/** @param {{id: string, n: number}} props */
function Note({ id, n }) {
  const [source, setSource] = useState("");
  useEffect(() => {
    let made = "";
    void photoOf(id).then((found) => {
      if (found !== undefined) setSource((made = URL.createObjectURL(found.blob)));
    });
    return () => URL.revokeObjectURL(made);
  }, [id]);
  return source === "" ? null : html`<audio controls src=${source} aria-label=${say("voice.one", { n })}></audio>`;
}
