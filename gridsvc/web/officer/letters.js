// Letters for a phone that has no Chinese font of its own: the slices of ours that the app's words and what is kept to
// be read offline are written in. A phone that has one fetches none of them here.
import { effect } from "../shared/screen.js";
import { language } from "../shared/language.js";
import { en as sharedEn } from "../shared/words/en.js";
import { zh as sharedZh } from "../shared/words/zh-CN.js";
import { slices } from "../vendor/noto-sans-sc.mjs";
import { categories } from "./categories.js";
import { answers } from "./keep.js";
import { work } from "./tasks.js";
import { patrols, visits } from "./walks.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh-CN.js";

/** Signs that the pages draw beside their words. */
const SIGNS = "²·×…←↑→↓↻○●★☆✓✕";

const WORDS = { "zh-CN": [zh, sharedZh], en: [en, sharedEn] };

/** Whether it draws every Chinese character as the same box. */
function drawsBoxes() {
  const [one, other] = ["网", "格"].map((letter) => {
    const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(32, 32).getContext("2d"));
    pen.font = "24px sans-serif";
    pen.fillText(letter, 4, 26);
    return pen.getImageData(0, 0, 32, 32).data.join();
  });
  return one === other;
}

/** The slices that a text is written in. @param {string} text */
export function slicesOf(text) {
  const letters = [...new Set(text)].map((each) => each.codePointAt(0) ?? 0);
  return slices.filter(([, ranges]) => ranges.some((range) => {
    const [from = 0, to = from] = range.trim().slice(2).split("-").map((each) => Number.parseInt(each, 16));
    return letters.some((each) => from <= each && each <= to);
  })).map(([file]) => file);
}

/** Those that the service worker has by now. @type {Set<string>} */
const had = new Set();

async function keepLetters() {
  if (navigator.serviceWorker?.controller == null || !drawsBoxes()) return;
  const text = JSON.stringify([SIGNS, WORDS[language.peek()], await answers()]);
  for (const file of slicesOf(text)) {
    if (had.has(file)) continue;
    if (!await fetch(new URL(`../vendor/noto-sans-sc/${file}`, import.meta.url)).then(({ ok }) => ok, () => false)) return; // another time
    had.add(file);
  }
}

/** Keep them in step with what is kept, until the returned function is called. */
export function followLetters() {
  const came = () => void keepLetters();
  const stop = effect(() => {
    // What has come anew may be written in other letters.
    if (language.value && [work.value, categories.value, patrols.value, visits.value].some(Boolean)) came();
  });
  navigator.serviceWorker?.addEventListener("controllerchange", came);
  return () => {
    stop();
    navigator.serviceWorker?.removeEventListener("controllerchange", came);
  };
}
