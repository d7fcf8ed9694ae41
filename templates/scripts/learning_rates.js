// The comparison of learning rates: reading the curves at an iteration, and a curve of the reader's own.
import { createPath, createScale } from "./chart.js";
import { createSvg, find, findAll, readJson, setAttributes } from "./dom.js";
import { formatCount, formatPercent, formatSignificant, NumberField } from "./numbers.js";
import { describeTrouble, errorsOf, measureRun, runNetwork, settings } from "./run.js";
/** @import { Scale } from "./chart.js" */
/** @typedef {{ label: string, colour: string, errors: number[] }} Curve */

const LETTER_WIDTH = 9; // about that of the label's letters, in the drawing's units

export class Comparison {
  constructor() {
    /** @type {LiveComparison} */
    this.data = readJson("learning-rates-data");
    this.curves = this.data.curves.map(({ label, colour, learning_rate }) => {
      return { label, colour, errors: this.errorsAt(learning_rate).slice(0, this.data.iterations) };
    });
    this.own = /** @type {Curve | null} */ (null);
    this.charts = this.data.figures.map(figure => new ComparisonChart(figure, iteration => this.moveTo(iteration)));
    const options = { isPositive: true, onClear: () => this.show(null, "") };
    const field = new NumberField(find("#own-rate", HTMLInputElement), rate => this.addRate(rate), options);
    find("#own-rate-remove").addEventListener("click", () => { field.set(NaN); this.show(null, ""); });
    this.moveTo(0);
  }

  errorsAt(/** @type {number} */ rate) {
    return errorsOf(runNetwork(settings.starts[0].values, rate, this.data.searched - 1));
  }

  moveTo(/** @type {number} */ iteration) {
    for (const chart of this.charts) chart.read(this.own ? [...this.curves, this.own] : this.curves, iteration);
  }

  // One run over the iterations of the figures; halving is searched for longer.
  measure(/** @type {number} */ rate) {
    const searched = this.errorsAt(rate), errors = searched.slice(0, this.data.iterations), run = measureRun(errors);
    const ratio = run.last / this.curves[0].errors[errors.length - 1];
    return { ...run, errors, halvedAt: measureRun(searched).halvedAt, ratio };
  }

  addRate(/** @type {number} */ rate) {
    const run = this.measure(rate), label = `η\u00a0=\u00a0${formatSignificant(rate, 12)}`;
    const words = describeOwn(run, this.curves[0], this.data);
    this.show({ label, colour: "ink", errors: run.errors }, `${label}: ${words}`);
  }

  show(/** @type {Curve | null} */ own, /** @type {string} */ words) {
    this.own = own;
    for (const chart of this.charts) chart.drawOwn(own, this.curves);
    for (const chart of this.charts) chart.read(own ? [...this.curves, own] : this.curves, chart.slider.valueAsNumber);
    fillOwnColumn(own);
    find("#own-rate-said").textContent = words;
  }
}

/** @param {ReturnType<Comparison["measure"]>} run @param {Curve} slowest @param {LiveComparison} data */
function describeOwn(run, slowest, data) {
  const updates = data.iterations - 1, trouble = describeTrouble(run, updates).join(" ");
  if (run.overflow !== null) return trouble;
  const error = `after ${formatCount(updates)} updates the error is ${formatSignificant(run.last, 4)}`;
  const share = run.share > 1 ? `${formatSignificant(run.share, 3)} times` : `${formatPercent(run.share)} of`;
  const ratio = Number.isFinite(run.ratio) ? `, ${formatSignificant(run.ratio, 3)} times that of ${slowest.label}` : "";
  const past = (run.halvedAt ?? 0) > updates ? ", past what the figures show" : "";
  const halved = run.halvedAt === null
    ? `The error is not halved within ${formatCount(data.searched - 1)} iterations.`
    : `The error is halved in iteration ${formatCount(run.halvedAt)}${past}.`;
  return `${error}, ${share} the initial error${ratio}. ${halved} ${trouble}`.trim();
}

// A chart that the page already has, with a cursor and a curve laid over it.
class ComparisonChart {
  constructor(/** @type {LiveFigure} */ { name, frame }, /** @type {(iteration: number) => void} */ onMove) {
    const reader = find(`#${name}-reader`), { left, right, top, bottom } = frame;
    const svg = /** @type {SVGSVGElement} */ (find(`#${name}-title`, SVGElement).ownerSVGElement);
    const layer = createSvg("g", { class: "live-only" }), clip = createSvg("clipPath", { id: `${name}-own` });
    clip.append(createSvg("rect", { x: left, y: top, width: right - left, height: bottom - top }));
    this.slider = find("input", HTMLInputElement, reader);
    this.output = find("output", HTMLOutputElement, reader);
    this.list = find("ul", HTMLUListElement, reader);
    this.scale = createScale(frame);
    this.line = createSvg("path", { class: "own-curve", "clip-path": `url(${"#"}${clip.id})` });
    this.label = createSvg("text", { class: "own-label" });
    this.cursor = createSvg("path", { class: "cursor" });
    this.dots = createSvg("g", {});
    layer.append(clip, this.line, this.cursor, this.dots, this.label);
    svg.append(layer);
    this.slider.addEventListener("input", () => onMove(this.slider.valueAsNumber));
    svg.addEventListener("pointermove", event => onMove(this.scale.iterationAt(event, svg)));
  }

  drawOwn(/** @type {Curve | null} */ own, /** @type {Curve[]} */ curves) {
    this.line.setAttribute("d", own ? createPath(own.errors, this.scale) : "");
    this.label.textContent = "";
    if (own) placeLabel(this.label, own, curves, this.scale);
  }

  read(/** @type {Curve[]} */ curves, /** @type {number} */ iteration) {
    const { x, y, frame, shows } = this.scale, cx = x(iteration);
    this.slider.value = this.output.textContent = String(iteration);
    this.cursor.setAttribute("d", `M${cx} ${frame.top}V${frame.bottom}`);
    this.dots.replaceChildren(...curves.filter(({ errors }) => shows(errors[iteration])).map(({ colour, errors }) =>
      createSvg("circle", { class: `reading-dot f-${colour}`, r: 4.5, cx, cy: y(errors[iteration]) })));
    this.list.replaceChildren(...curves.map(curve => createReading(curve, iteration)));
    const words = Array.from(this.list.children, item => item.textContent.replace(/\s+/g, " ")).join(" ");
    this.slider.setAttribute("aria-valuetext", `${iteration}: ${words}`);
  }
}

/** @param {Element} label @param {Curve} own @param {Curve[]} curves @param {Scale} scale */
function placeLabel(label, own, curves, scale) {
  const { left, top, y_range } = scale.frame, k = findFreestPoint(own.errors, curves, scale);
  if (k === undefined) return;
  label.textContent = own.label + (own.errors.some(error => error > y_range[1]) ? " ↑" : "");
  // Beside the curve, on the side from which it falls.
  const fits = scale.x(k) - left > LETTER_WIDTH * label.textContent.length;
  const isLeft = fits && own.errors[k + 1] > own.errors[k], y = Math.max(scale.y(own.errors[k]) - 5, top + 14);
  setAttributes(label, { "text-anchor": isLeft ? "end" : "start", x: scale.x(k) + (isLeft ? -7 : 7), y });
}

// The iteration at which the label of a curve has most room to the other curves, in the figure's middle if it is there.
/** @param {number[]} errors @param {Curve[]} curves @param {Scale} scale */
function findFreestPoint(errors, curves, scale) {
  const { left, right } = scale.frame, span = right - left;
  const shown = [...errors.keys()].filter(k => scale.shows(errors[k]));
  const middle = shown.filter(k => Math.abs(scale.x(k) - left - span / 2) < 0.3 * span);
  const points = (middle.length ? middle : shown).map(k => {
    const others = curves.map(curve => curve.errors[k]).filter(Number.isFinite);
    return { k, room: Math.min(...others.map(other => Math.abs(scale.y(other) - scale.y(errors[k]))), Infinity) };
  });
  return points.sort((a, b) => b.room - a.room || a.k - b.k)[0]?.k;
}

function createReading(/** @type {Curve} */ curve, /** @type {number} */ iteration) {
  const [item, name, value] = ["li", "span", "span"].map(tag => document.createElement(tag));
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
