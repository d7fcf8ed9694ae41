// “Draw a digit”: strokes or a test image → the network's input → its prediction.
import { decodeTensor, readNetwork, runImage, softmax } from "./cnn.js";
import { imageOfStrokes, PEN_WIDTH } from "./digit_image.js";
import { find, findAll, readJson } from "./dom.js";
/** @import { Network, Volume } from "./cnn.js" */
/** @import { Point, Stroke } from "./digit_image.js" */

const PAUSE = 800; // milliseconds without a change after which the prediction is read out
const POSITIVE = [47, 98, 173];
const NEGATIVE = [176, 74, 16];
const INK = [0, 0, 0];
const SMALL = 1e-9; // in place of a largest value of 0, to divide by
const NEAR = 0.004; // points closer than this part of the field's width add nothing to a stroke

const largest = (/** @type {Float64Array} */ values) => values.reduce((a, b) => Math.max(a, b), 0);
const withArticle = (/** @type {number} */ digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
const formatProbability = (/** @type {number} */ probability) => `${(100 * probability).toFixed(1)}\u00a0%`;
/** @template {Element} [T=HTMLElement] @param {string} name @param {new () => T} [kind] */
const digitPart = (name, kind) => find(`#digit-${name}`, kind);

// Paint one pixel for each value, from -1 to 1: the sign is the colour, the size the opacity. (In the dark scheme the
// style sheet turns the colours round.)
/** @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} values */
function paint(canvas, values, positive = INK, negative = INK) {
  const context = contextOf(canvas);
  const image = context.createImageData(canvas.width, canvas.height);
  for (let place = 0; place < values.length; place++) {
    const colour = values[place] < 0 ? negative : positive;
    image.data.set([...colour, Math.round(255 * Math.abs(values[place]))], 4 * place);
  }
  context.putImageData(image, 0, 0);
}

function contextOf(/** @type {HTMLCanvasElement} */ canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

export function startDigit() {
  /** @type {DigitData} */
  const data = readJson("digit-data");
  const paper = digitPart("paper", HTMLCanvasElement);
  const seen = digitPart("seen", HTMLCanvasElement);
  const rows = findAll("#digit-shares li");
  const maps = findAll(".digit-map", HTMLCanvasElement);
  const radios = findAll("#digit-picks input", HTMLInputElement);
  const state = {
    /** @type {Stroke[]} */ strokes: [],
    /** @type {number | null} the test image picked */ pick: null,
    /** @type {number | null} the pen that draws */ pointer: null,
    isAwaited: false,
    restUntil: 0,
    /** @type {Volume[]} */ outputs: [],
    /** @type {number[]} */ probabilities: [],
  };
  /** @type {Network | null} */
  let network = null;
  let pause = 0;

  const isEmpty = () => state.pick === null && !state.strokes.length;

  // The image that the network gets.
  function currentImage() {
    if (state.pick === null) return imageOfStrokes(state.strokes);
    return Uint8Array.from(atob(data.picks[state.pick].pixels), character => character.charCodeAt(0));
  }

  function paintPaper() {
    const edge = Math.round(paper.clientWidth * devicePixelRatio);
    const context = contextOf(paper);
    if (paper.width !== edge) paper.width = paper.height = edge;
    context.clearRect(0, 0, edge, edge);
    context.imageSmoothingEnabled = false;
    if (state.pick !== null) context.drawImage(seen, 0, 0, edge, edge);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = PEN_WIDTH * edge;
    context.beginPath();
    for (const stroke of state.strokes) {
      context.moveTo(stroke[0][0] * edge, stroke[0][1] * edge);
      for (const [x, y] of stroke) context.lineTo(x * edge, y * edge);
    }
    context.stroke();
  }

  function showProbabilities(/** @type {number} */ best) {
    for (const [digit, row] of rows.entries()) {
      const probability = state.probabilities[digit] ?? null;
      const value = find("data", HTMLDataElement, row);
      value.value = String(probability ?? "");
      value.textContent = probability === null ? "–" : formatProbability(probability);
      find(".digit-bar", HTMLElement, row).style.width = `${100 * (probability ?? 0)}%`;
      row.classList.toggle("best", digit === best);
      find(".digit-mark", HTMLElement, row).textContent = digit === best ? "answer" : "";
    }
  }

  // The first layer's maps after ReLU, one array each; zeros where nothing is drawn.
  function firstMaps() {
    /** @type {Volume | undefined} */
    const first = state.outputs[data.layers.findIndex(({ kind }) => kind === "ReLU")];
    return maps.map(({ width, height }, channel) => {
      const plane = width * height;
      return first ? first.values.subarray(channel * plane, (channel + 1) * plane) : new Float64Array(plane);
    });
  }

  function showMaps() {
    const planes = firstMaps();
    const most = Math.max(SMALL, ...planes.map(largest));
    for (const [channel, plane] of planes.entries()) paint(maps[channel], plane.map(value => value / most));
  }

  function describeMaps() {
    for (const [channel, plane] of firstMaps().entries()) {
      const most = largest(plane);
      const { width } = maps[channel];
      const place = plane.indexOf(most);
      const where = `row ${Math.floor(place / width) + 1}, column ${(place % width) + 1}`;
      const words = most > 0 ? `largest value ${most.toFixed(2)}, in ${where}` : "nothing above zero";
      maps[channel].setAttribute("aria-label", `Map ${channel + 1}: ${words}`);
    }
  }

  function showSource() {
    const drawing = state.strokes.length ? "Your drawing, scaled and centred" : "An empty field";
    digitPart("source").textContent = state.pick === null ? drawing : `As it is: ${data.picks[state.pick].name}`;
    digitPart("hint").hidden = state.strokes.length > 0;
  }

  function classify(/** @type {Uint8Array} */ image) {
    network ??= readNetwork(data);
    const start = performance.now();
    const { logits, outputs } = runImage(network, image);
    digitPart("milliseconds").textContent = String(Math.max(1, Math.round(performance.now() - start)));
    digitPart("time").hidden = false;
    return { outputs, probabilities: softmax(logits) };
  }

  // Bring everything but the paper in line with the state.
  function predict() {
    const start = performance.now();
    const image = currentImage();
    paint(seen, Array.from(image, byte => byte / 255));
    Object.assign(state, isEmpty() ? { outputs: [], probabilities: [] } : classify(image));
    const best = state.probabilities.indexOf(Math.max(...state.probabilities));
    showProbabilities(best);
    showMaps();
    showSource();
    const words = isEmpty()
      ? "Draw something"
      : `It looks like ${withArticle(best)}: ${formatProbability(state.probabilities[best])}`;
    digitPart("answer").textContent = words;
    state.restUntil = 2 * performance.now() - start;
  }

  // Once a frame. The prediction gets half of the time at most, so that on any machine the ink keeps up with the pen.
  function update() {
    const isResting = performance.now() < state.restUntil;
    if (!isResting) predict();
    paintPaper();
    state.isAwaited = isResting;
    if (isResting) requestAnimationFrame(update);
    else digitPart("shares").setAttribute("aria-busy", "false");
  }

  function change(isQuiet = false) {
    if (!state.isAwaited) requestAnimationFrame(update);
    state.isAwaited = true;
    digitPart("shares").setAttribute("aria-busy", "true");
    clearTimeout(pause);
    if (!isQuiet) pause = setTimeout(announce, PAUSE);
  }

  // Read the prediction out, and describe the maps, only when the pen is up and the prediction is there.
  function announce() {
    if (state.isAwaited || state.pointer !== null) {
      pause = setTimeout(announce, PAUSE);
      return;
    }
    const order = [...state.probabilities.entries()].sort(([, a], [, b]) => b - a);
    const [first, next] = order.map(([digit, probability]) => `${withArticle(digit)}, ${formatProbability(probability)}`);
    digitPart("status").textContent = first
      ? `The network reads ${first}; next ${next}.`
      : "The field is empty: draw something, or pick a test image.";
    describeMaps();
  }

  /** @param {number | null} choice */
  function pick(choice, isQuiet = false) {
    Object.assign(state, { pick: choice, pointer: null, strokes: [], restUntil: 0 });
    if (choice === null) for (const radio of radios) radio.checked = false;
    change(isQuiet);
  }

  /** @param {PointerEvent} event @returns {Point} */
  function pointOf(event) {
    const field = paper.getBoundingClientRect();
    const clamp = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
    return [clamp((event.clientX - field.left) / field.width), clamp((event.clientY - field.top) / field.height)];
  }

  function begin(/** @type {PointerEvent} */ event) {
    if (state.pointer !== null || event.button) return;
    if (state.pick !== null) pick(null);
    paper.setPointerCapture(event.pointerId);
    state.pointer = event.pointerId;
    state.strokes.push([pointOf(event)]);
    change();
  }

  function move(/** @type {PointerEvent} */ event) {
    if (event.pointerId !== state.pointer) return;
    const stroke = state.strokes[state.strokes.length - 1];
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const point of (passed.length ? passed : [event]).map(pointOf)) {
      const [x, y] = stroke[stroke.length - 1];
      if (Math.hypot(point[0] - x, point[1] - y) > NEAR) stroke.push(point);
    }
    change();
  }

  function end(/** @type {PointerEvent} */ event) {
    if (event.pointerId === state.pointer) state.pointer = null;
  }

  function undo() {
    state.pointer = null;
    state.strokes.pop();
    if (state.pick !== null) pick(null);
    change();
  }

  function paintKernels() {
    const first = data.layers[0];
    const weights = decodeTensor(data.tensors[`${first.name}.weight`]);
    const most = Math.max(SMALL, largest(weights.map(Math.abs)));
    for (const [channel, canvas] of findAll(".digit-kernel", HTMLCanvasElement).entries()) {
      const count = canvas.width * canvas.height;
      const own = weights.subarray(channel * count, (channel + 1) * count);
      paint(canvas, own.map(weight => weight / most), POSITIVE, NEGATIVE);
    }
  }

  // Nothing is computed before the reader comes near; then the first test image shows what there is to see.
  /** @param {IntersectionObserverEntry[]} entries @param {IntersectionObserver} observer */
  function arrive(entries, observer) {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    paintKernels();
    if (!isEmpty()) return;
    radios[0].checked = true;
    pick(0, true);
  }

  paper.addEventListener("pointerdown", begin);
  paper.addEventListener("pointermove", move);
  paper.addEventListener("pointerup", end);
  paper.addEventListener("pointercancel", end);
  digitPart("undo").addEventListener("click", undo);
  digitPart("clear").addEventListener("click", () => pick(null));
  for (const radio of radios) radio.addEventListener("change", () => pick(Number(radio.value)));
  new ResizeObserver(() => change(true)).observe(paper);
  new IntersectionObserver(arrive, { rootMargin: "300px" }).observe(/** @type {Element} */ (paper.closest("section")));
}
