// The drawing of the network: a copy of the figure that stands in the page, brought to life.

// `choose(key)` is called when the reader points at a part or walks to it with the keyboard.
function makeNetworkDrawing(still, settings, choose) {
  const svg = still.cloneNode(true);
  svg.querySelectorAll("title, desc").forEach(element => element.remove());
  for (const name of ["id", "aria-labelledby"]) svg.removeAttribute(name);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "The network. Arrow keys walk from part to part.");
  const parts = new Map([...svg.querySelectorAll(".piece")].map(element => [element.dataset.key, element]));
  const { keys } = settings;
  keys.forEach(key => makeFocusable(parts.get(key), () => choose(key)));
  svg.addEventListener("keydown", event => walk(event, keys, parts));
  return {
    svg,
    show: state => {
      svg.classList.toggle("backward", state.backward);
      const path = new Set(settings.paths[state.chosen]);
      for (const [key, element] of parts) showPart(key, element, state, path, settings);
      for (const note of svg.querySelectorAll("[data-given]")) note.textContent = briefText(state.values[note.dataset.given]);
    },
    pulse: () => pulse(svg),
  };
}

function makeFocusable(element, chosen) {
  element.setAttribute("role", "button");
  element.setAttribute("tabindex", "-1");
  for (const event of ["pointerenter", "focus"]) element.addEventListener(event, chosen);
  element.addEventListener("click", () => element.focus());
}

function walk(event, keys, parts) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -keys.length, End: keys.length };
  if (!(event.key in steps)) return;
  const place = keys.indexOf(event.target.closest(".piece")?.dataset.key);
  const next = Math.min(Math.max(place + steps[event.key], 0), keys.length - 1);
  parts.get(keys[next]).focus();
  event.preventDefault();
}

// `state` has the row of the iteration with all slopes as `values`, and what is chosen to be seen.
function showPart(key, element, state, path, settings) {
  const carrier = key.split(">")[0];  // a line without a weight carries the gradient of where it comes from
  const gradient = state.values[`dE_d${carrier}`];
  const shown = state.backward && gradient !== undefined ? gradient : null;
  const sign = shown === null ? "" : shown > 0 ? "plus" : shown < 0 ? "minus" : "zero";
  const text = shown === null ? briefText(state.values[carrier]) : signedText(shown);
  const value = element.querySelector(".value");
  if (value) {
    value.textContent = text;
    value.setAttribute("class", `value ${sign} ${text.length > 10 ? "longer" : text.length > 7 ? "long" : ""}`.trim());
    fitGround(element, key.length + text.length);
  }
  const wire = element.querySelector(".wire");
  if (wire) {
    wire.setAttribute("class", `wire ${sign}`);
    wire.setAttribute("stroke-width", shown === null ? 1.2 : lineWidth(shown, settings.line_width));
  }
  element.classList.toggle("on-path", path.has(key));
  if (key in settings.paths) describePart(key, element, text, shown !== null, key === state.chosen, settings);
}

// The ground of a weight's label is as wide as its text, as in the still figure.
function fitGround(element, letters) {
  const ground = element.querySelector(".wire-piece .ground");
  if (!ground) return;
  const width = 8 * letters + 18;
  ground.setAttribute("x", element.querySelector("text").getAttribute("x") - width / 2);
  ground.setAttribute("width", width);
}

function describePart(key, element, text, isGradient, isChosen, settings) {
  const told = isGradient ? `∂E_total/∂${key} = ${text}` : `${key} = ${text}`;
  element.setAttribute("aria-label", `${told}, ${settings.meanings[key]}`);
  element.setAttribute("aria-pressed", isChosen);
  element.setAttribute("tabindex", isChosen ? 0 : -1);
  element.classList.toggle("chosen", isChosen);
}

function lineWidth(gradient, width) {
  if (!Number.isFinite(gradient) || gradient === 0) return width.thinnest;
  const power = Math.min(Math.max(Math.log10(Math.abs(gradient)), width.lowest_power), width.highest_power);
  return (width.thinnest + width.per_power * (power - width.lowest_power)).toFixed(2);
}

// Let the gradient run back once, stage by stage; the style sheet lets nothing move for those who prefer that.
function pulse(svg) {
  svg.classList.remove("pulse");
  svg.getBoundingClientRect();  // without a layout in between, the animation would not start anew
  svg.classList.add("pulse");
}
