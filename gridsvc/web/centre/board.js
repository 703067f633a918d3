// The evaluation board: how work is judged, by area, department or officer, as a plot and as a table beside it.
import { html, useEffect, useMemo, useRef, useState } from "../shared/screen.js";
import { cityNow } from "../shared/clock.js";
import { count, language, named, t } from "../shared/language.js";
import { Refused, ask, person, zone } from "../shared/service.js";
import uPlot from "../vendor/uplot.mjs";
import { NONE } from "./filters.js";
import { sentence } from "./moves.js";
import { theme } from "./theme.js";
import { filters, narrow, panel } from "./view.js";

/** @import { Person } from "../shared/types.js" */

const JUDGES = new Set(["supervisor", "admin", "auditor"]);

/** @param {Person} me */
export const seesFigures = (me) => me.roles.some(({ role }) => JUDGES.has(role) || role === "officer");

const GROUPS = /** @type {const} */ (["district", "street", "department", "officer", "post"]);
const PIECES = /** @type {const} */ (["day", "week", "month"]);
const SPANS = [7, 30, 90, 365];
const MOST_LINES = 8;

/**
 * @typedef {object} Item
 * @property {{level: string, code: string, name: string, name_en: string}} group
 * @property {string} from
 * @property {string} to
 * @property {Record<string, number>} counts
 * @property {{indicator: string, value: number | null, numerator: number, denominator: number}[]} values
 */

/** @typedef {{code: string, name: string, name_en: string, unit: string, group_by: string[]}} Indicator */
/** @typedef {(typeof GROUPS)[number]} Group */
/** @typedef {{whole: Item[], pieces: Item[]}} Figures */

/** A day of the city, so many days from today. @param {number} days */
export const dayFrom = (days) => new Intl.DateTimeFormat("sv-SE", zone.value ? { timeZone: zone.value } : {}).format(cityNow() + days * 86_400_000);

export function Board() {
  const me = person.value;
  const judge = me?.roles.some(({ role }) => JUDGES.has(role)) ?? false;
  const [by, setBy] = useState(/** @type {Group} */ (judge ? "district" : "officer"));
  const [span, setSpan] = useState(30);
  const [piece, setPiece] = useState(/** @type {(typeof PIECES)[number]} */ ("day"));
  const [chosen, setChosen] = useState("closing_in_time_rate");
  const [formulas, setFormulas] = useState(/** @type {Indicator[]} */ ([]));
  const [figures, setFigures] = useState(/** @type {Figures | null} */ (null));
  const [failed, setFailed] = useState("");
  const [tries, setTries] = useState(0);
  const division = filters.value.division;

  const may = me !== null && me !== undefined && seesFigures(me);
  useEffect(() => {
    if (!may) return undefined;
    const stop = new AbortController();
    setFailed("");
    setFigures(null);
    const base = `/api/v1/evaluation?from=${dayFrom(1 - span)}&to=${dayFrom(1)}&group_by=${by}${division === "" ? "" : `&division=${encodeURIComponent(division)}`}`;
    Promise.all([ask("/api/v1/evaluation/indicators", stop.signal), ask(`${base}&period=whole`, stop.signal), ask(`${base}&period=${piece}`, stop.signal)]).then(
      ([told, whole, pieces]) => {
        setFormulas(told.items);
        setFigures({ whole: whole.items, pieces: pieces.items });
      },
      (refused) => {
        if (!stop.signal.aborted) setFailed(refused instanceof Refused ? sentence(refused) : String(refused));
      },
    );
    return () => stop.abort();
  }, [by, span, piece, division, tries]);

  if (!may) return html`<section class="board"><div class="empty"><p>${t("board.notYours")}</p></div></section>`;
  const subject = by === "district" || by === "street" ? "area" : by;
  const known = formulas.filter((each) => each.group_by.includes(subject));
  const indicator = known.find((each) => each.code === chosen) ?? known[0];
  return html`<section class="board" aria-label=${t("panel.board")} tabindex="0">
    <header class="board-controls">
      <${Choice} label=${t("board.by")} value=${by} values=${judge ? GROUPS : ["officer"]} says=${(/** @type {Group} */ each) => t(`board.${each}`)} set=${setBy} />
      <${Choice} label=${t("board.indicator")} value=${indicator?.code ?? ""} values=${known.map((each) => each.code)} says=${(/** @type {string} */ code) => titleOf(known.find((each) => each.code === code))} set=${setChosen} />
      <${Choice} label=${t("board.span")} value=${span} values=${SPANS} says=${(/** @type {number} */ days) => t("board.days", { n: days })} set=${(/** @type {string} */ days) => setSpan(Number(days))} />
      <${Choice} label=${t("board.piece")} value=${piece} values=${PIECES} says=${(/** @type {"day" | "week" | "month"} */ each) => t(`board.${each}`)} set=${setPiece} />
    </header>
    ${failed !== "" ? html`<div class="empty" role="alert"><p>${failed}</p><button onClick=${() => setTries(tries + 1)}>${t("trouble.again")}</button></div>`
      : figures === null || indicator === undefined ? html`<div class="empty" role="status"><p>${t("room.loading")}</p></div>`
        : figures.whole.length === 0 ? html`<div class="empty"><p>${t("board.empty")}</p></div>`
          : html`<${Shown} figures=${figures} indicator=${indicator} by=${by} span=${span} />`}
  </section>`;
}

/** @param {Indicator | undefined} indicator */
const titleOf = (indicator) => (indicator ? named(indicator.name, indicator.name_en) + (indicator.unit === "percent" ? t("board.percent") : t("board.hours")) : "");

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string | number} props.value
 * @param {readonly (string | number)[]} props.values
 * @param {(value: any) => string} props.says
 * @param {(value: any) => void} props.set
 */
function Choice({ label, value, values, says, set }) {
  return html`<label class="field"><span class="small muted">${label}</span><select value=${value} onChange=${(/** @type {Event} */ event) => set(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
    ${values.map((each) => html`<option key=${each} value=${each}>${says(each)}</option>`)}</select></label>`;
}

/** @param {Item} item @param {Indicator} indicator */
const valueOf = (item, indicator) => item.values.find((each) => each.indicator === indicator.code);

/** @param {{figures: Figures, indicator: Indicator, by: Group, span: number}} props */
function Shown({ figures, indicator, by, span }) {
  const rows = [...figures.whole].sort((one, other) => (valueOf(other, indicator)?.value ?? -1) - (valueOf(one, indicator)?.value ?? -1) || (one.group.code < other.group.code ? -1 : 1));
  const drawn = rows.slice(0, MOST_LINES);
  return html`<div class="board-body">
    <${Plot} pieces=${figures.pieces} drawn=${drawn} indicator=${indicator} span=${span} />
    <table class="board-table"><caption>${titleOf(indicator)}</caption>
      <thead><tr><th scope="col">${t(`board.${by}`)}</th><th scope="col">${t("board.value")}</th><th scope="col">${t("board.share")}</th><th scope="col">${t("board.late")}</th><th scope="col"><span class="unseen">${t("board.look")}</span></th></tr></thead>
      <tbody>${rows.map((item) => {
        const value = valueOf(item, indicator);
        const n = drawn.indexOf(item);
        return html`<tr key=${item.group.code}><th scope="row">${n >= 0 && html`<i class=${`key key-${n}`} aria-hidden="true" />`}${named(item.group.name, item.group.name_en)}</th>
          <td>${value?.value === null || value === undefined ? "–" : count(value.value)}</td>
          <td>${value ? `${count(value.numerator)} / ${count(value.denominator)}` : ""}</td><td>${count(item.counts["late"] ?? 0)}</td>
          <td>${drill(by, item.group.code)}</td></tr>`;
      })}</tbody></table>
    ${rows.length > MOST_LINES && html`<p class="small muted">${t("board.most", { n: MOST_LINES })}</p>`}
  </div>`;
}

/**
 * To the open cases behind a row, where the list can be narrowed to them.
 * @param {Group} by @param {string} code
 */
function drill(by, code) {
  if (by === "department" || by === "post") return "";
  return html`<button class="quiet" onClick=${() => {
    filters.value = NONE;
    narrow(by === "officer" ? { officer: code } : { division: code });
    panel.value = "cases";
  }}>${t("board.cases")}</button>`;
}

/** Its colours and dashes are those of the table's keys. @param {{pieces: Item[], drawn: Item[], indicator: Indicator, span: number}} props */
function Plot({ pieces, drawn, indicator, span }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const data = useMemo(() => {
    const starts = [...new Set(pieces.map((each) => Date.parse(each.from) / 1000))].sort((one, other) => one - other);
    const by = new Map(pieces.map((each) => [`${each.group.code} ${Date.parse(each.from) / 1000}`, each]));
    return [starts, ...drawn.map((row) => starts.map((at) => {
      const item = by.get(`${row.group.code} ${at}`);
      return (item && valueOf(item, indicator)?.value) ?? null;
    }))];
  }, [pieces, indicator]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const style = getComputedStyle(element);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    // The axis is the whole period: days on which nothing could be judged are left empty and not left out.
    const from = cityNow() / 1000 - span * 86_400;
    const short = new Intl.DateTimeFormat(language.value, { month: "2-digit", day: "2-digit", ...(zone.value ? { timeZone: zone.value } : {}) });
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--edge"), width: 1 }, ticks: { stroke: colour("--edge"), width: 1 } };
    const plot = new uPlot({
      width: element.clientWidth, height: 320, legend: { show: false }, cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, range: [from, cityNow() / 1000] }, y: indicator.unit === "percent" ? { range: [0, 100] } : { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map((at) => short.format(at * 1000)) }, axis],
      series: [{}, ...drawn.map((row, n) => ({
        label: named(row.group.name, row.group.name_en), stroke: colour(`--line-${n % 4}`), width: 2, dash: n < 4 ? [] : [6, 4], spanGaps: true, points: { show: true, size: 6 },
      }))],
    }, /** @type {uPlot.AlignedData} */ (data), element);
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 320 }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [data, theme.value, language.value]);
  return html`<div class="board-plot" ref=${box} role="img" aria-label=${t("board.plot", { what: titleOf(indicator) })} />`;
}
