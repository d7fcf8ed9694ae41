// Charts of errors: their scale, their path, and the explorer's own chart.
import { createSvg, setAttributes } from "./dom.js";
import { formatBrief, formatCount, formatSignificant, formatSuperscript } from "./numbers.js";
import { findFirst } from "./run.js";
/** @typedef {ReturnType<typeof createScale>} Scale */

const SIZE = { width: 320, height: 316 };
const AXES = { left: 62, right: 306, top: 14, bottom: 270 };

/**
 * Map iterations and errors to the drawing, and the pointer back to an iteration.
 * @param {Frame} frame
 */
export function createScale(frame) {
  const [first, last] = frame.x_range;
  const [lowest, highest] = frame.y_range;
  // What a logarithm can't show lies far below the frame.
  const height = (/** @type {number} */ error) =>
    frame.logarithmic ? Math.log(Math.max(error, Number.MIN_VALUE)) : error;
  const [low, high] = [height(lowest), height(highest)];
  return {
    frame,
    x: (/** @type {number} */ iteration) =>
      frame.left + ((frame.right - frame.left) * (iteration - first)) / (last - first),
    y: (/** @type {number} */ error) =>
      frame.bottom - ((frame.bottom - frame.top) * (height(error) - low)) / (high - low),
    shows: (/** @type {number} */ error) => error >= lowest && error <= highest,
    /** @param {PointerEvent} event @param {SVGSVGElement} svg */
    iterationAt: (event, svg) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const along = (x - frame.left) / (frame.right - frame.left);
      return Math.min(Math.max(Math.round(first + along * (last - first)), first), last);
    },
  };
}

// The curve of the errors; where they overflow, it ends.
/** @param {number[]} errors @param {Scale} scale */
export function createPath(errors, scale) {
  const whole = errors.slice(0, findFirst(errors, error => !Number.isFinite(error)) ?? errors.length);
  const points = whole.map((error, k) => `${scale.x(k).toFixed(2)} ${scale.y(error).toFixed(2)}`);
  return points.length ? `M${points.join("L")}` : "";
}

/**
 * Put an empty chart into the page.
 * @param {HTMLElement} parent
 * @param {(iteration: number) => void} onPoint is called when the reader points at an iteration
 */
export function createErrorChart(parent, onPoint) {
  const viewBox = `0 0 ${SIZE.width} ${SIZE.height}`;
  const svg = /** @type {SVGSVGElement} */ (createSvg("svg", { viewBox, role: "img", class: "error-curve" }));
  const grid = createSvg("g", {});
  const line = createSvg("path", { class: "curve", fill: "none" });
  const rule = createSvg("path", { class: "cursor" });
  const dot = createSvg("circle", { class: "dot", r: 5 });
  svg.append(grid, line, rule, dot);
  parent.append(svg);
  let scale = createErrorScale([1, 0], false);
  svg.addEventListener("pointerdown", event => onPoint(scale.iterationAt(event, svg)));
  svg.addEventListener("pointermove", event => {
    if (event.buttons) onPoint(scale.iterationAt(event, svg));
  });
  return {
    /** @param {number[]} errors @param {boolean} logarithmic */
    draw: (errors, logarithmic) => {
      scale = createErrorScale(errors, logarithmic);
      grid.replaceChildren(...createAxes(scale));
      line.setAttribute("d", createPath(errors, scale));
    },
    /** @param {number[]} errors @param {number} iteration */
    mark: (errors, iteration) => {
      svg.setAttribute("aria-label", describeErrors(errors, iteration));
      const isWhole = Number.isFinite(errors[iteration]);
      const x = scale.x(iteration);
      rule.setAttribute("d", `M${x} ${AXES.top}V${AXES.bottom}`);
      const visibility = isWhole ? "visible" : "hidden";
      setAttributes(dot, { visibility, cx: x, cy: isWhole ? scale.y(errors[iteration]) : 0 });
    },
  };
}

/** @param {number[]} errors @param {boolean} logarithmic */
function createErrorScale(errors, logarithmic) {
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
  const { left, right, top, bottom } = AXES;
  const [lowest, highest] = frame.y_range;
  const updates = frame.x_range[1];
  const elements = [];
  for (const value of frame.logarithmic ? powersBetween(lowest, highest) : roundSteps(highest)) {
    elements.push(createSvg("path", { class: "grid", d: `M${left} ${y(value)}H${right}` }));
    const text = frame.logarithmic ? `10${formatSuperscript(Math.round(Math.log10(value)))}` : formatBrief(value, 3);
    elements.push(createSvg("text", { class: "end", x: left - 7, y: y(value) + 4 }, text));
  }
  for (const value of roundSteps(updates).filter(Number.isInteger)) {
    elements.push(createSvg("text", { x: x(value), y: bottom + 18 }, formatCount(value)));
  }
  elements.push(createSvg("text", { x: x(updates / 2), y: SIZE.height - 8 }, "iteration"));
  elements.push(createSvg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }));
  return elements;
}

// 0, and at most five multiples of 1, 2 or 5 times a power of ten up to the top.
function roundSteps(/** @type {number} */ top) {
  const power = 10 ** Math.floor(Math.log10(top / 5));
  const step = power * ([1, 2, 5].find(times => top / (times * power) <= 5) ?? 10);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(12)));
}

/** @param {number} lowest @param {number} top */
function powersBetween(lowest, top) {
  const [from, to] = [Math.ceil(Math.log10(lowest)), Math.floor(Math.log10(top))];
  const step = Math.max(1, Math.ceil((to - from + 1) / 6));
  return Array.from({ length: Math.max(Math.floor((to - from) / step) + 1, 0) }, (_, k) => 10 ** (to - k * step));
}

/** @param {number[]} errors @param {number} iteration */
function describeErrors(errors, iteration) {
  const last = errors.length - 1;
  const [start, end, now] = [errors[0], errors[last], errors[iteration]].map(error => formatSignificant(error, 4));
  return (
    `Total error from ${start} at iteration 0 to ${end} at iteration ${formatCount(last)}; ` +
    `${now} at iteration ${formatCount(iteration)}.`
  );
}
