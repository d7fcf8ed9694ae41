// From strokes of a pen to an image as MNIST's were made (LeCun, Cortes and Burges, “The MNIST database”): scaled to
// fit 20 × 20 pixels, with grey edges, and placed so that the centre of mass is in the middle of 28 × 28.
/** @typedef {[x: number, y: number]} Point in any unit of which the drawing field is 1 wide */
/** @typedef {Point[]} Stroke */

const FIELD = 28, BOX = 20;
// A stroke is full ink up to CORE pixels from its middle and fades out at EDGE. Among the inked pixels of MNIST's
// 10,000 test images 30 % are full, and the median stroke is 2.5 pixels wide; these two numbers give the same.
const CORE = 0.6, EDGE = 1.9;
// What is smaller than this part of the drawing field is a dot: it stays one and is not enlarged to fill the box.
const SMALLEST = 0.1;
// The width of a pen that looks in the drawing field as it does in the image, as a part of the field's width.
export const PEN_WIDTH = (CORE + EDGE) / FIELD;

// Render strokes as 28 × 28 bytes.
export function imageOfStrokes(/** @type {Stroke[]} */ strokes) {
  const image = new Uint8Array(FIELD * FIELD);
  if (!strokes.length) return image;
  const ink = inkBox(fitBox(strokes));
  const right = centreOffset(ink, place => place % BOX), down = centreOffset(ink, place => Math.floor(place / BOX));
  for (const [place, value] of ink.entries()) {
    image[(Math.floor(place / BOX) + down) * FIELD + (place % BOX) + right] = Math.round(255 * value);
  }
  return image;
}

// Scale strokes so that their ink just fits the box, keeping their proportions, in the middle of the box.
function fitBox(/** @type {Stroke[]} */ strokes) {
  const [[left, right], [top, bottom]] = [0, 1].map(axis => {
    const values = strokes.flat().map(point => point[axis]);
    // One by one: as arguments of a single call a long drawing's points would be too many.
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  });
  const scale = (BOX - 2 * EDGE) / Math.max(right - left, bottom - top, SMALLEST);
  /** @param {Point} point @returns {Point} */
  const place = ([x, y]) => [BOX / 2 + (x - (left + right) / 2) * scale, BOX / 2 + (y - (top + bottom) / 2) * scale];
  return strokes.map(stroke => stroke.map(place));
}

// Ink each pixel of the box by the distance of its middle from the nearest stroke.
function inkBox(/** @type {Stroke[]} */ strokes) {
  const ink = new Float64Array(BOX * BOX);
  for (const stroke of strokes) {
    for (const [place, to] of stroke.entries()) inkSegment(ink, stroke[Math.max(0, place - 1)], to);
  }
  return ink;
}

function inkSegment(/** @type {Float64Array} */ ink, /** @type {Point} */ from, /** @type {Point} */ to) {
  const [[left, right], [top, bottom]] = [0, 1].map(axis => [
    Math.max(0, Math.floor(Math.min(from[axis], to[axis]) - EDGE)),
    Math.min(BOX - 1, Math.floor(Math.max(from[axis], to[axis]) + EDGE)),
  ]);
  for (let row = top; row <= bottom; row++)
    for (let column = left; column <= right; column++) {
      const away = measureDistance([column + 0.5, row + 0.5], from, to);
      const value = Math.min(1, Math.max(0, (EDGE - away) / (EDGE - CORE)));
      ink[row * BOX + column] = Math.max(ink[row * BOX + column], value);
    }
}

// Of a point from the line between two others.
/** @param {Point} point @param {Point} from @param {Point} to */
function measureDistance([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

// How far to move the box along one axis, in whole pixels as MNIST's makers did, so that its centre of mass lies in
// pixel 14; but no further than the field reaches.
function centreOffset(/** @type {Float64Array} */ ink, /** @type {(place: number) => number} */ coordinate) {
  const mass = ink.reduce((sum, value) => sum + value, 0);
  const moment = ink.reduce((sum, value, place) => sum + value * coordinate(place), 0);
  return Math.min(FIELD - BOX, Math.max(0, FIELD / 2 - Math.round(moment / mass)));
}
