// The comparison of learning rates: reading the curves at an iteration, and a curve of the reader's own.

const OWN_LABEL_LETTER = 9;  // about as wide as a letter of the label, in the drawing's units

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
  return { describe: rate => ownFacts(rate, run(rate), curves, data) };

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
    : `The error is halved in iteration ${countText(facts.halvedAt)}${facts.halvedAt > updates ? ", past what the figures show" : ""}.`;
  const ending = `${name}: after ${countText(updates)} updates the error is ${significantText(facts.last, 4)}, ` +
    `${facts.share > 1 ? `${significantText(facts.share, 3)} times` : `${percentText(facts.share)} of`} the initial error${against}.`;
  return [ending, halved, ...troubleInWords(facts, updates)].join(" ");
}

// A chart that the page already has, with a cursor and a curve laid over it.
function makeComparisonChart(name, frame, moveTo) {
  const svg = document.getElementById(`${name}-title`).closest("svg");
  const reader = document.getElementById(`${name}-reader`);
  const [slider, told, list] = ["input", "output", "ul"].map(tag => reader.querySelector(tag));
  const scale = chartScale(frame);
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
  svg.addEventListener("pointermove", event => moveTo(scale.iterationAt(event, svg)));
  return {
    iteration: () => slider.valueAsNumber,
    drawOwn: (own, curves) => drawOwnCurve(own, curves, scale, line, label),
    read: (curves, iteration) => {
      slider.value = iteration;
      told.textContent = iteration;
      cursor.setAttribute("d", `M${scale.x(iteration)} ${frame.top}V${frame.bottom}`);
      dots.replaceChildren(...curves.filter(curve => scale.inside(curve.errors[iteration])).map(curve => svgElement("circle",
        { class: `reading-dot f-${curve.colour}`, r: 4.5, cx: scale.x(iteration), cy: scale.y(curve.errors[iteration]) })));
      list.replaceChildren(...curves.map(curve => readoutItem(curve, iteration)));
      slider.setAttribute("aria-valuetext", `${iteration}: ${list.innerText.replace(/\s+/g, " ")}`);
    },
  };
}

function drawOwnCurve(own, curves, scale, line, label) {
  label.textContent = "";
  line.setAttribute("d", "");
  if (!own) return;
  line.setAttribute("d", chartPath(own.errors, scale));
  const points = own.errors.map((error, k) => ({ k, error })).filter(point => scale.inside(point.error));
  const best = freestPoint(points, curves, scale);
  if (!best) return;
  // Beside the curve, on the side from which it falls.
  label.textContent = own.label + (own.errors.some(error => error > scale.frame.y_range[1]) ? " ↑" : "");
  const fits = scale.x(best.k) - scale.frame.left > OWN_LABEL_LETTER * label.textContent.length;
  const rising = fits && own.errors[best.k + 1] > best.error;
  label.setAttribute("text-anchor", rising ? "end" : "start");
  label.setAttribute("x", scale.x(best.k) + (rising ? -7 : 7));
  label.setAttribute("y", Math.max(scale.y(best.error) - 5, scale.frame.top + 14));
}

// Where on the curve its label has most room to the other curves.
function freestPoint(points, curves, scale) {
  const room = ({ k, error }) => Math.min(...curves.map(curve => curve.errors[k])
    .filter(Number.isFinite).map(other => Math.abs(scale.y(other) - scale.y(error))), Infinity);
  const span = scale.frame.right - scale.frame.left;
  const middle = points.filter(({ k }) => Math.abs(scale.x(k) - scale.frame.left - span / 2) < 0.3 * span);
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
