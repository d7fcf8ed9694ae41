// From strokes of a pen to an image as MNIST's were made (LeCun, Cortes and Burges, “The MNIST database”): scaled to fit
// 20 × 20 pixels, with grey edges, and placed so that the centre of mass is in the middle of 28 × 28.
const digitImage = (() => {
  const FIELD = 28, BOX = 20;
  // A stroke is full ink up to CORE pixels from its middle and fades out at EDGE. Among the inked pixels of MNIST's
  // 10,000 test images 30 % are full, and the median stroke is 2.5 pixels wide; these two numbers give the same.
  const CORE = 0.6, EDGE = 1.9;
  // What is smaller than this part of the drawing field is a dot: it stays one and is not enlarged to fill the box.
  const SMALLEST = 0.1;

  function bounds(strokes) {
    const points = strokes.flat(), xs = points.map(point => point[0]), ys = points.map(point => point[1]);
    // One by one: as arguments of a single call a long drawing's points would be too many.
    const least = values => values.reduce((a, b) => Math.min(a, b));
    const most = values => values.reduce((a, b) => Math.max(a, b));
    return { left: least(xs), right: most(xs), top: least(ys), bottom: most(ys) };
  }

  // Scale strokes so that their ink just fits the box, keeping their proportions, in the middle of the box.
  function fitted(strokes) {
    const { left, right, top, bottom } = bounds(strokes);
    const scale = (BOX - 2 * EDGE) / Math.max(right - left, bottom - top, SMALLEST);
    const place = ([x, y]) => [
      BOX / 2 + (x - (left + right) / 2) * scale,
      BOX / 2 + (y - (top + bottom) / 2) * scale,
    ];
    return strokes.map(stroke => stroke.map(place));
  }

  function distance(x, y, [ax, ay], [bx, by]) {
    const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
    const along = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
    return Math.hypot(x - ax - along * dx, y - ay - along * dy);
  }

  // Ink each pixel of the box by the distance of its middle from the nearest stroke.
  function inked(strokes) {
    const ink = new Float64Array(BOX * BOX);
    for (const stroke of strokes)
      stroke.forEach((to, place) => inkSegment(ink, stroke[Math.max(0, place - 1)], to));
    return ink;
  }

  function inkSegment(ink, from, to) {
    const first = axis => Math.max(0, Math.floor(Math.min(from[axis], to[axis]) - EDGE));
    const last = axis => Math.min(BOX - 1, Math.floor(Math.max(from[axis], to[axis]) + EDGE));
    for (let row = first(1); row <= last(1); row++)
      for (let column = first(0); column <= last(0); column++) {
        const away = distance(column + 0.5, row + 0.5, from, to);
        const value = Math.min(1, Math.max(0, (EDGE - away) / (EDGE - CORE)));
        ink[row * BOX + column] = Math.max(ink[row * BOX + column], value);
      }
  }

  // How far to move the box along one axis, in whole pixels as MNIST's makers did, so that its centre of mass comes to
  // lie in pixel 14; but no further than the field reaches.
  function offset(ink, coordinate) {
    let mass = 0, moment = 0;
    ink.forEach((value, place) => { mass += value; moment += value * coordinate(place); });
    return Math.min(FIELD - BOX, Math.max(0, FIELD / 2 - Math.round(moment / mass)));
  }

  // Turn strokes, each a list of points [x, y] in any unit of which the drawing field is 1 wide, into 28 × 28 bytes.
  function fromStrokes(strokes) {
    const image = new Uint8Array(FIELD * FIELD);
    if (!strokes.length) return image;
    const ink = inked(fitted(strokes));
    const right = offset(ink, place => place % BOX), down = offset(ink, place => Math.floor(place / BOX));
    ink.forEach((value, place) => {
      image[(Math.floor(place / BOX) + down) * FIELD + (place % BOX) + right] = Math.round(255 * value);
    });
    return image;
  }

  // The width of a pen that looks in the drawing field as it does in the image, as a part of the field's width.
  const penWidth = (CORE + EDGE) / FIELD;

  return { fromStrokes, penWidth };
})();
