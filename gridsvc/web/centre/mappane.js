// The map, or what can be drawn where the device has no WebGL 2.
import { html } from "../shared/screen.js";
import { t } from "../shared/language.js";
import { lists } from "./city.js";
import { MapView } from "./map.js";
import { PlainMap } from "./plainmap.js";

const hasWebGl2 = document.createElement("canvas").getContext("webgl2") !== null;

export function MapPane() {
  const map = lists.value?.map;
  if (!map) return html`<div class="map-wait" role="status">${t("map.loading")}</div>`;
  return hasWebGl2 ? html`<${MapView} city=${map} />` : html`<${PlainMap} city=${map} />`;
}
