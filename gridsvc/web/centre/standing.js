// What stands unacknowledged is asked for anew with every whole picture: the feed tells what comes, and a break that
// could not be resumed has swallowed what came meanwhile.
import { effect, signal } from "../shared/screen.js";
import { askAll, person } from "../shared/service.js";
import { askingForStanding, takeStanding, wholes } from "./city.js";

/** Roles that are told of alarms. */
export const DESK = new Set(["acceptor", "dispatcher", "supervisor", "admin", "auditor"]);

const AGAIN_MS = 3_000;

/** Whether all that stands is known; until then the page says that it is not. */
export const standingKnown = signal(true);

/** Keep the list of standing alarms whole until the returned function is called. */
export function keepStanding() {
  if (!person.peek()?.roles.some(({ role }) => DESK.has(role))) return () => {};
  let first = true, turn = 0, timer = 0;

  /** @param {number} mine */
  const load = async (mine) => {
    askingForStanding();
    try {
      const standing = await askAll("/api/v1/alarms?acknowledged=false&limit=500");
      if (mine !== turn) return;
      takeStanding(standing, first);
      first = false;
      standingKnown.value = true;
    } catch {
      if (mine === turn) timer = window.setTimeout(() => void load(mine), AGAIN_MS);
    }
  };
  const stop = effect(() => {
    if (wholes.value === 0) return;
    turn += 1;
    clearTimeout(timer);
    standingKnown.value = false;
    void load(turn);
  });
  return () => {
    turn += 1;
    clearTimeout(timer);
    stop();
  };
}
