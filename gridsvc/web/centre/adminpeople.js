// People: found by name, pinyin or beat; an officer is replaced in one form, and the map and a table say first what goes to whom.
import { html, useEffect, useState } from "../shared/screen.js";
import { count, moment, t, word } from "../shared/language.js";
import { person } from "../shared/service.js";
import { Sure, Table, Waits, useAsked, useWrite } from "./adminparts.js";
import { briefOf, categoryName, departmentName, divisionName, lineName } from "./city.js";
import { Combo } from "./combo.js";
import { NO_PLAN, plan, spotsOf } from "./plan.js";
import { ADMINS, holds } from "./roles.js";
import { say } from "./said.js";
import { narrow, panel } from "./view.js";

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string} username
 * @property {string} display_name
 * @property {boolean} active
 * @property {{role: string, division: string, department: string | null, duty_line: string | null}[]} posts
 * @property {{duty_line: string, on_duty: boolean, beats: string[], open_cases: number} | null} officer
 */
/** @typedef {{case: string, becomes: string, officer: string | null, officer_name: string | null, why: string | null}} Passed */

const ROLES = /** @type {const} */ (["officer", "handler", "acceptor", "dispatcher", "supervisor", "admin", "auditor"]);

/** @param {User} user */
const postsOf = (user) => user.posts.map((post) => [word("role", post.role), divisionName(post.division), post.department ? departmentName(post.department) : lineName(post.duty_line)].filter(Boolean).join(" · "));

export function People() {
  const [q, setQ] = useState("");
  const [role, setRole] = useState("");
  const [chosen, setChosen] = useState("");
  const [turn, setTurn] = useState(0);
  const asked = useAsked(`/api/v1/users?limit=200&q=${encodeURIComponent(q)}${role === "" ? "" : `&role=${role}`}`, turn);
  const rows = /** @type {User[] | undefined} */ (asked.value?.items);
  const one = rows?.find((each) => each.id === chosen);
  if (one !== undefined) return html`<${One} key=${one.id} user=${one} back=${() => setChosen("")} changed=${() => setTurn(turn + 1)} />`;
  return html`<div class="admin-controls">
      <label class="field grows"><span class="small muted">${t("people.find")}</span><input id="people-q" type="search" value=${q} placeholder=${t("people.findHow")} maxlength="100" onInput=${(/** @type {Event} */ event) => setQ(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
      <label class="field"><span class="small muted">${t("people.role")}</span><select value=${role} onChange=${(/** @type {Event} */ event) => setRole(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}>
        <option value="">${t("people.all")}</option>${ROLES.map((each) => html`<option key=${each} value=${each}>${word("role", each)}</option>`)}</select></label>
    </div>
    ${rows === undefined ? html`<${Waits} of=${asked} />` : rows.length === 0 ? html`<div class="empty"><p>${t(q === "" ? "people.nobody" : "people.nobodySo")}</p></div>` : html`
      <p class="small muted pad" aria-live="polite">${t("people.found", { n: count(asked.value.found) })}</p>
      <ul class="plain-list">${rows.map((each) => html`<li key=${each.id} class="plain-row" data-user=${each.username}>
        <span class=${`duty ${each.officer?.on_duty ? "on" : "off"}`} aria-hidden="true" />
        <span class="plain-main"><button class="link" onClick=${() => setChosen(each.id)}>${each.display_name}</button>
          <span class="muted">${[each.username, postsOf(each)[0]].join(" · ")}</span></span>
        ${!each.active && html`<span class="tag">${t("people.ended")}</span>`}
        ${each.officer && html`<span class="small muted">${t("officer.cases", { n: each.officer.open_cases })}</span>`}
      </li>`)}</ul>`}`;
}

/** @param {{user: User, back: () => void, changed: () => void}} props */
function One({ user, back, changed }) {
  const officer = user.officer;
  const absences = useAsked(officer ? `/api/v1/officers/${user.id}/absences` : "");
  const ending = useWrite();
  const [replaced, setReplaced] = useState(false);
  const end = async () => {
    if (await ending.send(`/api/v1/users/${user.id}/deactivate`, {}) === null) return;
    say(t("people.isOut", { who: user.display_name }));
    changed();
  };
  return html`<div class="admin-body">
    <header class="admin-head"><button class="quiet icon-button" onClick=${back} aria-label=${t("admin.back")} title=${t("admin.back")}>←</button>
      <h3>${user.display_name}</h3>${!user.active && html`<span class="tag">${t("people.ended")}</span>`}</header>
    <dl class="facts">
      <dt>${t("people.signsIn")}</dt><dd>${user.username}</dd>
      <dt>${t("people.posts")}</dt><dd>${postsOf(user).map((each) => html`<div key=${each}>${each}</div>`)}</dd>
      ${officer && html`
        <dt>${t("people.duty")}</dt><dd>${t(officer.on_duty ? "officer.on" : "officer.off")}</dd>
        <dt>${t("officers.beats")}</dt><dd>${officer.beats.join(" · ") || t("people.noBeats")}</dd>
        <dt>${t("people.absences")}</dt><dd>${absences.wrong || (absences.value?.items ?? []).map((/** @type {any} */ each) => html`<div key=${each.id}>${t("people.absent", { from: moment(each.from), until: moment(each.until), why: word("absence", each.reason) })} · ${word("absenceState", each.state)}</div>`)}
          ${absences.value?.items.length === 0 && t("people.noAbsences")}</dd>
        <dt>${t("people.work")}</dt><dd><button class="link" disabled=${officer.open_cases === 0} onClick=${() => { narrow({ officer: user.id }); panel.value = "cases"; }}>${t("officers.hisCases", { n: officer.open_cases })}</button></dd>`}
    </dl>
    ${officer && (user.active || replaced) && html`<${Replace} user=${user} changed=${() => { setReplaced(true); changed(); }} />`}
    ${holds(ADMINS) && user.active && user.id !== person.value?.id && html`<section class="admin-part"><h4>${t("people.account")}</h4>
      <${Sure} label=${t("people.end")} hurts go=${t("people.endGo")} disabled=${ending.busy} says=${t("people.endSays", { who: user.display_name })} done=${() => void end()} />
      <p class="wrong small" role="alert">${ending.wrong}</p>
      <${Password} user=${user} /></section>`}
  </div>`;
}

/** Another password: he is signed out and comes in by it. @param {{user: User}} props */
function Password({ user }) {
  const [words, setWords] = useState("");
  const giving = useWrite();
  const give = async () => {
    if (await giving.send(`/api/v1/users/${user.id}/password`, { password: words }) === null) return;
    setWords("");
    say(t("people.passwordGiven", { who: user.display_name }));
  };
  return html`<label class="field"><span>${t("people.password")}</span><input id="people-password" type="password" autocomplete="new-password" minlength="8" maxlength="200" value=${words} onInput=${(/** @type {Event} */ event) => setWords(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
    <${Sure} label=${t("people.passwordGo")} go=${t("people.passwordYes")} hurts disabled=${words.length < 8 || giving.busy} says=${t("people.passwordSays", { who: user.display_name })} done=${() => void give()} />
    <p class="wrong small" role="alert">${giving.wrong}</p>`;
}

/** @typedef {"relief" | "handover" | "leaving"} How */

/** @param {{user: User, changed: () => void}} props */
function Replace({ user, changed }) {
  const admin = holds(ADMINS);
  const [how, setHow] = useState(/** @type {How} */ ("relief"));
  const [words, setWords] = useState("");
  const [successor, setSuccessor] = useState("");
  const [beats, setBeats] = useState(true);
  const [reason, setReason] = useState("");
  const [turn, setTurn] = useState(0);
  const [done, setDone] = useState(/** @type {{items: Passed[], beats: string[], took: number} | null} */ (null));
  const [began] = useState(() => performance.now());
  const replacing = useWrite();
  const line = user.officer?.duty_line;
  const others = useAsked(how === "relief" ? "" : `/api/v1/users?role=officer&limit=50&q=${encodeURIComponent(words)}`);
  const options = /** @type {User[]} */ (others.value?.items ?? []).filter((each) => each.active && each.id !== user.id && each.officer?.duty_line === line);
  const takes = how === "relief" ? "" : successor;
  const passes = how === "leaving" && takes !== "" && beats;
  const query = new URLSearchParams({ ...(takes === "" ? {} : { successor: takes }), beats: String(passes), leaves: String(how === "leaving") });
  const wants = how !== "handover" || takes !== "";
  const seen = useAsked(wants && done === null ? `/api/v1/officers/${user.id}/replacement?${query.toString()}` : "", turn);
  const items = /** @type {Passed[]} */ (done?.items ?? seen.value?.items ?? []);

  const shows = done ?? seen.value;
  useEffect(() => {
    plan.value = shows === null ? NO_PLAN : { cells: [], beats: how === "leaving" ? (user.officer?.beats ?? []) : [], spots: spotsOf(items, (each) => each.case, (each) => each.becomes, goesTo) };
  }, [shows]);
  useEffect(() => () => { plan.value = NO_PLAN; }, []);

  const moves = items.filter((each) => each.becomes !== "stays").length, stays = items.length - moves;
  const name = options.find((each) => each.id === successor)?.display_name ?? words;
  const go = async () => {
    const answer = await replacing.send(`/api/v1/officers/${user.id}/replace`, { reason: reason.trim(), beats: passes, leaves: how === "leaving", ...(takes === "" ? {} : { successor: takes }) });
    if (answer === null) return setTurn(turn + 1);
    setDone({ items: answer.items, beats: answer.beats, took: Math.round((performance.now() - began) / 1000) });
    say(t("replace.done", { who: user.display_name, n: answer.items.filter((/** @type {Passed} */ each) => each.becomes !== "stays").length }));
    changed();
  };
  const table = html`<${Table} title=${t("replace.table")} heads=${[t("replace.case"), t("replace.what"), t("replace.goesTo")]} rows=${items.map((each) => {
    const brief = briefOf(each.case);
    return [html`${brief?.number ?? brief?.acceptance_number ?? each.case}`, html`${brief ? categoryName(brief) : ""}`, html`<span class=${`swatch ${each.becomes}`} aria-hidden="true" /> ${word("becomes", each.becomes)}: ${goesTo(each)}${each.why ? html`<div class="small muted">${each.why}</div>` : ""}`];
  })} />`;
  if (done !== null) {
    return html`<section class="admin-part" role="status"><h4>${t("replace.title")}</h4><p><b>${t("replace.took", { who: user.display_name, n: moves, seconds: done.took })}</b></p>
      ${stays > 0 && html`<p>${t("replace.stay", { n: stays })}</p>`}${done.beats.length > 0 && html`<p>${t("replace.beatsWent", { who: name, beats: done.beats.join(" · ") })}</p>`}${table}</section>`;
  }
  return html`<section class="admin-part"><h4>${t("replace.title")}</h4>
    <fieldset class="choices"><legend>${t("replace.how")}</legend>${/** @type {How[]} */ (admin ? ["relief", "handover", "leaving"] : ["relief", "handover"]).map((each) => html`<label key=${each} class="box"><input type="radio" name="how" checked=${how === each} onChange=${() => setHow(each)} /><span><b>${t(`replace.${each}`)}</b> <span class="muted small">${t(`replace.${each}Does`)}</span></span></label>`)}</fieldset>
    ${how !== "relief" && html`<${Combo} id="replace-by" label=${how === "leaving" ? t("replace.byMay") : t("replace.by")} text=${words} hint=${t("people.findHow")} wrong=${others.wrong}
      options=${options.map((each) => ({ id: each.id, says: each.display_name, more: `${t(each.officer?.on_duty ? "officer.on" : "officer.off")} · ${t("officer.cases", { n: each.officer?.open_cases ?? 0 })}` }))}
      typed=${(/** @type {string} */ text) => { setWords(text); setSuccessor(""); }} taken=${(/** @type {string} */ id) => { setSuccessor(id); setWords(options.find((each) => each.id === id)?.display_name ?? ""); }} />`}
    ${how === "leaving" && takes !== "" && html`<label class="box"><input type="checkbox" checked=${beats} onChange=${() => setBeats(!beats)} />${t("replace.beats", { n: user.officer?.beats.length ?? 0 })}</label>`}
    <label class="field"><span>${t("field.reason")}</span><input id="replace-reason" value=${reason} maxlength="500" onInput=${(/** @type {Event} */ event) => setReason(/** @type {HTMLInputElement} */ (event.currentTarget).value)} /></label>
    ${!wants ? html`<p class="muted small">${t("replace.chooseFirst")}</p>` : seen.value === null ? html`<${Waits} of=${seen} />` : items.length === 0 ? html`<p class="muted">${t("replace.nothing")}</p>` : table}
    ${seen.value !== null && how === "leaving" && takes === "" && (user.officer?.beats.length ?? 0) > 0 && html`<p class="wrong small">${t("replace.unmanned", { beats: user.officer?.beats.join(" · ") ?? "" })}</p>`}
    <${Sure} label=${t("replace.go")} go=${t("replace.yes")} hurts=${how === "leaving"} disabled=${!wants || seen.value === null || reason.trim().length < 2 || replacing.busy} done=${() => void go()}
      says=${html`<ul class="says"><li>${takes === "" ? t("replace.saysRouted", { n: moves }) : t("replace.saysGiven", { n: moves, who: name })}</li>${stays > 0 && html`<li>${t("replace.stay", { n: stays })}</li>`}
        <li>${t("replace.saysOff", { who: user.display_name })}</li>${passes && html`<li>${t("replace.saysBeats", { who: name, beats: user.officer?.beats.join(" · ") || "–" })}</li>`}${how === "leaving" && html`<li>${t("replace.saysOut", { who: user.display_name })}</li>`}</ul>`} />
    ${reason.trim().length < 2 && html`<p class="muted small">${t("replace.reasonFirst")}</p>`}
    <p class="wrong small" role="alert">${replacing.wrong}</p>
  </section>`;
}

/** @param {Passed} passed */
const goesTo = (passed) => passed.officer_name ?? t("replace.toPool");
