// How numbers are spelled for readers, as everywhere on the page, and how they are read from fields.
const OVERFLOW_TEXT = "#NUM!";
const TIMES_TEN = "\u00a0×\u00a010";

function significantText(value, digits) {
  if (!Number.isFinite(value)) return OVERFLOW_TEXT;
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const text = exponent >= -5 && exponent < digits
    ? trimmedDecimals(value.toFixed(Math.max(digits - 1 - exponent, 0)))
    : trimmedDecimals(mantissa) + TIMES_TEN + superscript(exponent);
  return text.replace(/^-/, "−");
}

function briefText(value, digits = 4) {
  const given = value === 0 || Math.abs(value) >= 1e-3 ? digits : 2;
  return significantText(value, given).replace(TIMES_TEN, "×10");
}

function signedText(value) {
  return (value > 0 && value < Infinity ? "+" : "") + briefText(value, 3);
}

function percentText(share) {
  const text = significantText(100 * share, 3);
  return text === OVERFLOW_TEXT ? text : `${text}\u00a0%`;
}

function countText(number) {
  return number.toLocaleString("en");
}

function trimmedDecimals(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function superscript(exponent) {
  return [...String(exponent)].map(sign => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
}

// NaN for what is no number; a comma is refused, because 1,000 means different things to different readers.
function readNumber(text) {
  const tidy = text.trim().replace("−", "-");
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(tidy) ? Number(tidy) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

// A number as MathML; as an operand, what is negative stands in brackets.
function mathNumber(value, digits, operand = true) {
  if (!Number.isFinite(value)) return mathElement("mtext", OVERFLOW_TEXT);
  const [number, power] = significantText(Math.abs(value), digits).split(TIMES_TEN);
  const size = mathElement("mrow", mathElement("mn", number));
  if (power) {
    const exponent = value.toExponential(digits - 1).split("e")[1].replace("+", "").replace("-", "−");
    size.append(mathElement("mo", "×"), mathElement("msup", mathElement("mn", "10"), mathElement("mn", exponent)));
  }
  if (value >= 0) return size;
  const negative = mathElement("mrow", mathElement("mo", "−"), size);
  return operand ? mathElement("mrow", mathElement("mo", "("), negative, mathElement("mo", ")")) : negative;
}
