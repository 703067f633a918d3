// What is printed: the open case, or else the whole list as a table, of which the screen draws only the rows in sight.
import { html, render } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { count, lasting, moment, t, word } from "../shared/language.js";
import { person } from "../shared/service.js";
import { categoryName, divisionName, ownerName } from "./city.js";
import { leftOf, listed, opened, panel } from "./view.js";

/** Keep a sheet ready for the printer until the returned function is called. */
export function followPrinting() {
  const sheet = document.createElement("div");
  sheet.id = "sheet";
  document.body.prepend(sheet);
  const lay = () => {
    if (opened.peek() === "" && (panel.peek() === "cases" || panel.peek() === "queue")) render(html`<${Sheet} />`, sheet);
  };
  const take = () => render(null, sheet);
  window.addEventListener("beforeprint", lay);
  window.addEventListener("afterprint", take);
  return () => {
    take();
    sheet.remove();
    window.removeEventListener("beforeprint", lay);
    window.removeEventListener("afterprint", take);
  };
}

function Sheet() {
  const rows = listed.peek();
  return html`<h1>${t(`panel.${panel.peek()}`)} · ${count(rows.length)}</h1>
    <p>${t("print.asOf", { at: moment(cityNow()), who: person.peek()?.display_name ?? "" })}</p>
    <table><thead><tr><th>${t("print.number")}</th><th>${word("field", "category")}</th><th>${t("filter.severity")}</th><th>${t("filter.state")}</th>
      <th>${t("drawer.divisions")}</th><th>${t("drawer.cell")}</th><th>${t("print.owner")}</th><th>${t("print.time")}</th></tr></thead><tbody>
      ${rows.map((each) => html`<tr key=${each.id}><td>${each.number ?? each.acceptance_number ?? ""}</td><td>${categoryName(each)}</td><td>${word("severity", each.severity)}</td>
        <td>${word("state", each.state)}${each.pool ? ` · ${word("pool", each.pool)}` : ""}</td><td>${divisionName(each.division)}</td><td>${each.cell ?? ""}</td><td>${ownerName(each)}</td>
        <td>${timeOf(leftOf(each))}</td></tr>`)}
    </tbody></table>`;
}

/** @param {import("../shared/timeleft.js").TimeLeft} left */
function timeOf(left) {
  switch (left.standing) {
    case "none": return t("time.none");
    case "over": return t("time.over");
    case "paused": return t("time.paused");
    case "late": return t("time.late", { span: lasting(left.ms) });
    default: return t(left.provisional ? "time.leftProvisional" : "time.left", { span: lasting(left.ms) });
  }
}
