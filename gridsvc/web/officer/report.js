// The report: photo first or words first, in any order.
import { html } from "../shared/screen.js";
import { say } from "./say.js";
import { register } from "./shell.js";

register({ path: "report", title: "report.title", page: ReportPage, tab: { icon: "M12 5v14M5 12h14", place: 3, main: true } });

function ReportPage() {
  return html`<p>${say("report.title")}</p>`;
}
