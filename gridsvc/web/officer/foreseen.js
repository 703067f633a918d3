// What a case will be once that is sent which waits on the phone: so a second step can be made before the first has
// arrived. Nothing is promised by it: the service decides, step by step.

/** @import { MoveRule } from "../shared/types.js" */

/** What becomes possible by an earlier step, and needs nothing that only the service knows. */
const NEXT = ["arrive", "start", "hand_in"];
/** With these the case leaves its owner's hands. */
const LEAVES = new Set(["hand_in", "return", "refer_up", "hand_over", "decline", "visit"]);
/** What may be said again while the same still waits. */
const OFTEN = new Set(["note"]);

/**
 * @param {string} state where it stands at the service
 * @param {string[]} offered the moves that the service offers
 * @param {string[]} waits the moves that wait, in their order
 * @param {ReadonlyMap<string, MoveRule>} rules
 * @returns {{state: string, moves: string[]}}
 */
export function foreseen(state, offered, waits, rules) {
  let then = state;
  for (const move of waits) {
    const rule = rules.get(move);
    if (rule?.before.includes(then) && rule.after !== null) then = rule.after;
  }
  if (waits.some((move) => LEAVES.has(move))) return { state: then, moves: [] };
  if (waits.length === 0) return { state: then, moves: offered };
  const possible = new Set([...offered, ...NEXT]);
  const moves = [...possible].filter((move) => rules.get(move)?.before.includes(then) && (OFTEN.has(move) || !waits.includes(move)));
  return { state: then, moves };
}
