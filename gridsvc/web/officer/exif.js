// What a camera wrote into a photograph of when and where it was taken. Claims, no proof; the picture that is sent is
// drawn anew and has none of it.

const APP1 = 0xe1, SCAN = 0xda;
const EXIF_IFD = 0x8769, GPS_IFD = 0x8825, TAKEN = 0x9003, TAKEN_ZONE = 0x9011;

/** @typedef {{taken_at: string, lon: number | null, lat: number | null}} Claims `taken_at` RFC 3339, by the phone's zone where none is written; "" where nothing is */

/**
 * Read the claims of a JPEG; empty ones where there are none or they cannot be read.
 * @param {ArrayBuffer} bytes its first 128 kB are enough
 * @returns {Claims}
 */
export function claimsOf(bytes) {
  try {
    return read(new DataView(bytes)) ?? { taken_at: "", lon: null, lat: null };
  } catch (odd) {
    if (!(odd instanceof RangeError)) throw odd; // an offset that leads out of the file
    return { taken_at: "", lon: null, lat: null };
  }
}

/** @param {DataView} view @returns {Claims | null} */
function read(view) {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (view.getUint8(at) === 0xff && view.getUint8(at + 1) !== SCAN) {
    const marker = view.getUint8(at + 1), length = view.getUint16(at + 2);
    if (marker === APP1 && view.getUint32(at + 4) === 0x45786966) return ofTiff(new DataView(view.buffer, view.byteOffset + at + 10, length - 8));
    at += 2 + length;
  }
  return null;
}

/** @param {DataView} tiff @returns {Claims} */
function ofTiff(tiff) {
  const little = tiff.getUint16(0) === 0x4949;
  const first = table(tiff, tiff.getUint32(4, little), little);
  const exif = first.has(EXIF_IFD) ? table(tiff, number(first.get(EXIF_IFD)), little) : new Map();
  const gps = first.has(GPS_IFD) ? table(tiff, number(first.get(GPS_IFD)), little) : new Map();
  const written = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(text(exif.get(TAKEN)));
  const zone = /^[+-]\d\d:\d\d$/.exec(text(exif.get(TAKEN_ZONE)))?.[0] ?? "";
  const taken = new Date(written ? `${written[1]}-${written[2]}-${written[3]}T${written[4]}${zone}` : NaN);
  return { taken_at: Number.isNaN(taken.getTime()) ? "" : taken.toISOString(), lat: degrees(gps.get(2), text(gps.get(1)), 90), lon: degrees(gps.get(4), text(gps.get(3)), 180) };
}

/** @typedef {string | number[]} Value */

/**
 * One table of tags.
 * @param {DataView} tiff @param {number} at @param {boolean} little
 * @returns {Map<number, Value>}
 */
function table(tiff, at, little) {
  /** @type {Map<number, Value>} */
  const found = new Map();
  const rows = tiff.getUint16(at, little);
  for (let row = 0; row < rows; row++) {
    const here = at + 2 + row * 12;
    const tag = tiff.getUint16(here, little), type = tiff.getUint16(here + 2, little), count = tiff.getUint32(here + 4, little);
    const size = { 2: 1, 3: 2, 4: 4, 5: 8 }[type];
    if (size === undefined || count > 64) continue; // neither text nor number, or nothing that we look for
    const from = size * count <= 4 ? here + 8 : tiff.getUint32(here + 8, little);
    if (type === 2) {
      found.set(tag, String.fromCharCode(...new Uint8Array(tiff.buffer, tiff.byteOffset + from, count)).replace(/\0.*$/s, ""));
    } else {
      found.set(tag, Array.from({ length: count }, (_, n) => {
        const each = from + n * size;
        if (type === 5) return tiff.getUint32(each, little) / tiff.getUint32(each + 4, little);
        return type === 3 ? tiff.getUint16(each, little) : tiff.getUint32(each, little);
      }));
    }
  }
  return found;
}

/** @param {Value | undefined} value */
const text = (value) => (typeof value === "string" ? value : "");

/** @param {Value | undefined} value */
const number = (value) => (typeof value === "object" ? (value[0] ?? 0) : 0);

/** Degrees, minutes, seconds. @param {Value | undefined} value @param {string} side @param {number} most */
function degrees(value, side, most) {
  if (typeof value !== "object" || value.length !== 3 || !/^[NSEW]/.test(side)) return null;
  const [d = NaN, m = NaN, s = NaN] = value;
  const sum = d + m / 60 + s / 3600;
  return Number.isFinite(sum) && sum <= most ? Number((/^[SW]/.test(side) ? -sum : sum).toFixed(6)) : null;
}
