// What runs when the page is there. All other modules are imported, each by what needs it.
import { readNetwork, runImage } from "./cnn.js";
import { networkSlopes } from "./derivation.js";
import { DigitField } from "./digit.js";
import { imageOfStrokes } from "./digit_image.js";
import { afterFirstPaint } from "./dom.js";
import { Explorer } from "./explorer.js";
import { Comparison } from "./learning_rates.js";
import { startMistakes } from "./mistakes.js";
import { formatBrief, formatSignificant } from "./numbers.js";
import { runNetwork } from "./run.js";
import { watchScrollers } from "./scrollers.js";

// The only name that the page adds to the global scope, for the console and for tests.
const page = {
  ...{ formatBrief, formatSignificant, imageOfStrokes, networkSlopes, readNetwork, runImage, runNetwork },
  /** @type {Explorer | null} */ explorer: null,
  /** @type {DigitField | null} */ digit: null,
  /** @type {Comparison | null} */ comparison: null,
};
Object.assign(globalThis, { page });

// What only works with JavaScript is shown from here on, and what stands in for it is hidden (see style.css).
document.documentElement.classList.add("live");
startMistakes();
watchScrollers();
// From here on the whole page is laid out, so that nothing moves while one scrolls (see style.css).
afterFirstPaint(() => document.documentElement.classList.add("painted"));
afterFirstPaint(() => { page.explorer = new Explorer(); });
afterFirstPaint(() => { page.comparison = new Comparison(); });
afterFirstPaint(() => { page.digit = new DigitField(); });
