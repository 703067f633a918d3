// A camera's picture as the service keeps it, or why there is none. One that is on its way is asked for until it is there.
import { html, useEffect, useState } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { lasting, moment, t, word } from "../shared/language.js";
import { ask } from "../shared/service.js";

/** @import { CameraPicture } from "../shared/types.js" */

const AGAIN_MS = 2_000;

/** @param {{pictures: CameraPicture[], none: string}} props `none`: what is said where there is none */
export function Picture({ pictures, none }) {
  const [settled, setSettled] = useState(/** @type {CameraPicture | null} */ (null));
  decade.value;
  const waits = pictures.find((each) => each.state === "waiting")?.id;
  useEffect(() => {
    setSettled(null);
    if (waits === undefined) return undefined;
    const again = setInterval(() => {
      ask(`/api/v1/camera-pictures/${waits}`).then((/** @type {CameraPicture} */ found) => {
        if (found.state === "waiting") return;
        clearInterval(again);
        setSettled(found);
      }, () => clearInterval(again)); // it was removed, or is not this person's to see any more
    }, AGAIN_MS);
    return () => clearInterval(again);
  }, [waits]);
  const all = settled === null ? pictures : pictures.map((each) => (each.id === settled.id ? settled : each));
  const shown = all.find((each) => each.image !== null);
  if (shown?.image) {
    return html`<figure class="picture"><a href=${shown.image} target="_blank" rel="noopener"><img src=${shown.image} alt=${t("picture.of", { at: moment(shown.received_at) })} /></a>
      <figcaption class="small muted">${t("picture.age", { at: moment(shown.received_at), age: lasting(cityNow() - Date.parse(shown.received_at)) })}</figcaption></figure>`;
  }
  const last = all[0];
  const why = last === undefined ? none : last.state === "waiting" ? t("picture.waiting") : t("picture.refused", { why: word("pictureWhy", last.reason) });
  return html`<div class="picture none"><p class="muted">${why}</p></div>`;
}
