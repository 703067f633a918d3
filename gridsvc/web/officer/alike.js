// Open cases near by that may be the same thing: offered before a second one is filed. Without a network those of my own
// tasks that are kept on the phone.
import { html, useEffect, useState } from "../shared/screen.js";
import { distance, t, word } from "../shared/language.js";
import { Refused, ask } from "../shared/service.js";
import { boundTo } from "./conflicts.js";
import { NAME, clear, draft, settled } from "./draft.js";
import { enqueue } from "./outbox.js";
import { metresBetween, moved } from "./place.js";
import { say } from "./say.js";
import { askOrKept } from "./session.js";
import { go } from "./shell.js";
import { work } from "./tasks.js";
import { endVoice } from "./voice.js";

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
    /** @param {Near[]} all */
    const offer = (all) => {
      const near = all.flatMap((each) => (each.lon === null || each.lat === null ? [] : [{ ...each, metres: metresBetween(place.lon, place.lat, each.lon, each.lat) }]));
      setFound(near.filter(({ metres }) => metres <= far).sort((one, other) => one.metres - other.metres).slice(0, MOST));
    };
    ask(`/api/v1/cases?category=${encodeURIComponent(category.ref)}&${OPEN}&limit=20&bbox=${box}`, stop.signal).then(({ items }) => offer(items), () => {
      if (!stop.signal.aborted) offer((work.peek()?.cases ?? []).filter((each) => each.category === `${category.edition}:${category.code}`)); // the desk finds the others
    });
    return () => stop.abort();
  }, [category.ref, place.lon.toFixed(5), place.lat.toFixed(5)]);

  /** @param {Near} near */
  const add = async (near) => {
    setWrong("");
    try {
      const { body: told } = await askOrKept(`/api/v1/cases/${near.id}`);
      if (!told.moves.includes("note")) {
        setWrong(say("alike.notYours"));
        return;
      }
      await endVoice();
      await settled();
      const { photos, voices, description } = draft.peek();
      await enqueue({
        kind: "note", method: "POST", path: `/api/v1/cases/${near.id}/note`, body: { note: description.trim() || say("alike.note") },
        photos: [...photos, ...voices].map((photo) => ({ photo, into: "evidence" })), if_match: boundTo(told),
        about: { case: near.id, says: `${category.name} ${near.number ?? ""}`, says_en: `${category.name_en} ${near.number ?? ""}` }, draft: NAME,
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
