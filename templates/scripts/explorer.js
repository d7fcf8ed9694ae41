// The live explorer: what the reader has chosen, and everything that follows from it.

const REST = 150;  // milliseconds without a change, after which the long table follows

let liveExplorer = null;
afterFirstPaint(() => { liveExplorer = new LiveExplorer(); });

function explorerPart(name) {
  return document.getElementById(`explorer-${name}`);
}

class LiveExplorer {
  constructor() {
    this.settings = JSON.parse(explorerPart("data").textContent);
    this.state = { values: {}, eta: 1, iteration: 0, horizon: 0, backward: false, logarithmic: false, chosen: "w5" };
    this.drawing = makeNetworkDrawing(document.getElementById("flow"), this.settings, key => this.choose(key));
    this.curve = makeErrorCurve(explorerPart("curve"), iteration => this.goTo(iteration));
    this.announce = makeAnnouncer(explorerPart("said"));
    this.player = makePlayer(
      () => this.goTo(this.state.iteration + 1),
      () => this.state.iteration < this.state.horizon,
      playing => { explorerPart("play").textContent = playing ? "Pause" : "Play"; },
    );
    this.rate = makeNumberField(explorerPart("eta"), eta => this.takeRate(eta), rateProblem);
    this.fields = new Map([...document.querySelectorAll("#explorer [data-name]")].map(input =>
      [input.dataset.name, makeNumberField(input, number => this.takeValue(input.dataset.name, number))]));
    explorerPart("network").append(this.drawing.svg);
    listenToExplorer(this);
    this.restart();
  }

  // Everything anew: the run, the curve, and what is shown of the iteration.
  update() {
    this.rows = runNetwork(this.state.values, this.state.eta, this.settings.iterations);
    this.errors = errorsOf(this.rows);
    this.facts = runFacts(this.errors);
    this.drawCurve();
  }

  drawCurve() {
    this.curve.draw(this.shownErrors(), this.state.logarithmic);
    this.showIteration();
    clearTimeout(this.filling);
    this.filling = setTimeout(() => this.fillErrors(), REST);
  }

  showIteration() {
    const { state, settings } = this;
    const row = this.rows[state.iteration];
    const values = this.everyValue(row);
    this.drawing.show({ values, backward: state.backward, chosen: state.chosen });
    this.curve.mark(this.shownErrors(), state.iteration);
    showFormulas(explorerPart("explained"), state.chosen, values);
    explorerPart("iteration").value = state.iteration;
    explorerPart("iteration-told").textContent = countText(state.iteration);
    explorerPart("row").value = rowText(row, settings.columns);
    explorerPart("row-said").textContent = "";
    this.fillValues();
    this.read(row);
  }

  shownErrors() {
    return this.errors.slice(0, this.state.horizon + 1);
  }

  // Whatever a formula may name: the row, its slopes, the biases, η, and the weights of the next iteration.
  everyValue(row) {
    const known = { ...this.state.values, ...row };
    const next = Object.fromEntries(this.settings.parameters.map(name => [`next_${name}`, row.next[name]]));
    return { ...known, ...networkSlopes(known), ...next, eta: this.state.eta };
  }

  read(row) {
    const { state, facts } = this;
    const share = state.iteration && facts.first && Number.isFinite(row.E_total);
    const where = `Iteration ${countText(state.iteration)}: E_total = ${significantText(row.E_total, 4)}` +
      (share ? `, ${percentText(row.E_total / facts.first)} of where it began.` : ".");
    const text = [where, ...explorerRunInWords(this)].join(" ");
    explorerPart("reading").textContent = text;
    this.announce(text);
  }

  restart() {
    const start = this.settings.starts[Number(explorerPart("start")?.value ?? 0)];
    this.player.stop();
    this.state.values = { ...start.values };
    this.fields.forEach((field, name) => field.set(start.values[name]));
    this.state.iteration = 0;
    this.state.horizon = Number(explorerPart("horizon").value);
    explorerPart("iteration").max = this.state.horizon;
    this.rate.set(start.learning_rate);
    this.takeRate(start.learning_rate);
  }

  takeRate(eta) {
    this.state.eta = eta;
    const slider = explorerPart("eta-slider");
    slider.value = Math.log10(eta);
    slider.setAttribute("aria-valuetext", significantText(eta, 3));
    this.update();
  }

  takeValue(name, number) {
    this.state.values[name] = number;
    this.update();
  }

  choose(key) {
    if (key === this.state.chosen) return;
    this.state.chosen = key;
    this.showIteration();
    this.announce(this.settings.spoken[key]);
  }

  goTo(iteration) {
    const within = Math.min(Math.max(iteration, 0), this.state.horizon);
    if (within === this.state.iteration) return;
    this.state.iteration = within;
    this.showIteration();
  }

  setHorizon(horizon) {
    this.state.horizon = horizon;
    this.state.iteration = Math.min(this.state.iteration, horizon);
    explorerPart("iteration").max = horizon;
    this.drawCurve();
  }

  setView(view) {
    this.state.backward = view === "backward";
    document.getElementById("explorer").classList.toggle("backward", this.state.backward);
    this.showIteration();
    this.pulse();
  }

  pulse() {
    if (this.state.backward) this.drawing.pulse();
  }

  // Tables are filled while they are open; a thousand rows cost more than all the rest.
  fillValues() {
    if (!explorerPart("values-details").open) return;
    const { columns, keys } = this.settings;
    const values = this.everyValue(this.rows[this.state.iteration]);
    const more = keys.map(key => `dE_d${key}`).filter(name => name in values && !columns.includes(name));
    explorerPart("values").replaceChildren(...[...columns, ...more].map(name => tableRow(name, exactText(values[name]))));
  }

  fillErrors() {
    if (!explorerPart("errors-details").open) return;
    explorerPart("errors").replaceChildren(...this.shownErrors().map((error, k) => tableRow(k, significantText(error, 9))));
  }
}

function explorerRunInWords({ facts, rows, settings, state }) {
  const sentences = [`This run takes ${countText(settings.iterations)} updates at η = ${significantText(state.eta, 12)}.`];
  sentences.push(...troubleInWords(facts, settings.iterations));
  if (facts.stuckAt) {
    const gradients = settings.parameters.map(name => Math.abs(rows[facts.stuckAt][`dE_d${name}`]));
    sentences.push(`No gradient there is larger than ${significantText(Math.max(...gradients), 2)} in size.`);
  }
  if (facts.halvedAt) sentences.push(`The error is halved in iteration ${countText(facts.halvedAt)}.`);
  else if (facts.halvedAt === null && facts.overflow === null) sentences.push("The error never falls to half.");
  return sentences;
}

function listenToExplorer(explorer) {
  const on = (name, event, act) => explorerPart(name)?.addEventListener(event, act);
  // What the reader does by hand ends the playing.
  const byHand = act => event => { explorer.player.stop(); act(event.target); };
  on("eta-slider", "input", event => {
    const eta = Number((10 ** event.target.valueAsNumber).toPrecision(3));
    explorer.rate.set(eta);
    explorer.takeRate(eta);
  });
  on("iteration", "input", byHand(slider => explorer.goTo(slider.valueAsNumber)));
  on("back", "click", byHand(() => explorer.goTo(explorer.state.iteration - 1)));
  on("step", "click", byHand(() => { explorer.goTo(explorer.state.iteration + 1); explorer.pulse(); }));
  on("play", "click", () => {
    if (explorer.state.iteration === explorer.state.horizon) explorer.goTo(0);
    explorer.player.toggle();
  });
  on("reset", "click", () => explorer.restart());
  on("start", "change", () => explorer.restart());
  on("horizon", "change", event => explorer.setHorizon(Number(event.target.value)));
  on("logarithmic", "change", event => { explorer.state.logarithmic = event.target.checked; explorer.drawCurve(); });
  document.getElementsByName("explorer-view").forEach(choice => choice.addEventListener("change", () => explorer.setView(choice.value)));
  on("copy", "click", () => copyRow(explorerPart("row"), text => { explorerPart("row-said").textContent = text; }));
  on("download", "click", () => downloadRow(explorerPart("row").value, explorer.state.iteration));
  on("values-details", "toggle", () => explorer.fillValues());
  on("errors-details", "toggle", () => explorer.fillErrors());
}

// Calls `step` at a steady pace while `more` says so; slower for readers who prefer less motion.
function makePlayer(step, more, showPlaying) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    showPlaying(false);
  };
  const start = () => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    timer = setInterval(() => { more() ? step() : stop(); }, calm ? 600 : 60);
    showPlaying(true);
  };
  return { stop, toggle: () => (timer ? stop() : start()) };
}

// Changes that come fast, from a slider or from playing, are spoken once they have come to rest.
function makeAnnouncer(element) {
  let waiting = 0;
  return text => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { element.textContent = text; }, 600);
  };
}

function tableRow(name, value) {
  const [row, head, cell] = ["tr", "th", "td"].map(tag => document.createElement(tag));
  head.scope = "row";
  head.textContent = name;
  cell.textContent = value;
  row.append(head, cell);
  return row;
}
