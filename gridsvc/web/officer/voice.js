// A voice note: one tap begins, one ends; a minute at most.
import { html, useEffect, useRef, useState } from "../shared/screen.js";
import { photo as photoOf } from "./keep.js";
import { draft, write } from "./draft.js";
import { takeVoice } from "./photos.js";
import { say } from "./say.js";

const LONGEST_MS = 60_000;
const FORMS = ["audio/webm;codecs=opus", "audio/mp4"];

export function Voice() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const recorder = useRef(/** @type {MediaRecorder | null} */ (null));
  useEffect(() => () => recorder.current?.stop(), []);
  const form = typeof MediaRecorder === "undefined" ? undefined : FORMS.find((each) => MediaRecorder.isTypeSupported(each));
  if (form === undefined || !navigator.mediaDevices) return null; // the keyboard's own dictation is there all the same
  const { voices } = draft.value;

  const begin = async () => {
    setWrong("");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      setWrong(say("voice.denied"));
      return;
    }
    const parts = /** @type {Blob[]} */ ([]);
    const made = new MediaRecorder(stream, { mimeType: form, audioBitsPerSecond: 24_000 });
    recorder.current = made;
    made.ondataavailable = ({ data }) => parts.push(data);
    made.onstop = async () => {
      recorder.current = null;
      for (const track of stream.getTracks()) track.stop();
      setBusy(false);
      const sound = new Blob(parts, { type: form.split(";")[0] ?? "" });
      if (sound.size > 0) write({ voices: [...draft.peek().voices, (await takeVoice(sound)).id] });
    };
    made.start();
    setTimeout(() => made.state === "recording" && made.stop(), LONGEST_MS);
    setBusy(true);
  };
  return html`<div class="field voice">
    <button type="button" aria-pressed=${busy} onClick=${() => (busy ? recorder.current?.stop() : void begin())}>
      <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3M6 11v1a6 6 0 0 0 12 0v-1M12 18v3" /></svg>
      ${say(busy ? "voice.stop" : "voice.begin")}</button>
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
