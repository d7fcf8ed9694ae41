// Numbers formatted as everywhere on the page, parsed from text, and typed into fields.
import { createMath, find } from "./dom.js";

const OVERFLOW_TEXT = "#NUM!";
const TIMES_TEN = "\u00a0×\u00a010";

export function formatSignificant(/** @type {number} */ value, /** @type {number} */ digits) {
  if (!Number.isFinite(value)) return OVERFLOW_TEXT;
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const text = exponent >= -5 && exponent < digits
    ? trimZeros(value.toFixed(Math.max(digits - 1 - exponent, 0)))
    : trimZeros(mantissa) + TIMES_TEN + formatSuperscript(exponent);
  return text.replace(/^-/, "−");
}

export function formatBrief(/** @type {number} */ value, digits = 4) {
  const significant = value === 0 || Math.abs(value) >= 1e-3 ? digits : 2;
  return formatSignificant(value, significant).replace(TIMES_TEN, "×10");
}

export function formatPercent(/** @type {number} */ share) {
  const text = formatSignificant(100 * share, 3);
  return text === OVERFLOW_TEXT ? text : `${text}\u00a0%`;
}

export const formatSigned = (/** @type {number} */ value) =>
  (value > 0 && value < Infinity ? "+" : "") + formatBrief(value, 3);
export const formatCount = (/** @type {number} */ number) => number.toLocaleString("en");
// The shortest text that reads back as the same double.
export const formatExact = (/** @type {number} */ value) => (Number.isFinite(value) ? String(value) : OVERFLOW_TEXT);
export const formatSuperscript = (/** @type {number} */ exponent) =>
  [...String(exponent)].map(sign => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
const trimZeros = (/** @type {string} */ text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// Format six digits as MathML; a negative operand stands in brackets.
export function createNumber(/** @type {number} */ value, isOperand = true) {
  if (!Number.isFinite(value)) return createMath("mtext", OVERFLOW_TEXT);
  const [number, power] = formatSignificant(Math.abs(value), 6).split(TIMES_TEN);
  const size = createMath("mrow", createMath("mn", number));
  if (power) {
    const exponent = value.toExponential(5).split("e")[1].replace("+", "").replace("-", "−");
    size.append(createMath("mo", "×"), createMath("msup", createMath("mn", "10"), createMath("mn", exponent)));
  }
  if (value >= 0) return size;
  const negative = createMath("mrow", createMath("mo", "−"), size);
  return isOperand ? createMath("mrow", createMath("mo", "("), negative, createMath("mo", ")")) : negative;
}

// What derivation.js calls. Excel's EXP is #NUM! where JavaScript's is Infinity, and whatever uses #NUM! is #NUM! too:
// NaN does the same.
export function excelExp(/** @type {number} */ x) {
  const result = Math.exp(x);
  return result === Infinity ? NaN : result;
}

// NaN for what is no number; a comma is refused, because 1,000 means different things to different readers.
function parseNumber(/** @type {string} */ text) {
  const tidy = text.trim().replace("−", "-");
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy) ? Number(tidy) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

// A text field for a number: what can't be read is named beside it, and the last valid number stays in force.
export class NumberField {
  /**
   * @param {HTMLInputElement} input @param {(number: number) => void} onNumber gets every new valid number
   * @param {{ isPositive?: boolean, onClear?: () => void }} options `onClear` for a field that may be empty
   */
  constructor(input, onNumber, { isPositive = false, onClear } = {}) {
    this.input = input;
    this.isPositive = isPositive;
    this.valid = NaN;
    const isCleared = () => onClear && !input.value.trim();
    input.addEventListener("input", () => {
      const number = parseNumber(input.value);
      if (isCleared()) {
        this.set(NaN);
        onClear?.();
      } else if (!this.findProblem()) {
        // Half a number is no mistake yet: a complaint waits until the reader leaves the field.
        this.complain("");
        this.valid = number;
        onNumber(number);
      }
    });
    input.addEventListener("change", () => {
      const problem = isCleared() ? "" : this.findProblem();
      this.complain(problem && !Number.isNaN(this.valid) ? `${problem} ${this.valid} stays.` : problem);
    });
    input.addEventListener("keydown", event => { if (event.key === "Escape") this.set(this.valid); });
  }

  set(/** @type {number} */ number) {
    this.valid = number;
    this.input.value = Number.isNaN(number) ? "" : String(number);
    this.complain("");
  }

  complain(/** @type {string} */ text) {
    find(`#${this.input.getAttribute("aria-describedby")}`).textContent = text;
    if (text) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  findProblem() {
    const text = this.input.value.trim(), number = parseNumber(text);
    if (this.isPositive && number <= 0) return "η must be above 0.";
    if (!Number.isNaN(number)) return "";
    if (!text) return "A number is missing.";
    const hint = text.includes(",") ? " Write it with a point and without commas." : "";
    return `“${text.slice(0, 20)}” is not a number.${hint}`;
  }
}
