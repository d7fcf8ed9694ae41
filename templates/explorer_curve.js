// The error curve of the explorer's run.

const CURVE = { width: 320, height: 316, left: 62, right: 14, top: 14, bottom: 46 };

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
    const box = svg.getBoundingClientRect();
    move(scale.iterationAt(((event.clientX - box.left) / box.width) * CURVE.width));
  };
  for (const event of ["pointerdown", "pointermove"]) svg.addEventListener(event, follow);
  return {
    draw: (errors, logarithmic) => {
      scale = curveScale(errors, logarithmic);
      grid.replaceChildren(...axisElements(scale));
      line.setAttribute("d", curvePath(errors, scale));
    },
    mark: (errors, iteration) => {
      svg.setAttribute("aria-label", curveInWords(errors, iteration));
      const seen = Number.isFinite(errors[iteration]);
      rule.setAttribute("d", `M${scale.x(iteration)} ${CURVE.top}V${CURVE.height - CURVE.bottom}`);
      dot.setAttribute("visibility", seen ? "visible" : "hidden");
      dot.setAttribute("cx", scale.x(iteration));
      dot.setAttribute("cy", seen ? scale.y(errors[iteration]) : 0);
    },
  };
}

function curveScale(errors, logarithmic) {
  const known = errors.filter(error => Number.isFinite(error) && error > 0);
  const highest = Math.max(...known, Number.MIN_VALUE);
  // Rounding errors are no errors of the network: what lies below is drawn at the lower end.
  const lowest = logarithmic ? Math.max(Math.min(...known, highest) / 2, highest * 1e-15) : 0;
  const top = logarithmic ? highest * 2 : highest * 1.04;
  const [bottomY, height] = [CURVE.height - CURVE.bottom, CURVE.height - CURVE.top - CURVE.bottom];
  const width = CURVE.width - CURVE.left - CURVE.right;
  const share = logarithmic
    ? error => Math.log(Math.max(error, lowest) / lowest) / Math.log(top / lowest)
    : error => error / top;
  const updates = errors.length - 1;
  return {
    lowest, top, logarithmic, updates,
    x: iteration => CURVE.left + (width * iteration) / updates,
    y: error => bottomY - height * share(error),
    iterationAt: x => Math.min(Math.max(Math.round(((x - CURVE.left) / width) * updates), 0), updates),
  };
}

function curvePath(errors, scale) {
  let path = "";
  for (let k = 0; k < errors.length && Number.isFinite(errors[k]); k++) {
    path += `${path ? "L" : "M"}${scale.x(k).toFixed(1)} ${scale.y(errors[k]).toFixed(1)}`;
  }
  return path;
}

function axisElements(scale) {
  const base = CURVE.height - CURVE.bottom;
  const elements = [];
  for (const value of scale.logarithmic ? powersBetween(scale.lowest, scale.top) : roundSteps(scale.top, 5)) {
    const y = scale.y(value);
    elements.push(svgElement("path", { class: "grid", d: `M${CURVE.left} ${y}H${CURVE.width - CURVE.right}` }));
    const text = scale.logarithmic ? `10${superscript(Math.round(Math.log10(value)))}` : briefText(value, 3);
    elements.push(svgElement("text", { class: "tick end", x: CURVE.left - 7, y: y + 4 }, text));
  }
  for (const value of roundSteps(scale.updates, 5)) {
    if (value === Math.round(value)) elements.push(svgElement("text", { class: "tick", x: scale.x(value), y: base + 18 }, countText(value)));
  }
  elements.push(svgElement("text", { class: "tick", x: scale.x(scale.updates / 2), y: CURVE.height - 8 }, "iteration"));
  elements.push(svgElement("path", { class: "axis", d: `M${CURVE.left} ${CURVE.top}V${base}H${CURVE.width - CURVE.right}` }));
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
