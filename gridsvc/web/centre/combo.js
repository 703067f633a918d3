// A field with a list below it, found by typing: arrows move, Enter takes, Escape shuts the list. The words stay the person's.
import { html, useState } from "../shared/screen.js";

/**
 * @typedef {object} Option
 * @property {string} id
 * @property {string} says
 * @property {string} more what stands small beside it
 */

/**
 * @param {object} props
 * @param {string} props.id
 * @param {unknown} props.label
 * @param {string} props.text
 * @param {Option[]} props.options
 * @param {string} props.hint
 * @param {string} props.wrong why the field was refused; "" for not
 * @param {boolean} [props.required]
 * @param {(text: string) => void} props.typed
 * @param {(id: string) => void} props.taken
 */
export function Combo({ id, label, text, options, hint, wrong, required = false, typed, taken }) {
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const shown = open && options.length > 0;
  const here = Math.min(at, options.length - 1);

  /** @param {string | undefined} chosen */
  const take = (chosen) => {
    setOpen(false);
    if (chosen !== undefined) taken(chosen);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return; // an input method is at work, or the form is sent
    switch (event.key) {
      case "ArrowDown": setOpen(true); setAt(shown ? (here + 1) % options.length : 0); break;
      case "ArrowUp": setOpen(true); setAt(shown ? (here + options.length - 1) % options.length : 0); break;
      case "Enter": if (!shown) return; take(options[here]?.id); break;
      case "Escape": if (!shown) return; setOpen(false); event.stopPropagation(); break;
      default: return;
    }
    event.preventDefault();
  };
  return html`<div class="field combo">
    <label for=${id}>${label}</label>
    <input id=${id} role="combobox" autocomplete="off" spellcheck=${false} value=${text} placeholder=${hint} aria-required=${required}
      aria-expanded=${shown} aria-controls=${`${id}-list`} aria-autocomplete="list" aria-activedescendant=${shown ? `${id}-${here}` : undefined}
      aria-invalid=${wrong !== ""} aria-describedby=${`${id}-wrong`} onKeyDown=${key} onFocus=${() => setAt(0)} onBlur=${() => setOpen(false)}
      onInput=${(/** @type {Event} */ event) => { setOpen(true); setAt(0); typed(/** @type {HTMLInputElement} */ (event.currentTarget).value); }} />
    <ul id=${`${id}-list`} class="combo-list" role="listbox" aria-label=${label} hidden=${!shown}>
      ${shown && options.map((each, n) => html`<li key=${each.id} id=${`${id}-${n}`} role="option" aria-selected=${n === here} class=${n === here ? "here" : ""}
        onPointerDown=${(/** @type {Event} */ event) => { event.preventDefault(); take(each.id); }}><span>${each.says}</span><span class="muted small">${each.more}</span></li>`)}
    </ul>
    <p id=${`${id}-wrong`} class="wrong small">${wrong}</p>
  </div>`;
}
