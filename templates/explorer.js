// The live explorer: what the reader has chosen, and everything that follows from it.

let liveExplorer = null;
afterFirstPaint(() => { liveExplorer = makeExplorer(); });

function makeExplorer() {
  const part = name => document.getElementById(`explorer-${name}`);
  const settings = JSON.parse(part("data").textContent);
  const state = { values: {}, eta: 1, iteration: 0, horizon: 0, backward: false, logarithmic: false, chosen: "w5" };
  const drawing = makeNetworkDrawing(document.getElementById("flow"), settings, choose);
  const curve = makeErrorCurve(part("curve"), goTo);
  const announce = makeAnnouncer(part("said"));
  const player = makePlayer(() => goTo(state.iteration + 1), () => state.iteration < state.horizon, showPlaying);
  const rate = makeNumberField(part("eta"), takeRate, rateProblem);
  const fields = new Map([...document.querySelectorAll("#explorer [data-name]")].map(input =>
    [input.dataset.name, makeNumberField(input, number => takeValue(input.dataset.name, number))]));
  let rows, errors, facts;
  part("network").append(drawing.svg);
  listen();
  restart(settings.starts[0]);
  return { update, state, rows: () => rows, settings };

  // Everything anew: the run, the curve, and what is shown of the iteration.
  function update() {
    rows = runNetwork(state.values, state.eta, settings.iterations);
    errors = errorsOf(rows);
    facts = runFacts(errors);
    drawCurve();
  }

  function drawCurve() {
    curve.draw(errors.slice(0, state.horizon + 1), state.logarithmic);
    showIteration();
    fillErrors();
  }

  function showIteration() {
    const row = rows[state.iteration];
    const next = Object.fromEntries(settings.parameters.map(name => [`next_${name}`, row.next[name]]));
    const all = { ...state.values, ...row, ...networkSlopes({ ...state.values, ...row }), ...next, eta: state.eta };
    drawing.show({ values: all, backward: state.backward, chosen: state.chosen });
    curve.mark(errors.slice(0, state.horizon + 1), state.iteration);
    showFormulas(part("explained"), state.chosen, all);
    part("iteration").value = state.iteration;
    part("iteration-told").textContent = countText(state.iteration);
    part("row").value = rowText(row, settings.columns);
    part("row-said").textContent = "";
    fillValues(row);
    read(row);
  }

  function read(row) {
    const share = state.iteration && facts.first && Number.isFinite(row.E_total);
    const where = `Iteration ${countText(state.iteration)}: E_total = ${significantText(row.E_total, 4)}` +
      (share ? `, ${percentText(row.E_total / facts.first)} of where it began.` : ".");
    const text = [where, ...runInWords()].join(" ");
    part("reading").textContent = text;
    announce(text);
  }

  function runInWords() {
    const sentences = [`This run takes ${countText(settings.iterations)} updates at η = ${significantText(state.eta, 12)}.`];
    sentences.push(...troubleInWords(facts, settings.iterations));
    if (facts.stuckAt) sentences.push(`No gradient there is larger than ${significantText(largestGradient(rows[facts.stuckAt]), 2)} in size.`);
    if (facts.halvedAt) sentences.push(`The error is halved in iteration ${countText(facts.halvedAt)}.`);
    else if (facts.halvedAt === null && facts.overflow === null) sentences.push("The error never falls to half.");
    return sentences;
  }

  function largestGradient(row) {
    return Math.max(...settings.parameters.map(name => Math.abs(row[`dE_d${name}`])));
  }

  function restart(start) {
    state.values = { ...start.values };
    fields.forEach((field, name) => field.set(start.values[name]));
    state.iteration = 0;
    state.horizon = Number(part("horizon").value);
    setRate(start.learning_rate);
    rate.set(start.learning_rate);
    update();
  }

  function setRate(eta) {
    state.eta = eta;
    const slider = part("eta-slider");
    slider.value = Math.log10(eta);
    slider.setAttribute("aria-valuetext", significantText(eta, 3));
  }

  function takeRate(eta) {
    setRate(eta);
    update();
  }

  function takeValue(name, number) {
    state.values[name] = number;
    update();
  }

  function choose(key) {
    if (key === state.chosen) return;
    state.chosen = key;
    showIteration();
    announce(settings.spoken[key]);
  }

  function goTo(iteration) {
    const before = state.iteration;
    state.iteration = Math.min(Math.max(iteration, 0), state.horizon);
    if (state.iteration === before) return;
    showIteration();
  }

  function showPlaying(playing) {
    part("play").textContent = playing ? "Pause" : "Play";
  }

  function fillValues(row) {
    if (!part("values-details").open) return;
    part("values").replaceChildren(...settings.columns.map(name => tableRow(name, numberText(row[name]))));
  }

  function fillErrors() {
    if (!part("errors-details").open) return;
    part("errors").replaceChildren(...errors.slice(0, state.horizon + 1).map((error, k) => tableRow(k, significantText(error, 9))));
  }

  function listen() {
    part("eta-slider").addEventListener("input", event => {
      const eta = Number((10 ** event.target.valueAsNumber).toPrecision(3));
      rate.set(eta);
      takeRate(eta);
    });
    part("iteration").addEventListener("input", event => { player.stop(); goTo(event.target.valueAsNumber); });
    part("back").addEventListener("click", () => { player.stop(); goTo(state.iteration - 1); });
    part("step").addEventListener("click", () => { player.stop(); goTo(state.iteration + 1); pulseBack(); });
    part("play").addEventListener("click", () => {
      if (state.iteration === state.horizon) goTo(0);
      player.toggle();
    });
    part("reset").addEventListener("click", () => { player.stop(); restart(settings.starts[Number(part("start")?.value ?? 0)]); });
    part("start")?.addEventListener("change", event => { player.stop(); restart(settings.starts[Number(event.target.value)]); });
    part("horizon").addEventListener("change", event => setHorizon(Number(event.target.value)));
    part("logarithmic").addEventListener("change", event => { state.logarithmic = event.target.checked; drawCurve(); });
    for (const choice of document.querySelectorAll("[name=explorer-view]")) choice.addEventListener("change", () => setView(choice.value));
    part("copy").addEventListener("click", () => copyRow(part("row"), text => { part("row-said").textContent = text; }));
    part("download").addEventListener("click", () => downloadRow(part("row").value, state.iteration));
    part("values-details").addEventListener("toggle", () => fillValues(rows[state.iteration]));
    part("errors-details").addEventListener("toggle", fillErrors);
  }

  function setHorizon(horizon) {
    state.horizon = horizon;
    part("iteration").max = horizon;
    state.iteration = Math.min(state.iteration, horizon);
    drawCurve();
  }

  function setView(view) {
    state.backward = view === "backward";
    document.getElementById("explorer").classList.toggle("backward", state.backward);
    showIteration();
    pulseBack();
  }

  function pulseBack() {
    if (state.backward) drawing.pulse();
  }
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

function numberText(value) {
  return Number.isFinite(value) ? String(value) : OVERFLOW_TEXT;
}

function tableRow(name, value) {
  const [row, head, cell] = ["tr", "th", "td"].map(tag => document.createElement(tag));
  head.scope = "row";
  head.textContent = name;
  cell.textContent = value;
  row.append(head, cell);
  return row;
}
