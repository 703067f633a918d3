// Officers near a case: by the service, with distance, load and how old the place is.
import { html, useEffect, useState } from "../shared/screen.js";
import { count, distance, lasting, t } from "../shared/language.js";
import { Refused, ask } from "../shared/service.js";
import { DESK, holds } from "./roles.js";

/** @import { Near as NearOfficer } from "../shared/types.js" */

const STALE_S = 300;

/** @param {{of: {id: string, version: number, lon: number | null}}} props */
export function Near({ of }) {
  const [rows, setRows] = useState(/** @type {NearOfficer[]} */ ([]));
  const may = of.lon !== null && holds(DESK);
  useEffect(() => {
    if (!may) return undefined;
    const stop = new AbortController();
    ask(`/api/v1/cases/${of.id}/officers-near?limit=4`, stop.signal).then((page) => setRows(page.items), (failed) => {
      if (!(failed instanceof Refused || failed instanceof DOMException)) throw failed; // the case is whole without it
    });
    return () => stop.abort();
  }, [of.id, of.version, may]);
  if (rows.length === 0) return null;
  return html`<h4>${t("drawer.nearest")}</h4>
    <ul class="near">${rows.map((each) => html`<li key=${each.id}><span>${each.display_name}</span>
      <span class="muted">${[
        distance(each.distance_m), t("officers.load", { n: count(each.open_cases), most: count(each.most_open) }),
        each.age_s > STALE_S ? t("officers.ago", { age: lasting(each.age_s * 1000) }) : null, each.there ? null : t("officers.notThere"),
      ].filter(Boolean).join(" · ")}</span></li>`)}</ul>`;
}
