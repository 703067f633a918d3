// Photographs and voice notes as they are taken in: made smaller on the phone, named by their content, kept at once.
import { person } from "../shared/service.js";
import { claimsOf } from "./exif.js";
import { hex, newId, sha256 } from "./ids.js";
import { putPhoto } from "./keep.js";

/** @import { Photo } from "./keep.js" */
/** @import { Claims } from "./exif.js" */

const LONGEST_PX = 2048;
const QUALITY = 0.72;
const HEAD = 131_072;

/** A file that is no picture this phone can read. */
export class Unreadable extends Error {}

/**
 * Take a photograph in. It is on the disk when this returns. Raises Unreadable.
 * @param {File} file
 * @returns {Promise<Photo>}
 */
export async function takePhoto(file) {
  const claims = claimsOf(await file.slice(0, HEAD).arrayBuffer());
  return keep(await smaller(file), claims);
}

/**
 * Take a voice note in.
 * @param {Blob} sound
 */
export const takeVoice = (sound) => keep(sound, { taken_at: new Date().toISOString(), lon: null, lat: null });

/** @param {Blob} blob @param {Claims} claims @returns {Promise<Photo>} */
async function keep(blob, claims) {
  const photo = {
    id: newId(), by: person.peek()?.id ?? "", blob, sha256: hex(await sha256(await blob.arrayBuffer())), ...claims,
    kept_at: Date.now(), upload: "", begun: 0, attachment: null,
  };
  await putPhoto(photo);
  return photo;
}

/** The picture upright, at most 2048 pixels long, as JPEG. @param {File} file @returns {Promise<Blob>} */
async function smaller(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new Unreadable(file.name);
  });
  const scale = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob === null ? failed(new Unreadable(file.name)) : done(blob)), "image/jpeg", QUALITY));
}
