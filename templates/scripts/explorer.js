// The live explorer: what the reader has chosen, and everything that follows from it.
import { ErrorChart } from "./chart.js";
import { networkSlopes } from "./derivation.js";
import { createMath, find, findAll } from "./dom.js";
import { NetworkDrawing } from "./network_drawing.js";
import { createNumber, formatCount, formatExact, formatPercent, formatSignificant, NumberField } from "./numbers.js";
import { describeTrouble, errorsOf, measureRun, runNetwork, settings } from "./run.js";

// Milliseconds without a change after which the long table follows, and after which a voice speaks.
const FILL_AFTER = 150, SPEAK_AFTER = 600;

/** @template {Element} [T=HTMLElement] @param {string} name @param {new () => T} [kind] */
const part = (name, kind) => find(`#explorer-${name}`, kind);

export class Explorer {
  constructor() {
    const { values } = settings.starts[0];
    this.state = { values, iteration: 0, horizon: 0, eta: 1, backward: false, logarithmic: false, chosen: "w5" };
    this.rows = runNetwork(values, 1, 0);
    this.errors = errorsOf(this.rows);
    this.run = measureRun(this.errors);
    this.timers = { fill: 0, speak: 0, play: 0 };
    this.slider = part("iteration", HTMLInputElement);
    this.area = part("row", HTMLTextAreaElement);
    this.drawing = new NetworkDrawing(key => this.choose(key));
    this.chart = new ErrorChart(iteration => this.goTo(iteration));
    this.rate = new NumberField(part("eta", HTMLInputElement), eta => this.setRate(eta), { isPositive: true });
    this.fields = findAll("#explorer [data-name]", HTMLInputElement).map(input => {
      const name = input.dataset.name ?? "";
      const onNumber = (/** @type {number} */ number) => { this.state.values[name] = number; this.update(); };
      return { name, field: new NumberField(input, onNumber) };
    });
    part("network").append(this.drawing.svg);
    part("curve").append(this.chart.svg);
    listen(this);
    this.restart();
  }

  // Everything anew: the run, the curve, and what is shown of the iteration.
  update() {
    this.rows = runNetwork(this.state.values, this.state.eta, settings.iterations);
    this.errors = errorsOf(this.rows);
    this.run = measureRun(this.errors);
    this.drawCurve();
  }

  drawCurve() {
    this.chart.draw(this.shownErrors(), this.state.logarithmic);
    this.showIteration();
    clearTimeout(this.timers.fill);
    this.timers.fill = setTimeout(() => this.fillErrors(), FILL_AFTER);
  }

  showIteration() {
    const { iteration, chosen, backward } = this.state;
    const row = this.rows[iteration], values = this.everyValue(row), words = this.describe(row);
    this.drawing.show({ values, backward, chosen });
    this.chart.mark(this.shownErrors(), iteration);
    showFormulas(part("explained"), chosen, values);
    this.slider.value = String(iteration);
    part("iteration-number").textContent = formatCount(iteration);
    this.area.value = settings.columns.map(name => formatExact(row[name])).join("\t");
    part("row-said").textContent = "";
    this.fillValues();
    part("reading").textContent = words;
    this.announce(words);
  }

  shownErrors() { return this.errors.slice(0, this.state.horizon + 1); }

  // Whatever a formula may name: the row, its slopes, the biases, η, and the weights of the next iteration.
  everyValue(/** @type {Row} */ row) {
    const values = Object.assign({}, this.state.values, row);
    const next = Object.fromEntries(settings.parameters.map(name => [`next_${name}`, row.next[name]]));
    return Object.assign(values, networkSlopes(values), next, { eta: this.state.eta });
  }

  describe(/** @type {Row} */ row) {
    const { iteration, eta } = this.state, { first, stuckAt, halvedAt, overflow } = this.run;
    const hasShare = iteration && first && Number.isFinite(row.E_total);
    const share = hasShare ? `, ${formatPercent(row.E_total / first)} of where it began.` : ".";
    const sentences = [
      `Iteration ${formatCount(iteration)}: E_total = ${formatSignificant(row.E_total, 4)}${share}`,
      `This run takes ${formatCount(settings.iterations)} updates at η = ${formatSignificant(eta, 12)}.`,
      ...describeTrouble(this.run, settings.iterations),
    ];
    if (stuckAt) {
      const gradients = settings.parameters.map(name => Math.abs(this.rows[stuckAt][`dE_d${name}`]));
      sentences.push(`No gradient there is larger than ${formatSignificant(Math.max(...gradients), 2)} in size.`);
    }
    if (halvedAt) sentences.push(`The error is halved in iteration ${formatCount(halvedAt)}.`);
    else if (halvedAt === null && overflow === null) sentences.push("The error never falls to half.");
    return sentences.join(" ");
  }

  // Changes that come fast, from a slider or from playing, are spoken once they have come to rest.
  announce(/** @type {string} */ text) {
    clearTimeout(this.timers.speak);
    this.timers.speak = setTimeout(() => { part("said").textContent = text; }, SPEAK_AFTER);
  }

  restart() {
    const [choice] = findAll("#explorer-start", HTMLSelectElement); // there where the network has several starts
    const start = settings.starts[Number(choice?.value ?? 0)];
    this.stop();
    this.state.values = { ...start.values };
    for (const { name, field } of this.fields) field.set(start.values[name]);
    this.state.iteration = 0;
    this.readHorizon();
    this.rate.set(start.learning_rate);
    this.setRate(start.learning_rate);
  }

  setRate(/** @type {number} */ eta) {
    this.state.eta = eta;
    const slider = part("eta-slider", HTMLInputElement);
    slider.value = String(Math.log10(eta));
    slider.setAttribute("aria-valuetext", formatSignificant(eta, 3));
    this.update();
  }

  choose(/** @type {string} */ key) {
    if (key === this.state.chosen) return;
    this.state.chosen = key;
    this.showIteration();
    this.announce(formulasOf(key).dataset.spoken ?? "");
  }

  goTo(/** @type {number} */ iteration) {
    const within = Math.min(Math.max(iteration, 0), this.state.horizon);
    if (within === this.state.iteration) return;
    this.state.iteration = within;
    this.showIteration();
  }

  readHorizon() {
    this.state.horizon = Number(part("horizon", HTMLSelectElement).value);
    this.state.iteration = Math.min(this.state.iteration, this.state.horizon);
    this.slider.max = String(this.state.horizon);
  }

  setView(/** @type {string} */ view) {
    this.state.backward = view === "backward";
    find("#explorer").classList.toggle("backward", this.state.backward);
    this.showIteration();
    this.pulse();
  }

  pulse() { if (this.state.backward) this.drawing.pulse(); }

  // At a steady pace; slower for readers who prefer less motion.
  play() {
    if (this.state.iteration === this.state.horizon) this.goTo(0);
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = () => (this.state.iteration < this.state.horizon ? this.goTo(this.state.iteration + 1) : this.stop());
    this.timers.play = setInterval(step, isCalm ? 600 : 60);
    part("play").textContent = "Pause";
  }

  stop() {
    clearInterval(this.timers.play);
    this.timers.play = 0;
    part("play").textContent = "Play";
  }

  fillValues() {
    const { columns, keys } = settings, values = this.everyValue(this.rows[this.state.iteration]);
    const more = keys.map(key => `dE_d${key}`).filter(name => name in values && !columns.includes(name));
    fillTable("values", () => [...columns, ...more].map(name => [name, formatExact(values[name])]));
  }

  fillErrors() {
    fillTable("errors", () => this.shownErrors().map((error, k) => [String(k), formatSignificant(error, 9)]));
  }
}

function listen(/** @type {Explorer} */ explorer) {
  const { state, slider, area } = explorer, rate = part("eta-slider", HTMLInputElement);
  /** @param {string} name @param {string} event @param {() => void} act */
  const on = (name, event, act) => document.querySelector(`#explorer-${name}`)?.addEventListener(event, act);
  // What the reader does by hand ends the playing.
  const goByHand = (/** @type {number} */ iteration) => { explorer.stop(); explorer.goTo(iteration); };
  on("eta-slider", "input", () => {
    const eta = Number((10 ** rate.valueAsNumber).toPrecision(3));
    explorer.rate.set(eta);
    explorer.setRate(eta);
  });
  on("iteration", "input", () => goByHand(slider.valueAsNumber));
  on("back", "click", () => goByHand(state.iteration - 1));
  on("step", "click", () => { goByHand(state.iteration + 1); explorer.pulse(); });
  on("play", "click", () => (explorer.timers.play ? explorer.stop() : explorer.play()));
  for (const [name, event] of [["reset", "click"], ["start", "change"]]) on(name, event, () => explorer.restart());
  on("horizon", "change", () => { explorer.readHorizon(); explorer.drawCurve(); });
  on("logarithmic", "change", () => {
    state.logarithmic = part("logarithmic", HTMLInputElement).checked;
    explorer.drawCurve();
  });
  for (const choice of findAll("[name=explorer-view]", HTMLInputElement)) {
    choice.addEventListener("change", () => explorer.setView(choice.value));
  }
  on("copy", "click", () => copyRow(area));
  on("download", "click", () => downloadRow(area.value, state.iteration));
  on("values-details", "toggle", () => explorer.fillValues());
  on("errors-details", "toggle", () => explorer.fillErrors());
}

// Show the formulas of one part of the network, with letters as the page has them and with numbers put in. Letters are
// exchanged only when another part is chosen.
/** @param {HTMLElement} place @param {string} key @param {Values} values */
function showFormulas(place, key, values) {
  if (place.dataset.shown !== key) {
    place.replaceChildren(formulasOf(key).cloneNode(true));
    place.dataset.shown = key;
  }
  for (const equation of findAll(".equation", HTMLElement, place)) {
    const numbers = /** @type {Element} */ (find(".letters math:last-child", MathMLElement, equation).cloneNode(true));
    for (const mark of findAll("[data-value]", MathMLElement, numbers)) {
      mark.replaceChildren(createNumber(values[mark.dataset.value ?? ""]));
    }
    const value = createNumber(values[equation.dataset.result ?? ""], false);
    const result = createMath("math", createMath("mrow", createMath("mo", "="), value));
    find(".figures", HTMLElement, equation).replaceChildren(numbers, " ", result);
  }
}

function formulasOf(/** @type {string} */ key) {
  return find(`[data-part="${key}"]`, HTMLElement, part("formulas", HTMLTemplateElement).content);
}

async function copyRow(/** @type {HTMLTextAreaElement} */ area) {
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(area.value);
  } catch {
    area.focus();
    area.select();
    isCopied = document.execCommand("copy");
  }
  const refusal = "The browser does not let the page copy. The row is selected: copy it with the keyboard.";
  part("row-said").textContent = isCopied ? "Copied." : refusal;
}

function downloadRow(/** @type {string} */ text, /** @type {number} */ iteration) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/tab-separated-values" }));
  link.download = `iteration-${iteration}.tsv`;
  link.click();
  // The browser needs the address until it has read it all.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Tables are filled while they are open; a thousand rows cost more than all the rest.
/** @param {string} name @param {() => string[][]} makeRows heads and values */
function fillTable(name, makeRows) {
  if (!part(`${name}-details`, HTMLDetailsElement).open) return;
  const rows = makeRows().map(([head, value]) => {
    const row = document.createElement("tr"), cell = document.createElement("th");
    cell.scope = "row";
    cell.textContent = head;
    row.append(cell);
    row.insertCell().textContent = value;
    return row;
  });
  part(name).replaceChildren(...rows);
}
