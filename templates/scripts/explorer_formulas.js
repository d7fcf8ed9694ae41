// The formulas of one part of the network, with letters as the page has them and with numbers put in.

const FORMULA_DIGITS = 6;

// `values` holds every named value of the iteration; letters are exchanged only when another part is chosen.
function showFormulas(place, key, values) {
  if (place.dataset.shown !== key) {
    const formulas = document.getElementById("explorer-formulas").content;
    place.replaceChildren(formulas.querySelector(`[data-part="${key}"]`).cloneNode(true));
    place.dataset.shown = key;
  }
  for (const equation of place.querySelectorAll(".equation")) putNumbersIn(equation, values);
}

function putNumbersIn(equation, values) {
  const numbers = equation.querySelector(".letters math:last-child").cloneNode(true);
  for (const mark of numbers.querySelectorAll("[data-value]")) {
    mark.replaceChildren(mathNumber(values[mark.dataset.value], FORMULA_DIGITS));
  }
  const value = mathNumber(values[equation.dataset.result], FORMULA_DIGITS, false);
  const result = mathElement("math", mathElement("mrow", mathElement("mo", "="), value));
  equation.querySelector(".figures").replaceChildren(numbers, " ", result);
}
