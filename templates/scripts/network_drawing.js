// The live drawing of the network: a copy of the figure that stands in the page.
import { find, findAll, setAttributes } from "./dom.js";
import { formatBrief, formatSigned } from "./numbers.js";
import { settings } from "./run.js";
/** @typedef {{ values: Values, backward: boolean, chosen: string }} Shown `values` holds the row and all slopes */

export class NetworkDrawing {
  constructor(/** @type {(key: string) => void} where the reader points, or walks with the keyboard */ onChoose) {
    this.svg = /** @type {SVGSVGElement} */ (find("#flow", SVGSVGElement).cloneNode(true));
    for (const element of this.svg.querySelectorAll("title, desc")) element.remove();
    for (const name of ["id", "aria-labelledby"]) this.svg.removeAttribute(name);
    setAttributes(this.svg, { role: "group", "aria-label": "The network. Arrow keys walk from part to part." });
    const pieces = findAll(".piece", SVGElement, this.svg);
    this.parts = new Map(pieces.map(element => [element.dataset.key ?? "", element]));
    for (const key of settings.keys) {
      const element = /** @type {SVGElement} */ (this.parts.get(key));
      setAttributes(element, { role: "button", tabindex: -1 });
      for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => onChoose(key));
      element.addEventListener("click", () => element.focus());
    }
    this.svg.addEventListener("keydown", event => this.walk(event));
  }

  show(/** @type {Shown} */ shown) {
    this.svg.classList.toggle("backward", shown.backward);
    for (const [key, element] of this.parts) showPart(key, element, shown);
    for (const note of findAll("[data-given]", SVGElement, this.svg)) {
      note.textContent = formatBrief(shown.values[note.dataset.given ?? ""]);
    }
  }

  walk(/** @type {KeyboardEvent} */ event) {
    const { keys } = settings;
    /** @type {Record<string, number>} */
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -keys.length, End: keys.length };
    if (!(event.key in steps) || !(event.target instanceof SVGElement)) return;
    const place = keys.indexOf(event.target.closest(".piece")?.getAttribute("data-key") ?? "");
    this.parts.get(keys[Math.min(Math.max(place + steps[event.key], 0), keys.length - 1)])?.focus();
    event.preventDefault();
  }

  // Let the gradient run back once, stage by stage; the style sheet lets nothing move for those who prefer that.
  pulse() {
    this.svg.classList.remove("pulse");
    this.svg.getBoundingClientRect(); // without a layout in between, the animation would not start anew
    this.svg.classList.add("pulse");
  }
}

/** @param {string} key @param {SVGElement} element @param {Shown} shown */
function showPart(key, element, { values, backward, chosen }) {
  const carrier = key.split(">")[0]; // a line without a weight carries the gradient of where it comes from
  const gradient = backward ? (values[`dE_d${carrier}`] ?? null) : null;
  const sign = gradient === null ? "" : gradient > 0 ? "plus" : gradient < 0 ? "minus" : "zero";
  const text = gradient === null ? formatBrief(values[carrier]) : formatSigned(gradient);
  const value = element.querySelector(".value");
  if (value) {
    value.textContent = text;
    value.setAttribute("class", `value ${sign} ${text.length > 10 ? "longer" : text.length > 7 ? "long" : ""}`.trim());
    fitGround(element, key.length + text.length);
  }
  const width = gradient === null ? 1.2 : lineWidth(gradient);
  const wire = element.querySelector(".wire");
  if (wire) setAttributes(wire, { class: `wire ${sign}`, "stroke-width": width });
  element.classList.toggle("on-path", settings.paths[chosen].includes(key));
  if (!(key in settings.paths)) return;
  const label = gradient === null ? `${key} = ${text}` : `∂E_total/∂${key} = ${text}`;
  const isChosen = key === chosen;
  setAttributes(element, { "aria-label": `${label}, ${element.dataset.meaning}`, tabindex: isChosen ? 0 : -1 });
  element.setAttribute("aria-pressed", String(isChosen));
  element.classList.toggle("chosen", isChosen);
}

// The ground of a weight's label is as wide as its text, as in the still figure.
function fitGround(/** @type {SVGElement} */ element, /** @type {number} */ letters) {
  const ground = element.querySelector(".wire-piece .ground");
  if (!ground) return;
  const width = 8 * letters + 18;
  setAttributes(ground, { x: Number(find("text", SVGElement, element).getAttribute("x")) - width / 2, width });
}

function lineWidth(/** @type {number} */ gradient) {
  const { thinnest, per_power, lowest_power, highest_power } = settings.line_width;
  if (!Number.isFinite(gradient) || gradient === 0) return thinnest;
  const power = Math.min(Math.max(Math.log10(Math.abs(gradient)), lowest_power), highest_power);
  return (thinnest + per_power * (power - lowest_power)).toFixed(2);
}
