// What the form of a move asks for, and what a refusal says: the same at a desk and on a phone.
import { language, named, phrase, t, word } from "./language.js";

/** @import { MoveRule } from "./types.js" */

/** What is only announced makes no decision stale: nobody is asked again because a rung fired meanwhile. */
export const ANNOUNCED = new Set(["escalate", "remind", "adjust"]);

/** Which results a check may have, by where the case stands. */
const CHECKS = /** @type {Record<string, string>} */ ({ reported: "pre_filing_check", handled: "closing_check", closed: "re_check" });

/**
 * The fields of a move's form. A reason is a code or words: where there are codes, the code comes first.
 * @param {MoveRule} rule
 */
export function fieldsOf(rule) {
  const coded = rule.may_say.includes("reason_code") && rule.reasons.some((each) => each.active);
  const fields = coded ? [{ name: "reason_code", needed: true }] : [];
  for (const name of rule.must_say) fields.push({ name, needed: !(coded && name === "reason") });
  for (const name of rule.may_say) if (name !== "reason_code" && name !== "attributes") fields.push({ name, needed: false });
  return fields;
}

/**
 * The values of a field that the table of moves itself names; null: it names none.
 * @param {string} name
 * @param {MoveRule} rule
 * @param {string | undefined} state where the case stands; undefined: unknown, as in a form for many
 * @returns {{code: string, says: string}[] | null}
 */
export function codesOf(name, rule, state) {
  const known = rule.choices.filter((each) => each.field === name);
  if (known.length > 0) return known.map((each) => ({ code: each.code, says: named(each.name, each.name_en) }));
  if (name === "reason_code") {
    return rule.reasons.filter((each) => each.active).map((each) => ({ code: each.code, says: named(each.name, each.name_en) + (each.wants_words ? t("field.wantsWords") : "") }));
  }
  if (name === "result") {
    const kind = state !== undefined && rule.move === "check" ? CHECKS[state] : undefined;
    return rule.results.filter((each) => kind === undefined || each.of === kind).map((each) => ({ code: each.code, says: named(each.name, each.name_en) }));
  }
  return null;
}

/**
 * What a refusal says in the person's words. The service explains itself in English: elsewhere what was given stands
 * beside our own words instead.
 * @param {{status: number, code: string, message: string, facts: Record<string, unknown>}} refused as Refused has it, or as it was kept
 */
export function sentence(refused) {
  if (refused.status === 0) return t("trouble.unreachable");
  const { guard, reason, field, given } = refused.facts;
  const said = phrase("guard", guard, refused.facts) ?? phrase("setup", reason, refused.facts);
  if (said !== null) return said;
  const known = word("refused", refused.code);
  if (language.value === "en" || known === refused.code) return `${known}: ${refused.message}`;
  const about = [field, given].filter((each) => typeof each === "string" || typeof each === "number").join(": ");
  return about === "" ? known : `${known}（${about}）`;
}
