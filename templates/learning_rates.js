// The comparison of learning rates: reading the curves at an iteration, and a curve of the reader's own.

let liveComparison = null;
afterFirstPaint(() => { liveComparison = makeComparison(); });

function makeComparison() {
  const data = JSON.parse(document.getElementById("learning-rates-data").textContent);
  const run = rate => errorsOf(runNetwork(data.values, rate, data.searched - 1));
  const curves = data.curves.map(curve => ({ ...curve, errors: run(curve.learning_rate).slice(0, data.iterations) }));
  const charts = data.figures.map(figure => makeComparisonChart(figure.name, figure.frame, moveTo));
  let own = null;
  const field = makeNumberField(document.getElementById("own-rate"), addRate, rateProblem, () => show(null));
  document.getElementById("own-rate-remove").addEventListener("click", () => { field.set(NaN); show(null); });
  moveTo(0);
  return { addRate, describe: rate => ownFacts(rate, run(rate), curves, data) };

  function shown() {
    return own ? [...curves, own] : curves;
  }

  function moveTo(iteration) {
    charts.forEach(chart => chart.read(shown(), iteration));
  }

  function addRate(rate) {
    const facts = ownFacts(rate, run(rate), curves, data);
    show({ label: `η\u00a0=\u00a0${significantText(rate, 12)}`, colour: "ink", errors: facts.errors });
    document.getElementById("own-rate-said").textContent = ownInWords(rate, facts, curves[0], data);
  }

  function show(curve) {
    own = curve;
    charts.forEach(chart => chart.drawOwn(own, curves));
    charts.forEach(chart => chart.read(shown(), chart.iteration()));
    fillOwnColumn(own);
    if (!own) document.getElementById("own-rate-said").textContent = "";
  }
}

// What one run does over the iterations of the figures; halving is searched for longer.
function ownFacts(rate, errors, curves, data) {
  const within = errors.slice(0, data.iterations);
  return { ...runFacts(within), errors: within, halvedAt: runFacts(errors).halvedAt, ratio: within.at(-1) / curves[0].errors.at(-1) };
}

function ownInWords(rate, facts, slowest, data) {
  const name = `η\u00a0=\u00a0${significantText(rate, 12)}`;
  const updates = data.iterations - 1;
  if (facts.overflow !== null) return [`${name}:`, ...troubleInWords(facts, updates)].join(" ");
  const against = Number.isFinite(facts.ratio) ? `, ${significantText(facts.ratio, 3)} times that of ${slowest.label}` : "";
  const halved = facts.halvedAt === null
    ? `The error is not halved within ${countText(data.searched - 1)} iterations.`
    : `The error is halved in iteration ${countText(facts.halvedAt)}.`;
  const ending = `${name}: after ${countText(updates)} updates the error is ${significantText(facts.last, 4)}, ` +
    `${percentText(facts.share)} of the initial error${against}.`;
  return [ending, halved, ...troubleInWords(facts, updates)].join(" ");
}

// A chart that the page already has, with a cursor and a curve laid over it.
function makeComparisonChart(name, frame, moveTo) {
  const svg = document.getElementById(`${name}-title`).closest("svg");
  const reader = document.getElementById(`${name}-reader`);
  const [slider, told, list] = ["input", "output", "ul"].map(tag => reader.querySelector(tag));
  const place = framePlaces(frame);
  const layer = svgElement("g", { class: "live-only" });
  const clip = svgElement("clipPath", { id: `${name}-own` });
  clip.append(svgElement("rect", { x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top }));
  const line = svgElement("path", { class: "own-curve", "clip-path": `url(${"#" + clip.id})` });
  const label = svgElement("text", { class: "own-label" });
  const cursor = svgElement("path", { class: "cursor" });
  const dots = svgElement("g", {});
  layer.append(clip, line, cursor, dots, label);
  svg.append(layer);
  slider.addEventListener("input", () => moveTo(slider.valueAsNumber));
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    moveTo(place.iterationAt(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
  });
  return {
    iteration: () => slider.valueAsNumber,
    drawOwn: (own, curves) => drawOwnCurve(own, curves, place, line, label),
    read: (curves, iteration) => {
      slider.value = iteration;
      told.textContent = iteration;
      cursor.setAttribute("d", `M${place.x(iteration)} ${frame.top}V${frame.bottom}`);
      dots.replaceChildren(...curves.filter(curve => place.inside(curve.errors[iteration])).map(curve => svgElement("circle",
        { class: `reading-dot f-${curve.colour}`, r: 4.5, cx: place.x(iteration), cy: place.y(curve.errors[iteration]) })));
      list.replaceChildren(...curves.map(curve => readoutItem(curve, iteration)));
      slider.setAttribute("aria-valuetext", `${iteration}: ${list.innerText.replace(/\s+/g, " ")}`);
    },
  };
}

function framePlaces(frame) {
  const [x0, x1] = frame.x_range;
  const bent = frame.logarithmic ? Math.log : value => value;
  const [low, high] = frame.y_range.map(bent);
  const height = frame.bottom - frame.top;
  return {
    frame,
    x: iteration => frame.left + ((frame.right - frame.left) * (iteration - x0)) / (x1 - x0),
    y: error => frame.bottom - height * ((bent(Math.max(error, Number.MIN_VALUE)) - low) / (high - low)),
    inside: error => error >= frame.y_range[0] && error <= frame.y_range[1],
    iterationAt: x => Math.min(Math.max(Math.round(x0 + ((x - frame.left) / (frame.right - frame.left)) * (x1 - x0)), x0), x1),
  };
}

function drawOwnCurve(own, curves, place, line, label) {
  label.textContent = "";
  line.setAttribute("d", "");
  if (!own) return;
  const points = own.errors.map((error, k) => ({ k, error })).filter(point => Number.isFinite(point.error));
  line.setAttribute("d", points.map(({ k, error }, i) => `${i ? "L" : "M"}${place.x(k).toFixed(2)} ${place.y(error).toFixed(2)}`).join(""));
  const best = freestPoint(points.filter(point => place.inside(point.error)), curves, place);
  if (!best) return;
  // Beside the curve, on the side from which it falls.
  const rising = own.errors[best.k + 1] > best.error;
  label.textContent = own.label;
  label.setAttribute("text-anchor", rising ? "end" : "start");
  label.setAttribute("x", place.x(best.k) + (rising ? -7 : 7));
  label.setAttribute("y", Math.max(place.y(best.error) - 5, place.frame.top + 14));
}

// Where on the curve its label has most room to the other curves.
function freestPoint(points, curves, place) {
  const room = ({ k, error }) => Math.min(...curves.map(curve => curve.errors[k])
    .filter(Number.isFinite).map(other => Math.abs(place.y(other) - place.y(error))), Infinity);
  const span = place.frame.right - place.frame.left;
  const middle = points.filter(({ k }) => Math.abs(place.x(k) - place.frame.left - span / 2) < 0.3 * span);
  return (middle.length ? middle : points).reduce((best, point) => (best && room(best) >= room(point) ? best : point), null);
}

function readoutItem(curve, iteration) {
  const [item, name, value] = ["li", "span", "span"].map(tag => document.createElement(tag));
  name.className = `t-${curve.colour}`;
  name.textContent = curve.label;
  value.textContent = significantText(curve.errors[iteration], 4);
  item.append(name, " ", value);
  return item;
}

function fillOwnColumn(own) {
  const rows = document.querySelectorAll("#errors-table tr");
  document.querySelectorAll("#errors-table .own").forEach(cell => cell.remove());
  if (!own) return;
  rows.forEach((row, place) => {
    const cell = document.createElement(place ? "td" : "th");
    cell.className = "own";
    if (!place) cell.scope = "col";
    cell.textContent = place ? significantText(own.errors[place - 1], 6) : own.label;
    row.append(cell);
  });
}
