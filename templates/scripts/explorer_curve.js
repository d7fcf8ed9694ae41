// The error curve of the explorer's run.

const CURVE = { width: 320, height: 316, left: 62, right: 306, top: 14, bottom: 270 };

// `move(iteration)` is called when the reader points at a place of the curve.
function makeErrorCurve(place, move) {
  const svg = svgElement("svg", { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: "img", class: "error-curve" });
  const grid = svgElement("g", {});
  const line = svgElement("path", { class: "curve", fill: "none" });
  const rule = svgElement("path", { class: "cursor" });
  const dot = svgElement("circle", { class: "dot", r: 5 });
  svg.append(grid, line, rule, dot);
  place.append(svg);
  let scale = null;
  const follow = event => {
    if (event.type === "pointermove" && !event.buttons) return;
    move(scale.iterationAt(event, svg));
  };
  for (const event of ["pointerdown", "pointermove"]) svg.addEventListener(event, follow);
  return {
    draw: (errors, logarithmic) => {
      scale = curveScale(errors, logarithmic);
      grid.replaceChildren(...axisElements(scale));
      line.setAttribute("d", chartPath(errors, scale));
    },
    mark: (errors, iteration) => {
      svg.setAttribute("aria-label", curveInWords(errors, iteration));
      const seen = Number.isFinite(errors[iteration]);
      rule.setAttribute("d", `M${scale.x(iteration)} ${CURVE.top}V${CURVE.bottom}`);
      dot.setAttribute("visibility", seen ? "visible" : "hidden");
      dot.setAttribute("cx", scale.x(iteration));
      dot.setAttribute("cy", seen ? scale.y(errors[iteration]) : 0);
    },
  };
}

function curveScale(errors, logarithmic) {
  const known = errors.filter(error => Number.isFinite(error) && error > 0);
  // Without any error above 0 the axis still needs a length.
  const highest = known.length ? Math.max(...known) : 1;
  // Rounding errors are no errors of the network: what lies below is drawn at the lower end.
  const lowest = logarithmic ? Math.max(Math.min(...known, highest) / 2, highest * 1e-15) : 0;
  const top = logarithmic ? highest * 2 : highest * 1.04;
  const scale = chartScale({ ...CURVE, x_range: [0, errors.length - 1], y_range: [lowest, top], logarithmic });
  return { ...scale, y: error => scale.y(Math.max(error, lowest)) };
}

function axisElements({ frame, x, y }) {
  const [lowest, top] = frame.y_range;
  const updates = frame.x_range[1];
  const elements = [];
  for (const value of frame.logarithmic ? powersBetween(lowest, top) : roundSteps(top, 5)) {
    elements.push(svgElement("path", { class: "grid", d: `M${CURVE.left} ${y(value)}H${CURVE.right}` }));
    const text = frame.logarithmic ? `10${superscript(Math.round(Math.log10(value)))}` : briefText(value, 3);
    elements.push(svgElement("text", { class: "end", x: CURVE.left - 7, y: y(value) + 4 }, text));
  }
  for (const value of roundSteps(updates, 5)) {
    if (value === Math.round(value)) elements.push(svgElement("text", { x: x(value), y: CURVE.bottom + 18 }, countText(value)));
  }
  elements.push(svgElement("text", { x: x(updates / 2), y: CURVE.height - 8 }, "iteration"));
  elements.push(svgElement("path", { class: "axis", d: `M${CURVE.left} ${CURVE.top}V${CURVE.bottom}H${CURVE.right}` }));
  return elements;
}

// 0, and multiples of 1, 2 or 5 times a power of ten up to the top.
function roundSteps(top, count) {
  const power = 10 ** Math.floor(Math.log10(top / count));
  const step = [1, 2, 5, 10].map(times => times * power).find(size => top / size <= count);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(12)));
}

function powersBetween(lowest, top) {
  const [from, to] = [Math.ceil(Math.log10(lowest)), Math.floor(Math.log10(top))];
  const step = Math.max(1, Math.ceil((to - from + 1) / 6));
  return Array.from({ length: Math.max(Math.floor((to - from) / step) + 1, 0) }, (_, k) => 10 ** (to - k * step));
}

function curveInWords(errors, iteration) {
  const [first, last] = [errors[0], errors.at(-1)].map(error => significantText(error, 4));
  return `Total error from ${first} at iteration 0 to ${last} at iteration ${countText(errors.length - 1)}; ` +
    `${significantText(errors[iteration], 4)} at iteration ${countText(iteration)}.`;
}
