// Running the 2-2-2 network, and what its errors show. Python prints the derivation's own step as derivation.js.
import { networkStep } from "./derivation.js";
import { readJson } from "./dom.js";
import { formatCount, formatPercent, formatSignificant } from "./numbers.js";
/** @typedef {ReturnType<typeof measureRun>} Run */

/** @type {ExplorerSettings} */
export const settings = readJson("explorer-data");

// Rows 0 … updates of the sheet.
export function runNetwork(/** @type {Values} */ values, /** @type {number} */ eta, /** @type {number} */ updates) {
  const rows = [], now = { ...values, eta };
  for (let iteration = 0; iteration <= updates; iteration++) {
    const row = networkStep(now);
    rows.push(row);
    Object.assign(now, row.next);
  }
  return rows;
}

// NaN from an overflow on.
export const errorsOf = (/** @type {Row[]} */ rows) =>
  rows.map(row => (Number.isFinite(row.E_total) ? row.E_total : NaN));

// What ends in At, and `overflow`, are iterations, or null where there is none.
export function measureRun(/** @type {number[]} */ errors) {
  const { limits } = settings, first = errors[0], last = errors[errors.length - 1], floor = limits.rounding * first;
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
    first, last, rises, falls,
    share: first ? last / first : NaN,
    overflow: findFirst(errors, error => !Number.isFinite(error)),
    stuckAt: isStuck ? since : null,
    halvedAt: findFirst(errors, error => error <= first / 2),
    goneAt: findFirst(errors, error => error <= floor),
    diverges: last > first,
  };
}

export function findFirst(/** @type {number[]} */ values, /** @type {(value: number) => boolean} */ holds) {
  const place = values.findIndex(holds);
  return place < 0 ? null : place;
}

// The sentences that the explorer and the comparison of learning rates share.
export function describeTrouble(/** @type {Run} */ run, /** @type {number} */ updates) {
  if (run.overflow === 0) return ["The class formula overflows at once, and the sheet shows #NUM!."];
  if (run.overflow !== null) {
    const where = `from iteration ${formatCount(run.overflow)} on`;
    return [`It overflows: ${where} the class formula can’t be computed any more, and the sheet shows #NUM! there.`];
  }
  const sentences = [];
  const left = run.share > 1
    ? `the error at ${formatSignificant(run.share, 3)} times its first value`
    : `${formatPercent(run.share)} of the error left`;
  const [first, last] = [run.first, run.last].map(error => formatSignificant(error, 4));
  if (run.diverges) sentences.push(`It diverges: the last error, ${last}, is larger than the first, ${first}.`);
  if (run.stuckAt === 0) sentences.push("It hardly moves: no update changes the error by more than a millionth of it.");
  if (run.stuckAt) sentences.push(`It is stuck from iteration ${formatCount(run.stuckAt)} on, with ${left}.`);
  const rises = `it rises in ${formatCount(run.rises)} of ${formatCount(updates)} updates`;
  if (run.rises && !run.diverges) sentences.push(`The error does not fall steadily: ${rises}.`);
  if (run.first === 0) sentences.push("The error is 0 from the start, so there is nothing to learn.");
  if (sentences.length || !run.falls) return sentences;
  if (run.goneAt === null) return ["The error falls in every update."];
  const until = `until iteration ${formatCount(run.goneAt)}`;
  return [`The error falls in every update ${until}; from there on nothing but rounding is left of it.`];
}
