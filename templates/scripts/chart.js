// Charts of errors: their scale, their path, and the explorer's own chart.
import { createSvg, setAttributes } from "./dom.js";
import { formatBrief, formatCount, formatSignificant, formatSuperscript } from "./numbers.js";
import { findFirst } from "./run.js";
/** @typedef {ReturnType<typeof createScale>} Scale */

const WIDTH = 320, HEIGHT = 316, AXES = { left: 62, right: 306, top: 14, bottom: 270 };

// Map iterations and errors to the drawing, and the pointer back to an iteration.
export function createScale(/** @type {Frame} */ frame) {
  const [first, last] = frame.x_range, [lowest, highest] = frame.y_range;
  const width = frame.right - frame.left, height = frame.bottom - frame.top;
  // What a logarithm can't show lies far below the frame.
  const bend = (/** @type {number} */ error) => frame.logarithmic ? Math.log(Math.max(error, Number.MIN_VALUE)) : error;
  const low = bend(lowest), high = bend(highest);
  return {
    frame,
    x: (/** @type {number} */ iteration) => frame.left + (width * (iteration - first)) / (last - first),
    y: (/** @type {number} */ error) => frame.bottom - (height * (bend(error) - low)) / (high - low),
    shows: (/** @type {number} */ error) => error >= lowest && error <= highest,
    iterationAt: (/** @type {PointerEvent} */ event, /** @type {SVGSVGElement} */ svg) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      return Math.min(Math.max(Math.round(first + ((x - frame.left) / width) * (last - first)), first), last);
    },
  };
}

// The curve of the errors; where they overflow, it ends.
export function createPath(/** @type {number[]} */ errors, /** @type {Scale} */ scale) {
  const whole = errors.slice(0, findFirst(errors, error => !Number.isFinite(error)) ?? errors.length);
  const points = whole.map((error, k) => `${scale.x(k).toFixed(2)} ${scale.y(error).toFixed(2)}`);
  return points.length ? `M${points.join("L")}` : "";
}

export class ErrorChart {
  constructor(/** @type {(iteration: number) => void} where the reader points */ onPoint) {
    const attributes = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "error-curve" };
    this.svg = /** @type {SVGSVGElement} */ (createSvg("svg", attributes));
    this.grid = createSvg("g", {});
    this.line = createSvg("path", { class: "curve", fill: "none" });
    this.rule = createSvg("path", { class: "cursor" });
    this.dot = createSvg("circle", { class: "dot", r: 5 });
    this.svg.append(this.grid, this.line, this.rule, this.dot);
    this.scale = createErrorScale([1, 0], false);
    this.svg.addEventListener("pointerdown", event => onPoint(this.scale.iterationAt(event, this.svg)));
    this.svg.addEventListener("pointermove", event => {
      if (event.buttons) onPoint(this.scale.iterationAt(event, this.svg));
    });
  }

  draw(/** @type {number[]} */ errors, /** @type {boolean} */ logarithmic) {
    this.scale = createErrorScale(errors, logarithmic);
    this.grid.replaceChildren(...createAxes(this.scale));
    this.line.setAttribute("d", createPath(errors, this.scale));
  }

  mark(/** @type {number[]} */ errors, /** @type {number} */ iteration) {
    const x = this.scale.x(iteration), isWhole = Number.isFinite(errors[iteration]);
    this.svg.setAttribute("aria-label", describeErrors(errors, iteration));
    this.rule.setAttribute("d", `M${x} ${AXES.top}V${AXES.bottom}`);
    setAttributes(this.dot, { visibility: isWhole ? "visible" : "hidden", cx: x });
    if (isWhole) this.dot.setAttribute("cy", String(this.scale.y(errors[iteration])));
  }
}

function createErrorScale(/** @type {number[]} */ errors, /** @type {boolean} */ logarithmic) {
  const positive = errors.filter(error => Number.isFinite(error) && error > 0);
  // Without any error above 0 the axis still needs a length.
  const highest = positive.length ? Math.max(...positive) : 1;
  // Rounding errors are no errors of the network: what lies below is drawn at the lower end.
  const lowest = logarithmic ? Math.max(Math.min(...positive, highest) / 2, highest * 1e-15) : 0;
  const top = highest * (logarithmic ? 2 : 1.04);
  const scale = createScale({ ...AXES, x_range: [0, errors.length - 1], y_range: [lowest, top], logarithmic });
  return { ...scale, y: (/** @type {number} */ error) => scale.y(Math.max(error, lowest)) };
}

function createAxes(/** @type {Scale} */ { frame, x, y }) {
  const { left, right, top, bottom } = AXES, [lowest, highest] = frame.y_range, updates = frame.x_range[1];
  const elements = [];
  for (const value of frame.logarithmic ? powersBetween(lowest, highest) : roundSteps(highest)) {
    elements.push(createSvg("path", { class: "grid", d: `M${left} ${y(value)}H${right}` }));
    const text = frame.logarithmic ? `10${formatSuperscript(Math.round(Math.log10(value)))}` : formatBrief(value, 3);
    elements.push(createSvg("text", { class: "end", x: left - 7, y: y(value) + 4 }, text));
  }
  for (const value of roundSteps(updates).filter(Number.isInteger)) {
    elements.push(createSvg("text", { x: x(value), y: bottom + 18 }, formatCount(value)));
  }
  elements.push(createSvg("text", { x: x(updates / 2), y: HEIGHT - 8 }, "iteration"));
  elements.push(createSvg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }));
  return elements;
}

// 0, and at most five multiples of 1, 2 or 5 times a power of ten up to the top.
function roundSteps(/** @type {number} */ top) {
  const power = 10 ** Math.floor(Math.log10(top / 5));
  const step = power * ([1, 2, 5].find(times => top / (times * power) <= 5) ?? 10);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(12)));
}

function powersBetween(/** @type {number} */ lowest, /** @type {number} */ top) {
  const from = Math.ceil(Math.log10(lowest)), to = Math.floor(Math.log10(top));
  const step = Math.max(1, Math.ceil((to - from + 1) / 6));
  return Array.from({ length: Math.max(Math.floor((to - from) / step) + 1, 0) }, (_, k) => 10 ** (to - k * step));
}

function describeErrors(/** @type {number[]} */ errors, /** @type {number} */ iteration) {
  const last = errors.length - 1;
  const [start, end, now] = [errors[0], errors[last], errors[iteration]].map(error => formatSignificant(error, 4));
  return `Total error from ${start} at iteration 0 to ${end} at iteration ${formatCount(last)}; ` +
    `${now} at iteration ${formatCount(iteration)}.`;
}
