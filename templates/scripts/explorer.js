// The live explorer: what the reader has chosen, and everything that follows from it.
import { createErrorChart } from "./chart.js";
import { networkSlopes } from "./derivation.js";
import { createMath, find, findAll } from "./dom.js";
import { createNetworkDrawing } from "./network_drawing.js";
import {
  createMathNumber,
  createNumberField,
  findRateProblem,
  formatCount,
  formatExact,
  formatPercent,
  formatSignificant,
} from "./numbers.js";
import { describeTrouble, errorsOf, measureRun, runNetwork, settings } from "./run.js";

const REST = 150; // milliseconds without a change, after which the long table follows

/** @template {Element} [T=HTMLElement] @param {string} name @param {new () => T} [kind] */
const part = (name, kind) => find(`#explorer-${name}`, kind);

export class Explorer {
  constructor() {
    const { values } = settings.starts[0];
    this.state = { values, iteration: 0, horizon: 0, eta: 1, backward: false, logarithmic: false, chosen: "w5" };
    /** @type {Row[]} */
    this.rows = [];
    /** @type {number[]} */
    this.errors = [];
    this.measured = measureRun(this.errors);
    this.drawing = createNetworkDrawing(key => this.choose(key));
    this.chart = createErrorChart(part("curve"), iteration => this.goTo(iteration));
    this.announce = createAnnouncer(part("said"));
    this.filling = 0;
    this.player = createPlayer(
      () => this.goTo(this.state.iteration + 1),
      () => this.state.iteration < this.state.horizon,
    );
    this.rate = createNumberField(part("eta", HTMLInputElement), eta => this.setRate(eta), findRateProblem);
    this.fields = findAll("#explorer [data-name]", HTMLInputElement).map(input => {
      const name = input.dataset.name ?? "";
      return { name, field: createNumberField(input, number => this.setValue(name, number)) };
    });
    part("network").append(this.drawing.svg);
    listen(this);
    this.restart();
  }

  // Everything anew: the run, the curve, and what is shown of the iteration.
  update() {
    this.rows = runNetwork(this.state.values, this.state.eta, settings.iterations);
    this.errors = errorsOf(this.rows);
    this.measured = measureRun(this.errors);
    this.drawCurve();
  }

  drawCurve() {
    this.chart.draw(this.shownErrors(), this.state.logarithmic);
    this.showIteration();
    clearTimeout(this.filling);
    this.filling = setTimeout(() => this.fillErrors(), REST);
  }

  showIteration() {
    const { iteration, chosen, backward } = this.state;
    const row = this.rows[iteration];
    const values = this.everyValue(row);
    this.drawing.show({ values, backward, chosen });
    this.chart.mark(this.shownErrors(), iteration);
    showFormulas(part("explained"), chosen, values);
    part("iteration", HTMLInputElement).value = String(iteration);
    part("iteration-told").textContent = formatCount(iteration);
    part("row", HTMLTextAreaElement).value = settings.columns.map(name => formatExact(row[name])).join("\t");
    part("row-said").textContent = "";
    this.fillValues();
    const words = this.describe(row);
    part("reading").textContent = words;
    this.announce(words);
  }

  shownErrors() {
    return this.errors.slice(0, this.state.horizon + 1);
  }

  // Whatever a formula may name: the row, its slopes, the biases, η, and the weights of the next iteration.
  /** @param {Row} row @returns {Values} */
  everyValue(row) {
    const known = Object.assign({}, this.state.values, row);
    const next = Object.fromEntries(settings.parameters.map(name => [`next_${name}`, row.next[name]]));
    return Object.assign(known, networkSlopes(known), next, { eta: this.state.eta });
  }

  describe(/** @type {Row} */ row) {
    const { iteration, eta } = this.state;
    const { first, stuckAt, halvedAt, overflow } = this.measured;
    const hasShare = iteration && first && Number.isFinite(row.E_total);
    const share = hasShare ? `, ${formatPercent(row.E_total / first)} of where it began.` : ".";
    const sentences = [
      `Iteration ${formatCount(iteration)}: E_total = ${formatSignificant(row.E_total, 4)}${share}`,
      `This run takes ${formatCount(settings.iterations)} updates at η = ${formatSignificant(eta, 12)}.`,
      ...describeTrouble(this.measured, settings.iterations),
    ];
    if (stuckAt) {
      const gradients = settings.parameters.map(name => Math.abs(this.rows[stuckAt][`dE_d${name}`]));
      sentences.push(`No gradient there is larger than ${formatSignificant(Math.max(...gradients), 2)} in size.`);
    }
    if (halvedAt) sentences.push(`The error is halved in iteration ${formatCount(halvedAt)}.`);
    else if (halvedAt === null && overflow === null) sentences.push("The error never falls to half.");
    return sentences.join(" ");
  }

  restart() {
    // There is no choice where the page's network has one start alone.
    const choice = document.querySelector("#explorer-start");
    const start = settings.starts[choice instanceof HTMLSelectElement ? Number(choice.value) : 0];
    this.player.stop();
    this.state.values = { ...start.values };
    for (const { name, field } of this.fields) field.set(start.values[name]);
    this.state.iteration = 0;
    this.state.horizon = Number(part("horizon", HTMLSelectElement).value);
    part("iteration", HTMLInputElement).max = String(this.state.horizon);
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

  /** @param {string} name @param {number} number */
  setValue(name, number) {
    this.state.values[name] = number;
    this.update();
  }

  choose(/** @type {string} */ key) {
    if (key === this.state.chosen) return;
    this.state.chosen = key;
    this.showIteration();
    this.announce(settings.spoken[key]);
  }

  goTo(/** @type {number} */ iteration) {
    const within = Math.min(Math.max(iteration, 0), this.state.horizon);
    if (within === this.state.iteration) return;
    this.state.iteration = within;
    this.showIteration();
  }

  setHorizon(/** @type {number} */ horizon) {
    this.state.horizon = horizon;
    this.state.iteration = Math.min(this.state.iteration, horizon);
    part("iteration", HTMLInputElement).max = String(horizon);
    this.drawCurve();
  }

  setView(/** @type {string} */ view) {
    this.state.backward = view === "backward";
    find("#explorer").classList.toggle("backward", this.state.backward);
    this.showIteration();
    this.pulse();
  }

  pulse() {
    if (this.state.backward) this.drawing.pulse();
  }

  // Tables are filled while they are open; a thousand rows cost more than all the rest.
  fillValues() {
    if (!part("values-details", HTMLDetailsElement).open) return;
    const { columns, keys } = settings;
    const values = this.everyValue(this.rows[this.state.iteration]);
    const more = keys.map(key => `dE_d${key}`).filter(name => name in values && !columns.includes(name));
    const rows = [...columns, ...more].map(name => createTableRow(name, formatExact(values[name])));
    part("values").replaceChildren(...rows);
  }

  fillErrors() {
    if (!part("errors-details", HTMLDetailsElement).open) return;
    const rows = this.shownErrors().map((error, k) => createTableRow(String(k), formatSignificant(error, 9)));
    part("errors").replaceChildren(...rows);
  }
}

function listen(/** @type {Explorer} */ explorer) {
  const { state } = explorer;
  /** @param {string} name @param {string} event @param {() => void} act */
  const on = (name, event, act) => document.querySelector(`#explorer-${name}`)?.addEventListener(event, act);
  // What the reader does by hand ends the playing.
  /** @param {string} name @param {string} event @param {() => void} act */
  const onHand = (name, event, act) =>
    on(name, event, () => {
      explorer.player.stop();
      act();
    });
  on("eta-slider", "input", () => {
    const eta = Number((10 ** part("eta-slider", HTMLInputElement).valueAsNumber).toPrecision(3));
    explorer.rate.set(eta);
    explorer.setRate(eta);
  });
  onHand("iteration", "input", () => explorer.goTo(part("iteration", HTMLInputElement).valueAsNumber));
  onHand("back", "click", () => explorer.goTo(state.iteration - 1));
  onHand("step", "click", () => {
    explorer.goTo(state.iteration + 1);
    explorer.pulse();
  });
  on("play", "click", () => {
    if (state.iteration === state.horizon) explorer.goTo(0);
    explorer.player.toggle();
  });
  on("reset", "click", () => explorer.restart());
  on("start", "change", () => explorer.restart());
  on("horizon", "change", () => explorer.setHorizon(Number(part("horizon", HTMLSelectElement).value)));
  on("logarithmic", "change", () => {
    state.logarithmic = part("logarithmic", HTMLInputElement).checked;
    explorer.drawCurve();
  });
  for (const choice of findAll("[name=explorer-view]", HTMLInputElement)) {
    choice.addEventListener("change", () => explorer.setView(choice.value));
  }
  on("copy", "click", copyRow);
  on("download", "click", () => downloadRow(state.iteration));
  on("values-details", "toggle", () => explorer.fillValues());
  on("errors-details", "toggle", () => explorer.fillErrors());
}

/**
 * Call `step` at a steady pace while `hasMore` is true; slower for readers who prefer less motion.
 * @param {() => void} step @param {() => boolean} hasMore
 */
function createPlayer(step, hasMore) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    part("play").textContent = "Play";
  };
  const start = () => {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    timer = setInterval(() => (hasMore() ? step() : stop()), isCalm ? 600 : 60);
    part("play").textContent = "Pause";
  };
  return { stop, toggle: () => (timer ? stop() : start()) };
}

// Changes that come fast, from a slider or from playing, are spoken once they have come to rest.
function createAnnouncer(/** @type {Element} */ element) {
  let waiting = 0;
  return (/** @type {string} */ text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      element.textContent = text;
    }, 600);
  };
}

// Show the formulas of one part of the network, with letters as the page has them and with numbers put in. Letters are
// exchanged only when another part is chosen.
/** @param {HTMLElement} place @param {string} key @param {Values} values */
function showFormulas(place, key, values) {
  if (place.dataset.shown !== key) {
    const formulas = part("formulas", HTMLTemplateElement).content;
    place.replaceChildren(find(`[data-part="${key}"]`, HTMLElement, formulas).cloneNode(true));
    place.dataset.shown = key;
  }
  for (const equation of findAll(".equation", HTMLElement, place)) {
    const numbers = /** @type {Element} */ (find(".letters math:last-child", MathMLElement, equation).cloneNode(true));
    for (const mark of findAll("[data-value]", MathMLElement, numbers)) {
      mark.replaceChildren(createMathNumber(values[mark.dataset.value ?? ""]));
    }
    const value = createMathNumber(values[equation.dataset.result ?? ""], 6, false);
    const result = createMath("math", createMath("mrow", createMath("mo", "="), value));
    find(".figures", HTMLElement, equation).replaceChildren(numbers, " ", result);
  }
}

async function copyRow() {
  const area = part("row", HTMLTextAreaElement);
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(area.value);
  } catch {
    area.focus();
    area.select();
    isCopied = document.execCommand("copy");
  }
  part("row-said").textContent = isCopied
    ? "Copied."
    : "The browser does not let the page copy. The row is selected: copy it with the keyboard.";
}

function downloadRow(/** @type {number} */ iteration) {
  const link = document.createElement("a");
  const text = `${part("row", HTMLTextAreaElement).value}\n`;
  link.href = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" }));
  link.download = `iteration-${iteration}.tsv`;
  link.click();
  // The browser needs the address until it has read it all.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {string} name @param {string} value */
function createTableRow(name, value) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  row.append(head);
  row.insertCell().textContent = value;
  return row;
}
