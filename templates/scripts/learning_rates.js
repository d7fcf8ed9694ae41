// The comparison of learning rates: reading the curves at an iteration, and a curve of the reader's own.
import { createPath, createScale } from "./chart.js";
import { createSvg, find, findAll, readJson, setAttributes } from "./dom.js";
import { createNumberField, findRateProblem, formatCount, formatPercent, formatSignificant } from "./numbers.js";
import { describeTrouble, errorsOf, measureRun, runNetwork, settings } from "./run.js";
/** @import { Scale } from "./chart.js" */
/** @typedef {{ label: string, colour: string, errors: number[] }} Curve */
/** @typedef {ReturnType<typeof measureOwn>} OwnRun */

const LETTER_WIDTH = 9; // about that of the label's letters, in the drawing's units

export function startComparison() {
  /** @type {LiveComparison} */
  const data = readJson("learning-rates-data");
  const errorsAt = (/** @type {number} */ rate) =>
    errorsOf(runNetwork(settings.starts[0].values, rate, data.searched - 1));
  const curves = data.curves.map(({ label, colour, learning_rate }) => {
    return { label, colour, errors: errorsAt(learning_rate).slice(0, data.iterations) };
  });
  const measure = (/** @type {number} */ rate) => measureOwn(errorsAt(rate), curves[0], data.iterations);
  const charts = data.figures.map(figure => createComparisonChart(figure, moveTo));
  const words = find("#own-rate-said");
  /** @type {Curve | null} */
  let own = null;

  /** @param {number} iteration */
  function moveTo(iteration) {
    for (const chart of charts) chart.read(own ? [...curves, own] : curves, iteration);
  }

  /** @param {Curve | null} curve @param {string} text */
  function show(curve, text) {
    own = curve;
    for (const chart of charts) {
      chart.drawOwn(own, curves);
      chart.read(own ? [...curves, own] : curves, chart.iteration());
    }
    fillOwnColumn(own);
    words.textContent = text;
  }

  /** @param {number} rate */
  function addRate(rate) {
    const run = measure(rate);
    const label = `η\u00a0=\u00a0${formatSignificant(rate, 12)}`;
    show({ label, colour: "ink", errors: run.errors }, describeOwn(label, run, curves[0], data));
  }

  const input = find("#own-rate", HTMLInputElement);
  const field = createNumberField(input, addRate, findRateProblem, () => show(null, ""));
  find("#own-rate-remove").addEventListener("click", () => {
    field.set(NaN);
    show(null, "");
  });
  moveTo(0);
  return { measure };
}

// One run over the iterations of the figures; halving is searched for longer.
/** @param {number[]} searched @param {Curve} slowest @param {number} iterations */
function measureOwn(searched, slowest, iterations) {
  const errors = searched.slice(0, iterations);
  const run = measureRun(errors);
  const ratio = run.last / slowest.errors[iterations - 1];
  return { ...run, errors, halvedAt: measureRun(searched).halvedAt, ratio };
}

/** @param {string} label @param {OwnRun} run @param {Curve} slowest @param {LiveComparison} data */
function describeOwn(label, run, slowest, data) {
  const updates = data.iterations - 1;
  const trouble = describeTrouble(run, updates).join(" ");
  if (run.overflow !== null) return `${label}: ${trouble}`;
  const error = `after ${formatCount(updates)} updates the error is ${formatSignificant(run.last, 4)}`;
  const share = run.share > 1 ? `${formatSignificant(run.share, 3)} times` : `${formatPercent(run.share)} of`;
  const ratio = Number.isFinite(run.ratio) ? `, ${formatSignificant(run.ratio, 3)} times that of ${slowest.label}` : "";
  const past = run.halvedAt !== null && run.halvedAt > updates ? ", past what the figures show" : "";
  const halved =
    run.halvedAt === null
      ? `The error is not halved within ${formatCount(data.searched - 1)} iterations.`
      : `The error is halved in iteration ${formatCount(run.halvedAt)}${past}.`;
  return `${label}: ${error}, ${share} the initial error${ratio}. ${halved} ${trouble}`.trim();
}

// A chart that the page already has, with a cursor and a curve laid over it.
/** @param {LiveFigure} figure @param {(iteration: number) => void} onMove */
function createComparisonChart({ name, frame }, onMove) {
  const svg = /** @type {SVGSVGElement} */ (find(`#${name}-title`, SVGElement).ownerSVGElement);
  const reader = find(`#${name}-reader`);
  const slider = find("input", HTMLInputElement, reader);
  const [output, list] = ["output", "ul"].map(tag => find(tag, HTMLElement, reader));
  const scale = createScale(frame);
  const layer = createSvg("g", { class: "live-only" });
  const clip = createSvg("clipPath", { id: `${name}-own` });
  const size = { width: frame.right - frame.left, height: frame.bottom - frame.top };
  clip.append(createSvg("rect", { x: frame.left, y: frame.top, ...size }));
  const line = createSvg("path", { class: "own-curve", "clip-path": `url(${"#"}${clip.id})` });
  const label = createSvg("text", { class: "own-label" });
  const cursor = createSvg("path", { class: "cursor" });
  const dots = createSvg("g", {});
  layer.append(clip, line, cursor, dots, label);
  svg.append(layer);
  slider.addEventListener("input", () => onMove(slider.valueAsNumber));
  svg.addEventListener("pointermove", event => onMove(scale.iterationAt(event, svg)));

  /** @param {Curve | null} own @param {Curve[]} curves */
  function drawOwn(own, curves) {
    line.setAttribute("d", own ? createPath(own.errors, scale) : "");
    label.textContent = "";
    if (own) placeLabel(label, own, curves, scale);
  }

  /** @param {Curve[]} curves @param {number} iteration */
  function read(curves, iteration) {
    slider.value = output.textContent = String(iteration);
    const x = scale.x(iteration);
    cursor.setAttribute("d", `M${x} ${frame.top}V${frame.bottom}`);
    const shown = curves.filter(curve => scale.shows(curve.errors[iteration]));
    dots.replaceChildren(
      ...shown.map(({ colour, errors }) =>
        createSvg("circle", { class: `reading-dot f-${colour}`, r: 4.5, cx: x, cy: scale.y(errors[iteration]) }),
      ),
    );
    list.replaceChildren(...curves.map(curve => createReading(curve, iteration)));
    const texts = Array.from(list.children, item => item.textContent.replace(/\s+/g, " "));
    slider.setAttribute("aria-valuetext", `${iteration}: ${texts.join(" ")}`);
  }

  return { iteration: () => slider.valueAsNumber, drawOwn, read };
}

/** @param {Element} label @param {Curve} own @param {Curve[]} curves @param {Scale} scale */
function placeLabel(label, own, curves, scale) {
  const points = own.errors.map((error, k) => ({ k, error })).filter(point => scale.shows(point.error));
  const best = findFreestPoint(points, curves, scale);
  if (!best) return;
  const text = own.label + (own.errors.some(error => error > scale.frame.y_range[1]) ? " ↑" : "");
  const [x, y] = [scale.x(best.k), scale.y(best.error)];
  // Beside the curve, on the side from which it falls.
  const fits = x - scale.frame.left > LETTER_WIDTH * text.length;
  const isLeft = fits && own.errors[best.k + 1] > best.error;
  label.textContent = text;
  setAttributes(label, { "text-anchor": isLeft ? "end" : "start", x: x + (isLeft ? -7 : 7) });
  setAttributes(label, { y: Math.max(y - 5, scale.frame.top + 14) });
}

// Where on the curve its label has most room to the other curves.
/** @param {{ k: number, error: number }[]} points @param {Curve[]} curves @param {Scale} scale */
function findFreestPoint(points, curves, scale) {
  const { left, right } = scale.frame;
  const inMiddle = points.filter(({ k }) => Math.abs(scale.x(k) - (left + right) / 2) < 0.3 * (right - left));
  let best = null;
  let most = -Infinity;
  for (const point of inMiddle.length ? inMiddle : points) {
    const others = curves.map(curve => curve.errors[point.k]).filter(Number.isFinite);
    const room = Math.min(...others.map(other => Math.abs(scale.y(other) - scale.y(point.error))), Infinity);
    if (room > most) [best, most] = [point, room];
  }
  return best;
}

/** @param {Curve} curve @param {number} iteration */
function createReading(curve, iteration) {
  const item = document.createElement("li");
  const [name, value] = [document.createElement("span"), document.createElement("span")];
  name.className = `t-${curve.colour}`;
  name.textContent = curve.label;
  value.textContent = formatSignificant(curve.errors[iteration], 4);
  item.append(name, " ", value);
  return item;
}

function fillOwnColumn(/** @type {Curve | null} */ own) {
  for (const cell of findAll("#errors-table .own")) cell.remove();
  if (!own) return;
  for (const [place, row] of findAll("#errors-table tr").entries()) {
    const cell = document.createElement(place ? "td" : "th");
    cell.className = "own";
    if (!place) cell.scope = "col";
    cell.textContent = place ? formatSignificant(own.errors[place - 1], 6) : own.label;
    row.append(cell);
  }
}
