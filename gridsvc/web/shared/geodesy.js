// Lengths and areas on the ellipsoid of WGS-84: what is walked on the ground, not what the screen's pixels say.

/** Longitude and latitude, in degrees. @typedef {[number, number]} Spot */

const A = 6_378_137, F = 1 / 298.257223563, B = A * (1 - F);
const RAD = Math.PI / 180;
const E2 = F * (2 - F), E = Math.sqrt(E2);

/** The series of Vincenty (Survey Review 23/176, 1975), exact to a millimetre. @param {number} u2 */
function series(u2) {
  return {
    first: 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2))),
    second: (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2))),
  };
}

/** @param {number} second @param {number} sin @param {number} cos @param {number} middle */
function bend(second, sin, cos, middle) {
  const square = middle * middle;
  return second * sin * (middle + (second / 4) * (cos * (2 * square - 1) - (second / 6) * middle * (4 * sin * sin - 3) * (4 * square - 3)));
}

/** Metres between two spots. Right for any two of one city; spots at opposite ends of the earth are none of its business. @param {Spot} from @param {Spot} to */
export function metresApart(from, to) {
  const along = (to[0] - from[0]) * RAD;
  const u = Math.atan((1 - F) * Math.tan(from[1] * RAD)), v = Math.atan((1 - F) * Math.tan(to[1] * RAD));
  const sinU = Math.sin(u), cosU = Math.cos(u), sinV = Math.sin(v), cosV = Math.cos(v);
  let lambda = along;
  for (let turn = 0; turn < 50; turn += 1) {
    const east = cosV * Math.sin(lambda), north = cosU * sinV - sinU * cosV * Math.cos(lambda);
    const sin = Math.hypot(east, north), cos = sinU * sinV + cosU * cosV * Math.cos(lambda);
    if (sin === 0) return 0;
    const arc = Math.atan2(sin, cos), steep = (cosU * cosV * Math.sin(lambda)) / sin, flat = 1 - steep * steep;
    const middle = flat === 0 ? 0 : cos - (2 * sinU * sinV) / flat;
    const c = (F / 16) * flat * (4 + F * (4 - 3 * flat));
    const before = lambda;
    lambda = along + (1 - c) * F * steep * (arc + c * sin * (middle + c * cos * (2 * middle * middle - 1)));
    if (Math.abs(lambda - before) < 1e-12) {
      const { first, second } = series((flat * (A * A - B * B)) / (B * B));
      return B * first * (arc - bend(second, sin, cos, middle));
    }
  }
  return NaN;
}

/** The spot so many metres away in a direction, degrees from north. @param {Spot} from @param {number} bearing @param {number} metres @returns {Spot} */
export function spotAt(from, bearing, metres) {
  const turn = bearing * RAD, u = Math.atan((1 - F) * Math.tan(from[1] * RAD));
  const sinU = Math.sin(u), cosU = Math.cos(u), sinT = Math.sin(turn), cosT = Math.cos(turn);
  const start = Math.atan2(Math.tan(u), cosT), steep = cosU * sinT, flat = 1 - steep * steep;
  const { first, second } = series((flat * (A * A - B * B)) / (B * B));
  let arc = metres / (B * first);
  for (let n = 0, before = Infinity; n < 50 && Math.abs(arc - before) > 1e-13; n += 1) {
    before = arc;
    arc = metres / (B * first) + bend(second, Math.sin(arc), Math.cos(arc), Math.cos(2 * start + arc));
  }
  const sin = Math.sin(arc), cos = Math.cos(arc), middle = Math.cos(2 * start + arc);
  const lat = Math.atan2(sinU * cos + cosU * sin * cosT, (1 - F) * Math.hypot(steep, sinU * sin - cosU * cos * cosT));
  const lambda = Math.atan2(sin * sinT, cosU * cos - sinU * sin * cosT);
  const c = (F / 16) * flat * (4 + F * (4 - 3 * flat));
  const along = lambda - (1 - c) * F * steep * (arc + c * sin * (middle + c * cos * (2 * middle * middle - 1)));
  return [from[0] + along / RAD, lat / RAD];
}

/** Metres along a line. @param {Spot[]} line */
export function lengthOf(line) {
  let sum = 0;
  for (let n = 1; n < line.length; n += 1) sum += metresApart(/** @type {Spot} */ (line[n - 1]), /** @type {Spot} */ (line[n]));
  return sum;
}

/** @param {number} sin the sine of a latitude */
const zone = (sin) => (1 - E2) * (sin / (1 - E2 * sin * sin) - Math.log((1 - E * sin) / (1 + E * sin)) / (2 * E));
const POLE = zone(1);

/**
 * Square metres inside a ring, which need not say its first spot twice: on the ball that has the ellipsoid's own
 * surface (authalic latitudes), so no plane has to be chosen.
 * @param {Spot[]} ring
 */
export function areaOf(ring) {
  const half = ring.map(([, lat]) => Math.tan(Math.asin(zone(Math.sin(lat * RAD)) / POLE) / 2));
  let sum = 0;
  for (let n = 0; n < ring.length; n += 1) {
    const next = (n + 1) % ring.length;
    const [lon] = /** @type {Spot} */ (ring[n]), [toLon] = /** @type {Spot} */ (ring[next]);
    const one = /** @type {number} */ (half[n]), other = /** @type {number} */ (half[next]);
    sum += 2 * Math.atan2(Math.tan(((toLon - lon) * RAD) / 2) * (one + other), 1 + one * other);
  }
  return Math.abs(sum) * ((A * A) / 2) * POLE;
}
