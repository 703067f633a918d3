// Open cases near by that may be the same thing: offered before a second one is filed. Only while there is a network.
import { html, useEffect, useState } from "../shared/screen.js";
import { distance, t, word } from "../shared/language.js";
import { Refused, ask } from "../shared/service.js";
import { NAME, clear, draft, settled } from "./draft.js";
import { enqueue } from "./outbox.js";
import { metresBetween, moved } from "./place.js";
import { say } from "./say.js";
import { go } from "./shell.js";

/** @import { Category } from "./categories.js" */
/** @import { Place } from "./draft.js" */
/** @typedef {{id: string, number: string | null, state: string, lon: number | null, lat: number | null, description: string}} Near */

const MOST = 3;
const OPEN = ["filed", "assigned", "accepted", "in_progress"].map((state) => `state=${state}`).join("&");

/** @param {{category: Category, place: Place}} props */
export function Alike({ category, place }) {
  const [found, setFound] = useState(/** @type {(Near & {metres: number})[]} */ ([]));
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    const far = category.duplicate_radius_m;
    const west = moved(place, -far, -far), east = moved(place, far, far);
    const box = [west.lon, west.lat, east.lon, east.lat].map((each) => each.toFixed(6)).join(",");
    ask(`/api/v1/cases?category=${encodeURIComponent(category.ref)}&${OPEN}&limit=20&bbox=${box}`, stop.signal).then(({ items }) => {
      const near = items.flatMap((/** @type {Near} */ each) => (each.lon === null || each.lat === null ? [] : [{ ...each, metres: metresBetween(place.lon, place.lat, each.lon, each.lat) }]));
      setFound(near.filter((/** @type {{metres: number}} */ { metres }) => metres <= far).sort((/** @type {{metres: number}} */ one, /** @type {{metres: number}} */ other) => one.metres - other.metres).slice(0, MOST));
    }, () => setFound([])); // without a network nothing is offered; the desk finds them
    return () => stop.abort();
  }, [category.ref, place.lon.toFixed(5), place.lat.toFixed(5)]);

  /** @param {Near} near */
  const add = async (near) => {
    setWrong("");
    try {
      const told = await ask(`/api/v1/cases/${near.id}`);
      if (!told.moves.includes("note")) {
        setWrong(say("alike.notYours"));
        return;
      }
      await settled();
      const { photos, voices, description } = draft.peek();
      await enqueue({
        kind: "note", method: "POST", path: `/api/v1/cases/${near.id}/note`, body: { note: description.trim() || say("alike.note") },
        photos: [...photos, ...voices].map((photo) => ({ photo, into: "evidence" })), if_match: String(told.case.version),
        about: { case: near.id, says: category.name, says_en: category.name_en }, draft: NAME,
      });
      clear();
      go("outbox");
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      setWrong(refused.status === 0 ? t("trouble.unreachable") : refused.message);
    }
  };
  if (found.length === 0) return null;
  return html`<section class="alike" aria-label=${say("alike.title")}><h2 role="status">${say("alike.title")}</h2>
    <ul class="cards">${found.map((each) => html`<li key=${each.id} class="card"><p><b>${each.number ?? t("case.unnumbered")}</b> ${word("state", each.state)} · ${distance(each.metres)}</p>
      ${each.description !== "" && html`<p class="small">${each.description}</p>`}
      <button type="button" onClick=${() => add(each)}>${say("alike.add")}</button></li>`)}</ul>
    <p class="wrong" role="alert">${wrong}</p></section>`;
}
