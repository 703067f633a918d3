// My beat on a small map: its cells, what is to be done in them, where I am. What was looked at once is there offline.
import { html, signal, useEffect, useState } from "../shared/screen.js";
import { t } from "../shared/language.js";
import { Refused, askAll, person } from "../shared/service.js";
import { fact, putFact } from "./keep.js";
import { PlainMap, beats, boundsOf, hasWebGl2 } from "./plainmap.js";
import { askOrKept } from "./session.js";
import { is } from "./tasks.js";

/** @import { MapLayers } from "../shared/types.js" */
/** @import { Beat, Stands } from "./plainmap.js" */

const city = signal(/** @type {MapLayers | null} */ (null));

/** Ask for the beat and for what a map is made of. */
export async function loadBeats() {
  const me = person.peek();
  if (!me) return;
  try {
    const [mine, map] = await Promise.all([
      is(me, "officer") ? askOrKept("/api/v1/me/beats", askAll) : Promise.resolve({ body: [] }), askOrKept("/api/v1/map"),
    ]);
    beats.value = mine.body;
    city.value = map.body;
    void keepTiles(mine.body, map.body);
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // the list is whole without a map
  }
}

const NEEDED = ["cells", "roads", "water", "buildings"];
const ZOOMS = [14, 15, 16];
const MOST_TILES = 400;

/** Look at every tile of the beat once, so that the service worker keeps it for when no network is there. @param {Beat[]} mine @param {MapLayers} map */
async function keepTiles(mine, map) {
  const bounds = boundsOf(mine.flatMap((each) => each.cells));
  if (bounds === null || navigator.serviceWorker?.controller == null) return;
  /** @type {string[]} */
  const wanted = [];
  for (const name of NEEDED) {
    const layer = map.layers[name];
    if (layer === undefined) continue;
    for (const z of ZOOMS.filter((each) => each >= layer.minzoom && each <= layer.maxzoom)) {
      const [left, top] = tileOf(bounds[0], bounds[3], z), [right, bottom] = tileOf(bounds[2], bounds[1], z);
      for (let x = left; x <= right; x++) for (let y = top; y <= bottom; y++) wanted.push(`/tiles/${name}/${z}/${x}/${y}.mvt?v=${encodeURIComponent(layer.version)}`);
    }
  }
  const all = wanted.slice(0, MOST_TILES), spelled = all.join();
  if (await fact("tiles") === spelled) return;
  for (const address of all) if (!await fetch(address).then((answer) => answer.ok, () => false)) return; // another time
  await putFact("tiles", spelled);
}

/** @param {number} lon @param {number} lat @param {number} z @returns {[number, number]} */
function tileOf(lon, lat, z) {
  const wide = 2 ** z, sine = Math.sin((lat * Math.PI) / 180);
  return [Math.floor(((lon + 180) / 360) * wide), Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * wide)];
}

/**
 * @param {{at?: {lon: number, lat: number}, walked?: Stands}} props `at`: what it shall show; the whole beat when left
 * out. `walked`: how the cells of a patrol stand
 */
export function BeatMap({ at, walked }) {
  const [Drawn, setDrawn] = useState(/** @type {{of: typeof import("./drawnmap.js").DrawnMap} | null} */ (null));
  const [plain, setPlain] = useState(!hasWebGl2);
  useEffect(() => {
    void loadBeats();
    // A megabyte for which neither the door nor a task waits.
    if (hasWebGl2) import("./drawnmap.js").then(({ DrawnMap }) => setDrawn({ of: DrawnMap }), () => setPlain(true));
  }, []);
  const map = city.value;
  if (map === null) return null;
  if (plain) return html`<${PlainMap} at=${at} walked=${walked} around=${map.bounds} />`;
  return Drawn === null ? html`<p role="status">${t("room.loading")}</p>` : html`<${Drawn.of} map=${map} at=${at} walked=${walked} />`;
}
