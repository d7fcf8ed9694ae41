// Running the 2-2-2 network, and what its errors show. Python prints the derivation's own step as derivation.js.
import { networkStep } from "./derivation.js";
import { readJson } from "./dom.js";
import { formatCount, formatPercent, formatSignificant } from "./numbers.js";
/** @typedef {ReturnType<typeof measureRun>} Run */

/** @type {ExplorerSettings} */
export const settings = readJson("explorer-data");

// What derivation.js calls. Excel's EXP is #NUM! where JavaScript's is Infinity, and whatever uses #NUM! is #NUM! too:
// NaN does the same.
export function excelExp(/** @type {number} */ x) {
  const result = Math.exp(x);
  return result === Infinity ? NaN : result;
}

// Rows 0 … updates of the sheet.
/** @param {Values} values @param {number} eta @param {number} updates */
export function runNetwork(values, eta, updates) {
  const rows = [];
  const now = { ...values, eta };
  for (let iteration = 0; iteration <= updates; iteration++) {
    const row = networkStep(now);
    rows.push(row);
    Object.assign(now, row.next);
  }
  return rows;
}

// NaN from an overflow on.
export function errorsOf(/** @type {Row[]} */ rows) {
  return rows.map(row => (Number.isFinite(row.E_total) ? row.E_total : NaN));
}

// What ends in At, and `overflow`, are iterations, or null where there is none.
export function measureRun(/** @type {number[]} */ errors) {
  const { limits } = settings;
  const first = errors[0];
  const last = errors[errors.length - 1];
  const floor = limits.rounding * first;
  let [rises, lastChange, falls] = [0, -1, first > 0];
  for (let k = 1; k < errors.length; k++) {
    const change = errors[k] - errors[k - 1];
    if (change > 0 && errors[k] > floor) rises += 1;
    if (Math.abs(change) > limits.still * errors[k - 1]) lastChange = k - 1;
    if (!(change < 0 || errors[k] <= floor)) falls = false;
  }
  const since = lastChange + 1;
  const isStuck = since < Math.floor(errors.length / 2) && last / first > limits.left;
  return {
    first,
    last,
    rises,
    falls,
    share: first ? last / first : NaN,
    overflow: findFirst(errors, error => !Number.isFinite(error)),
    stuckAt: isStuck ? since : null,
    halvedAt: findFirst(errors, error => error <= first / 2),
    goneAt: findFirst(errors, error => error <= floor),
    diverges: last > first,
  };
}

/** @param {number[]} values @param {(value: number) => boolean} holds */
export function findFirst(values, holds) {
  const place = values.findIndex(holds);
  return place < 0 ? null : place;
}

// The sentences that the explorer and the comparison of learning rates share.
/** @param {Run} run @param {number} updates */
export function describeTrouble(run, updates) {
  if (run.overflow === 0) return ["The class formula overflows at once, and the sheet shows #NUM!."];
  if (run.overflow !== null) {
    const where = `from iteration ${formatCount(run.overflow)} on`;
    return [`It overflows: ${where} the class formula can’t be computed any more, and the sheet shows #NUM! there.`];
  }
  const sentences = [];
  const [first, last] = [run.first, run.last].map(error => formatSignificant(error, 4));
  if (run.diverges) sentences.push(`It diverges: the last error, ${last}, is larger than the first, ${first}.`);
  if (run.stuckAt === 0) {
    sentences.push("It hardly moves: no update changes the error by more than a millionth of it.");
  } else if (run.stuckAt !== null) {
    sentences.push(`It is stuck from iteration ${formatCount(run.stuckAt)} on, with ${describeLeft(run.share)}.`);
  }
  if (run.rises && !run.diverges) {
    const rises = `it rises in ${formatCount(run.rises)} of ${formatCount(updates)} updates`;
    sentences.push(`The error does not fall steadily: ${rises}.`);
  }
  if (run.first === 0) sentences.push("The error is 0 from the start, so there is nothing to learn.");
  if (sentences.length || !run.falls) return sentences;
  if (run.goneAt === null) return ["The error falls in every update."];
  const until = `until iteration ${formatCount(run.goneAt)}`;
  return [`The error falls in every update ${until}; from there on nothing but rounding is left of it.`];
}

function describeLeft(/** @type {number} */ share) {
  if (share > 1) return `the error at ${formatSignificant(share, 3)} times its first value`;
  return `${formatPercent(share)} of the error left`;
}
