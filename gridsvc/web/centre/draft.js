// The report that is being taken down, as it stands: it survives a reload of the page and ends with its tab or session.
import { effect, signal } from "../shared/screen.js";
import { newKey, person, signedOutWhy } from "../shared/service.js";

/**
 * @typedef {object} Draft
 * @property {string} by whose it is
 * @property {string} category edition:code
 * @property {string} condition
 * @property {string} address
 * @property {{lon: number, lat: number, name: string} | null} place
 * @property {string} description
 * @property {string} name
 * @property {string} phone
 * @property {Record<string, string>} attributes
 * @property {string} key the Idempotency-Key of the next try
 * @property {string} spelled what was sent with it
 */

const KEPT = "gridsvc.intake";

/** @returns {Draft} */
const blank = () => ({
  by: person.peek()?.id ?? "", category: "", condition: "", address: "", place: null, description: "", name: "", phone: "", attributes: {},
  key: newKey(), spelled: "",
});

export const draft = signal(blank());

/** @param {Partial<Draft>} change */
export function write(change) {
  draft.value = { ...draft.peek(), ...change };
  sessionStorage.setItem(KEPT, JSON.stringify(draft.peek()));
}

export function clear() {
  sessionStorage.removeItem(KEPT);
  draft.value = blank();
}

/** Take up what this person had begun; somebody else's is thrown away. */
export function takeUp() {
  const mine = blank();
  if (draft.peek().by === mine.by) return;
  try {
    const kept = /** @type {Draft} */ (JSON.parse(sessionStorage.getItem(KEPT) ?? "{}"));
    if (kept.by === mine.by) draft.value = { ...mine, ...kept };
    else clear();
  } catch {
    clear();
  }
}

/**
 * The key for a body: the same words sent again, after an answer that was lost, are the same report.
 * @param {string} spelled
 */
export function keyFor(spelled) {
  const { key, spelled: before } = draft.peek();
  if (before !== spelled) write({ key: before === "" ? key : newKey(), spelled });
  return draft.peek().key;
}

// A telephone number is not left behind for whoever sits down next; who was signed out by the clock comes back to it.
effect(() => {
  if (person.value === null && signedOutWhy.peek() !== "ended") clear();
});
