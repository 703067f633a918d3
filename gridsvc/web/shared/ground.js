// Distances on the ground, near enough to sort and to show by.

/**
 * On a ball, in metres.
 * @param {number} lon
 * @param {number} lat
 * @param {number} toLon
 * @param {number} toLat
 */
export function metresBetween(lon, lat, toLon, toLat) {
  const north = (toLat - lat) * 111_195;
  const east = (toLon - lon) * 111_195 * Math.cos((lat * Math.PI) / 180);
  return Math.hypot(north, east);
}
