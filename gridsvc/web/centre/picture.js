// A camera's picture as the service keeps it, or why there is none.
import { html } from "../shared/screen.js";
import { cityNow, decade } from "../shared/clock.js";
import { lasting, moment, t, word } from "../shared/language.js";

/** @import { CameraPicture } from "../shared/types.js" */

/** @param {{pictures: CameraPicture[]}} props */
export function Picture({ pictures }) {
  decade.value;
  const shown = pictures.find((each) => each.image !== null);
  if (shown?.image) {
    return html`<figure class="picture"><a href=${shown.image} target="_blank" rel="noopener"><img src=${shown.image} alt=${t("picture.of", { at: moment(shown.received_at) })} /></a>
      <figcaption class="small muted">${t("picture.age", { at: moment(shown.received_at), age: lasting(cityNow() - Date.parse(shown.received_at)) })}</figcaption></figure>`;
  }
  const last = pictures[0];
  const why = last === undefined ? t("picture.none") : last.state === "waiting" ? t("picture.waiting") : t("picture.refused", { why: word("pictureWhy", last.reason) });
  return html`<div class="picture none"><p class="muted">${why}</p></div>`;
}
