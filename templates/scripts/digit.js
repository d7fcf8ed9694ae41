// “Draw a digit”: strokes or a test image → the network's input → its prediction.
import { decodeBytes, decodeTensor, readNetwork, runImage, softmax } from "./cnn.js";
import { imageOfStrokes, PEN_WIDTH } from "./digit_image.js";
import { find, findAll, readJson } from "./dom.js";
/** @import { Network, Volume } from "./cnn.js" */
/** @import { Point, Stroke } from "./digit_image.js" */

const PAUSE = 800; // milliseconds without a change after which the prediction is read out
const POSITIVE = [47, 98, 173], NEGATIVE = [176, 74, 16], INK = [0, 0, 0];
const SMALL = 1e-9; // in place of a largest value of 0, to divide by
const NEAR = 0.004; // points closer than this part of the field's width add nothing to a stroke

/** @template {Element} [T=HTMLElement] @param {string} name @param {new () => T} [kind] */
const part = (name, kind) => find(`#digit-${name}`, kind);
const findLargest = (/** @type {Float64Array} */ values) => values.reduce((a, b) => Math.max(a, b), 0);
const withArticle = (/** @type {number} */ digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
const formatProbability = (/** @type {number} */ probability) => `${(100 * probability).toFixed(1)}\u00a0%`;
const contextOf = (/** @type {any} */ canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

export class DigitField {
  constructor() {
    /** @type {DigitData} */
    this.data = readJson("digit-data");
    this.paper = part("paper", HTMLCanvasElement);
    this.input = part("seen", HTMLCanvasElement);
    this.maps = findAll(".digit-map", HTMLCanvasElement);
    this.radios = findAll("#digit-picks input", HTMLInputElement);
    this.network = /** @type {Network | null} */ (null);
    this.strokes = /** @type {Stroke[]} */ ([]);
    this.picked = /** @type {number | null} */ (null);
    this.pointer = /** @type {number | null} */ (null);
    this.outputs = /** @type {Volume[]} */ ([]);
    this.probabilities = /** @type {number[]} */ ([]);
    this.isAwaited = false;
    this.restUntil = 0;
    this.pause = 0;
    this.paper.addEventListener("pointerdown", event => this.begin(event));
    this.paper.addEventListener("pointermove", event => this.move(event));
    this.paper.addEventListener("pointerup", event => this.end(event));
    this.paper.addEventListener("pointercancel", event => this.end(event));
    part("undo").addEventListener("click", () => this.undo());
    part("clear").addEventListener("click", () => this.pick(null));
    for (const radio of this.radios) radio.addEventListener("change", () => this.pick(Number(radio.value)));
    new ResizeObserver(() => this.change(true)).observe(this.paper);
    // Nothing is computed before the reader comes near.
    const observer = new IntersectionObserver(entries => {
      if (!entries.some(entry => entry.isIntersecting)) return;
      observer.disconnect();
      this.arrive();
    }, { rootMargin: "300px" });
    observer.observe(/** @type {Element} */ (this.paper.closest("section")));
  }

  // The first test image shows what there is to see.
  arrive() {
    const weights = decodeTensor(this.data.tensors[`${this.data.layers[0].name}.weight`]);
    const most = Math.max(SMALL, findLargest(weights.map(Math.abs)));
    for (const [channel, canvas] of findAll(".digit-kernel", HTMLCanvasElement).entries()) {
      const count = canvas.width * canvas.height, own = weights.subarray(channel * count, (channel + 1) * count);
      paint(canvas, own.map(weight => weight / most), POSITIVE, NEGATIVE);
    }
    if (!this.isEmpty()) return;
    this.radios[0].checked = true;
    this.pick(0, true);
  }

  isEmpty() { return this.picked === null && !this.strokes.length; }

  // Bring everything but the paper in line with the state.
  predict() {
    const start = performance.now(), { strokes, picked, data } = this;
    const image = picked === null ? imageOfStrokes(strokes) : decodeBytes(data.picks[picked].pixels);
    paint(this.input, Array.from(image, byte => byte / 255));
    this.classify(image);
    const best = this.probabilities.indexOf(Math.max(...this.probabilities));
    this.showProbabilities(best);
    const planes = this.firstMaps(), most = Math.max(SMALL, ...planes.map(findLargest));
    for (const [channel, plane] of planes.entries()) paint(this.maps[channel], plane.map(value => value / most));
    const drawing = strokes.length ? "Your drawing, scaled and centred" : "An empty field";
    part("source").textContent = picked === null ? drawing : `As it is: ${data.picks[picked].name}`;
    part("hint").hidden = strokes.length > 0;
    const likely = this.isEmpty() ? "" : formatProbability(this.probabilities[best]);
    part("answer").textContent = likely ? `It looks like ${withArticle(best)}: ${likely}` : "Draw something";
    this.restUntil = 2 * performance.now() - start;
  }

  classify(/** @type {Uint8Array} */ image) {
    this.outputs = [];
    this.probabilities = [];
    if (this.isEmpty()) return;
    this.network ??= readNetwork(this.data);
    const start = performance.now(), { logits, outputs } = runImage(this.network, image);
    part("milliseconds").textContent = String(Math.max(1, Math.round(performance.now() - start)));
    part("time").hidden = false;
    this.outputs = outputs;
    this.probabilities = softmax(logits);
  }

  showProbabilities(/** @type {number} */ best) {
    for (const [digit, row] of findAll("#digit-shares li").entries()) {
      const probability = this.probabilities[digit] ?? null, value = find("data", HTMLDataElement, row);
      value.value = String(probability ?? "");
      value.textContent = probability === null ? "–" : formatProbability(probability);
      find(".digit-bar", HTMLElement, row).style.width = `${100 * (probability ?? 0)}%`;
      row.classList.toggle("best", digit === best);
      find(".digit-mark", HTMLElement, row).textContent = digit === best ? "prediction" : "";
    }
  }

  // The first layer's maps after ReLU, one array each; zeros where nothing is drawn.
  firstMaps() {
    const first = this.outputs.find((_, place) => this.data.layers[place].kind === "ReLU");
    return this.maps.map(({ width, height }, channel) => {
      const plane = width * height;
      return first ? first.values.subarray(channel * plane, (channel + 1) * plane) : new Float64Array(plane);
    });
  }

  paintPaper() {
    const edge = Math.round(this.paper.clientWidth * devicePixelRatio), context = contextOf(this.paper);
    if (this.paper.width !== edge) this.paper.width = this.paper.height = edge;
    context.clearRect(0, 0, edge, edge);
    context.imageSmoothingEnabled = false;
    if (this.picked !== null) context.drawImage(this.input, 0, 0, edge, edge);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN_WIDTH * edge;
    context.beginPath();
    for (const stroke of this.strokes) {
      context.moveTo(stroke[0][0] * edge, stroke[0][1] * edge);
      for (const [x, y] of stroke) context.lineTo(x * edge, y * edge);
    }
    context.stroke();
  }

  // Once a frame. The prediction gets half of the time at most, so that on any machine the ink keeps up with the pen.
  update() {
    this.isAwaited = performance.now() < this.restUntil;
    if (!this.isAwaited) this.predict();
    this.paintPaper();
    if (this.isAwaited) requestAnimationFrame(() => this.update());
    else part("shares").setAttribute("aria-busy", "false");
  }

  change(isQuiet = false) {
    if (!this.isAwaited) requestAnimationFrame(() => this.update());
    this.isAwaited = true;
    part("shares").setAttribute("aria-busy", "true");
    clearTimeout(this.pause);
    if (!isQuiet) this.pause = setTimeout(() => this.announce(), PAUSE);
  }

  // Read the prediction out, and describe the maps, only when the pen is up and the prediction is there.
  announce() {
    if (this.isAwaited || this.pointer !== null) {
      this.pause = setTimeout(() => this.announce(), PAUSE);
      return;
    }
    const order = [...this.probabilities.entries()].sort(([, a], [, b]) => b - a);
    const [first, next] = order.map(([digit, share]) => `${withArticle(digit)}, ${formatProbability(share)}`);
    const empty = "The field is empty: draw something, or pick a test image.";
    part("status").textContent = first ? `The network reads ${first}; next ${next}.` : empty;
    for (const [channel, plane] of this.firstMaps().entries()) {
      const most = findLargest(plane), place = plane.indexOf(most), { width } = this.maps[channel];
      const where = `row ${Math.floor(place / width) + 1}, column ${(place % width) + 1}`;
      const words = most > 0 ? `largest value ${most.toFixed(2)}, in ${where}` : "nothing above zero";
      this.maps[channel].setAttribute("aria-label", `Map ${channel + 1}: ${words}`);
    }
  }

  pick(/** @type {number | null} */ choice, isQuiet = false) {
    this.picked = choice;
    this.pointer = null;
    this.strokes = [];
    this.restUntil = 0;
    if (choice === null) for (const radio of this.radios) radio.checked = false;
    this.change(isQuiet);
  }

  /** @returns {Point} */
  pointOf(/** @type {PointerEvent} */ event) {
    const field = this.paper.getBoundingClientRect();
    const clamp = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return [clamp((event.clientX - field.left) / field.width), clamp((event.clientY - field.top) / field.height)];
  }

  begin(/** @type {PointerEvent} */ event) {
    if (this.pointer !== null || event.button) return;
    if (this.picked !== null) this.pick(null);
    this.paper.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.strokes.push([this.pointOf(event)]);
    this.change();
  }

  move(/** @type {PointerEvent} */ event) {
    if (event.pointerId !== this.pointer) return;
    const stroke = this.strokes[this.strokes.length - 1], passed = event.getCoalescedEvents?.() ?? [];
    for (const point of (passed.length ? passed : [event]).map(one => this.pointOf(one))) {
      const [x, y] = stroke[stroke.length - 1];
      if (Math.hypot(point[0] - x, point[1] - y) > NEAR) stroke.push(point);
    }
    this.change();
  }

  end(/** @type {PointerEvent} */ event) {
    if (event.pointerId === this.pointer) this.pointer = null;
  }

  undo() {
    this.pointer = null;
    this.strokes.pop();
    if (this.picked !== null) this.pick(null);
    this.change();
  }
}

// Paint one pixel for each value, from -1 to 1: the sign is the colour, the size the opacity. (In the dark scheme the
// style sheet turns the colours round.)
/** @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values */
function paint(canvas, values, positive = INK, negative = INK) {
  const context = contextOf(canvas), image = context.createImageData(canvas.width, canvas.height);
  for (let place = 0; place < values.length; place++) {
    const colour = values[place] < 0 ? negative : positive;
    image.data.set([...colour, Math.round(255 * Math.abs(values[place]))], 4 * place);
  }
  context.putImageData(image, 0, 0);
}
