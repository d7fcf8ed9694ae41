// Numbers formatted as everywhere on the page, parsed from text, and typed into fields.
import { createMath, find } from "./dom.js";

export const OVERFLOW_TEXT = "#NUM!";
const TIMES_TEN = "\u00a0×\u00a010";

/** @param {number} value @param {number} digits */
export function formatSignificant(value, digits) {
  if (!Number.isFinite(value)) return OVERFLOW_TEXT;
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const text =
    exponent >= -5 && exponent < digits
      ? trimZeros(value.toFixed(Math.max(digits - 1 - exponent, 0)))
      : trimZeros(mantissa) + TIMES_TEN + formatSuperscript(exponent);
  return text.replace(/^-/, "−");
}

export function formatBrief(/** @type {number} */ value, digits = 4) {
  const significant = value === 0 || Math.abs(value) >= 1e-3 ? digits : 2;
  return formatSignificant(value, significant).replace(TIMES_TEN, "×10");
}

export function formatSigned(/** @type {number} */ value) {
  return (value > 0 && value < Infinity ? "+" : "") + formatBrief(value, 3);
}

export function formatPercent(/** @type {number} */ share) {
  const text = formatSignificant(100 * share, 3);
  return text === OVERFLOW_TEXT ? text : `${text}\u00a0%`;
}

export function formatCount(/** @type {number} */ number) {
  return number.toLocaleString("en");
}

// The shortest text that reads back as the same double.
export function formatExact(/** @type {number} */ value) {
  return Number.isFinite(value) ? String(value) : OVERFLOW_TEXT;
}

function trimZeros(/** @type {string} */ text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function formatSuperscript(/** @type {number} */ exponent) {
  return [...String(exponent)].map(sign => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
}

// Format as MathML; a negative operand stands in brackets.
export function createMathNumber(/** @type {number} */ value, digits = 6, operand = true) {
  if (!Number.isFinite(value)) return createMath("mtext", OVERFLOW_TEXT);
  const [number, power] = formatSignificant(Math.abs(value), digits).split(TIMES_TEN);
  const size = createMath("mrow", createMath("mn", number));
  if (power) {
    const exponent = value.toExponential(digits - 1).split("e")[1].replace("+", "").replace("-", "−");
    size.append(createMath("mo", "×"), createMath("msup", createMath("mn", "10"), createMath("mn", exponent)));
  }
  if (value >= 0) return size;
  const negative = createMath("mrow", createMath("mo", "−"), size);
  return operand ? createMath("mrow", createMath("mo", "("), negative, createMath("mo", ")")) : negative;
}

// NaN for what is no number; a comma is refused, because 1,000 means different things to different readers.
function parseNumber(/** @type {string} */ text) {
  const tidy = text.trim().replace("−", "-");
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy) ? Number(tidy) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

/**
 * Make a text field a field for numbers: what can't be read is named beside it, and the last valid number stays in force.
 * @param {HTMLInputElement} input
 * @param {(number: number) => void} onNumber gets every new valid number
 * @param {(number: number) => string} findProblem names what is wrong with a number, or returns ""
 * @param {(() => void) | null} onClear for a field that may be empty
 */
export function createNumberField(input, onNumber, findProblem = () => "", onClear = null) {
  const complaint = find(`#${input.getAttribute("aria-describedby")}`);
  let valid = NaN;
  const isCleared = () => onClear !== null && !input.value.trim();
  /** @param {string} text */
  const complain = text => {
    complaint.textContent = text;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  /** @param {number} number */
  const set = number => {
    valid = number;
    input.value = Number.isNaN(number) ? "" : String(number);
    complain("");
  };
  const check = () => {
    const number = parseNumber(input.value);
    return { number, problem: Number.isNaN(number) ? explainUnreadable(input.value) : findProblem(number) };
  };
  input.addEventListener("input", () => {
    if (isCleared()) {
      set(NaN);
      onClear?.();
      return;
    }
    const { number, problem } = check();
    // Half a number is no mistake yet: a complaint waits until the reader leaves the field.
    if (problem) return;
    complain("");
    valid = number;
    onNumber(number);
  });
  input.addEventListener("change", () => {
    const { problem } = check();
    complain(problem && !isCleared() ? `${problem}${Number.isNaN(valid) ? "" : ` ${valid} stays.`}` : "");
  });
  input.addEventListener("keydown", event => {
    if (event.key === "Escape") set(valid);
  });
  return { set };
}

function explainUnreadable(/** @type {string} */ text) {
  if (!text.trim()) return "A number is missing.";
  const hint = text.includes(",") ? " Write it with a point and without commas." : "";
  return `“${text.trim().slice(0, 20)}” is not a number.${hint}`;
}

export function findRateProblem(/** @type {number} */ eta) {
  return eta > 0 ? "" : "η must be above 0.";
}
