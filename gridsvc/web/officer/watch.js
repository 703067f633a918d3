// What goes on as long as somebody is signed in, whatever page is open.
import { effect } from "../shared/screen.js";
import { Refused } from "../shared/service.js";
import { categories, loadCategories } from "./categories.js";
import { measure } from "./citytime.js";
import { settleAlone } from "./conflicts.js";
import { loadDuty } from "./duty.js";
import { followLetters } from "./letters.js";
import { followNotices, sound } from "./notices.js";
import { outbox } from "./outbox.js";
import { followPositions } from "./positions.js";
import { online } from "./sync.js";
import { followWork, waitingFor, work } from "./tasks.js";
import { followWalks } from "./walks.js";

const AGAIN_MS = 5_000;
const HOUR_MS = 3_600_000;

/** What may be reported, before anybody wants to report: a phone that was opened once with a network can report without. */
async function keepCategories() {
  try {
    await loadCategories();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused; // asked again when the network is back
  }
}

/** Watch until the returned function is called. */
export function keepWatch() {
  const ends = [
    followWork(), followWalks(), followLetters(), followNotices(), followPositions(),
    effect(() => {
      // What was said of duty has arrived, or the network is back.
      if (online.value && !(outbox.value ?? []).some((each) => each.about.case === "duty" && each.state !== "done")) void loadDuty();
    }),
    effect(() => {
      if (online.value) void measure();
    }),
    effect(() => {
      if (online.value && categories.peek() === null) void keepCategories();
    }),
    effect(() => {
      for (const each of outbox.value ?? []) if (each.state === "conflict") void settleAlone(each);
    }),
  ];
  void loadDuty();
  const hourly = setInterval(() => void measure(), HOUR_MS);
  // An emergency rings until it is answered here, or taken by another.
  const rings = setInterval(() => {
    if ((work.peek()?.calls ?? []).some((call) => waitingFor(call.case_id).length === 0)) sound(true);
  }, AGAIN_MS);
  return () => {
    clearInterval(rings);
    clearInterval(hourly);
    ends.forEach((end) => end());
  };
}
