// What has just happened, in a line at the edge: polite, gone by itself, read aloud.
import { html, signal } from "../shared/screen.js";

const STAYS_MS = 6_000;

/** @type {import("../vendor/signals.mjs").Signal<{id: number, text: string}[]>} */
const lines = signal([]);
let numbers = 0;

/** @param {string} text */
export function say(text) {
  const id = ++numbers;
  lines.value = [...lines.peek(), { id, text }].slice(-3);
  setTimeout(() => {
    lines.value = lines.peek().filter((each) => each.id !== id);
  }, STAYS_MS);
}

export function Said() {
  return html`<div class="said" role="status" aria-live="polite">
    ${lines.value.map((each) => html`<p key=${each.id}>${each.text}</p>`)}
  </div>`;
}
