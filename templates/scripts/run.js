// Running the network: networkStep and networkSlopes are printed from the derivation, below.

// Excel's EXP is #NUM! where JavaScript's is Infinity, and whatever uses #NUM! is #NUM! too: NaN does the same.
function excelExp(x) {
  const result = Math.exp(x);
  return result === Infinity ? NaN : result;
}

// Rows 0 … updates of the sheet, each an object by the names of the columns.
function runNetwork(values, eta, updates) {
  const rows = [];
  const now = { ...values, eta };
  for (let iteration = 0; iteration <= updates; iteration++) {
    const row = networkStep(now);
    rows.push(row);
    Object.assign(now, row.next);
  }
  return rows;
}

function errorsOf(rows) {
  return rows.map(row => (Number.isFinite(row.E_total) ? row.E_total : NaN));
}

// What a run does, read from its errors. What ends in At, and `overflow`, are iterations or null; runLimits comes with the
// mathematics.
function runFacts(errors) {
  const [first, last] = [errors[0], errors.at(-1)];
  const floor = runLimits.rounding * first;
  let [rises, lastChange, falls] = [0, -1, first > 0];
  for (let k = 1; k < errors.length; k++) {
    const change = errors[k] - errors[k - 1];
    if (change > 0 && errors[k] > floor) rises += 1;
    if (Math.abs(change) > runLimits.still * errors[k - 1]) lastChange = k - 1;
    if (!(change < 0 || errors[k] <= floor)) falls = false;
  }
  const since = lastChange + 1;
  const stuck = since < Math.floor(errors.length / 2) && last / first > runLimits.left;
  return {
    first, last, rises, falls,
    share: first ? last / first : NaN,
    overflow: firstWhere(errors, error => !Number.isFinite(error)),
    stuckAt: stuck ? since : null,
    halvedAt: firstWhere(errors, error => error <= first / 2),
    goneAt: firstWhere(errors, error => error <= floor),
    diverges: last > first,
  };
}

function firstWhere(values, holds) {
  const place = values.findIndex(holds);
  return place < 0 ? null : place;
}

// The parts of a reading that the explorer and the comparison of learning rates share, as sentences.
function troubleInWords(facts, updates) {
  if (facts.overflow === 0) return ["The class formula overflows at once, and the sheet shows #NUM!."];
  if (facts.overflow !== null) {
    return [`It overflows: from iteration ${countText(facts.overflow)} on the class formula can’t be computed any more, and the sheet shows #NUM! there.`];
  }
  const sentences = [];
  if (facts.diverges) sentences.push(`It diverges: the last error, ${significantText(facts.last, 4)}, is larger than the first, ${significantText(facts.first, 4)}.`);
  if (facts.stuckAt === 0) sentences.push("It hardly moves: no update changes the error by more than a millionth of it.");
  else if (facts.stuckAt !== null) sentences.push(`It is stuck from iteration ${countText(facts.stuckAt)} on, with ${leftText(facts.share)}.`);
  if (facts.rises && !facts.diverges) sentences.push(`The error does not fall steadily: it rises in ${countText(facts.rises)} of ${countText(updates)} updates.`);
  if (facts.first === 0) sentences.push("The error is 0 from the start, so there is nothing to learn.");
  if (sentences.length || !facts.falls) return sentences;
  return [facts.goneAt === null
    ? "The error falls in every update."
    : `The error falls in every update until iteration ${countText(facts.goneAt)}; from there on nothing but rounding is left of it.`];
}

function leftText(share) {
  return share > 1 ? `the error at ${significantText(share, 3)} times its first value` : `${percentText(share)} of the error left`;
}
