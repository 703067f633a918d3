// One file to the service by tus 1.0.0 (core, creation, checksum): what has arrived is not sent twice, wherever it was
// cut. It works in the page and in the service worker alike, so it is made of fetch alone.
import { sha256 } from "./ids.js";

const VERSION = "1.0.0";
const PLACE = "/api/v1/attachments";
/** One request's worth: what is lost at most when the line breaks; 256 kB are 20 s on a poor one. */
export const CHUNK = 256 * 1024;

/**
 * @typedef {object} Line how a request is made; it raises for what is no success, and gives the refusal's status and code
 * @property {(method: string, path: string, headers: Record<string, string>, body: BodyInit | null) => Promise<Response>} call
 * @property {(failed: unknown) => {status: number, code: string} | null} refusalOf null: no answer of the service
 */

/**
 * Bring a file over. `place` is where the service takes it, "" before it was asked; `began` and `arrived` are told at
 * each step, so that a page that dies goes on where it was.
 * @param {Line} line
 * @param {Blob} file
 * @param {Record<string, string>} facts what is told of it
 * @param {string} key the Idempotency-Key of its beginning
 * @param {string} place
 * @param {(place: string) => Promise<unknown>} began
 * @param {(bytes: number) => Promise<unknown>} arrived
 * @returns {Promise<string>} the attachment's id
 */
export async function bring(line, file, facts, key, place, began, arrived) {
  let offset = 0;
  if (place === "") {
    const said = await line.call("POST", PLACE, { "Tus-Resumable": VERSION, "Upload-Length": String(file.size), "Upload-Metadata": spelled(facts), "Idempotency-Key": key }, null);
    place = new URL(said.headers.get("Location") ?? "", said.url).pathname;
    await began(place);
    // The beginning may have been sent before, by a page that died: then some of it is there.
  }
  offset = await standing(line, place);
  await arrived(offset);
  while (offset < file.size) {
    const bytes = await file.slice(offset, offset + CHUNK).arrayBuffer();
    const headers = {
      "Tus-Resumable": VERSION, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream",
      "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...new Uint8Array(await sha256(bytes))))}`,
    };
    try {
      const said = await line.call("PATCH", place, headers, bytes);
      offset = Number(said.headers.get("Upload-Offset"));
    } catch (failed) {
      // The service has more or less of it than we thought: an answer was lost, or a chunk came spoilt.
      const refusal = line.refusalOf(failed);
      if (refusal === null || ![409, 460].includes(refusal.status)) throw failed;
      const stands = await standing(line, place);
      if (stands === offset) throw failed;
      offset = stands;
    }
    await arrived(offset);
  }
  return /** @type {string} */ (place.split("/").pop());
}

/** How much of it is there. @param {Line} line @param {string} place */
async function standing(line, place) {
  const said = await line.call("HEAD", place, { "Tus-Resumable": VERSION }, null);
  return Number(said.headers.get("Upload-Offset"));
}

/** Metadata as tus spells it: a name, and its value in Base64 of UTF-8. @param {Record<string, string>} facts */
export const spelled = (facts) =>
  Object.entries(facts).map(([name, value]) => `${name} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`).join(",");
