// Dark, light, or as the device is set.
import { effect, signal } from "../shared/screen.js";

/** @typedef {"dark" | "light"} Theme */

const KEPT = "gridsvc.theme";
const light = window.matchMedia("(prefers-color-scheme: light)");

/** @returns {Theme} */
function chosen() {
  const kept = localStorage.getItem(KEPT);
  return kept === "dark" || kept === "light" ? kept : light.matches ? "light" : "dark";
}

export const theme = signal(chosen());

export function switchTheme() {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEPT, theme.value);
}

/** Keep the page in the chosen theme. */
export function applyTheme() {
  light.addEventListener("change", () => {
    theme.value = chosen();
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

/**
 * A colour of the theme, as the style sheets name it.
 * @param {string} name
 */
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
