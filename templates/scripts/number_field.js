// Fields for numbers: what can't be read is said beside the field, and the last good number stays in force.

// `take(number)` gets every new good number; `problem(number)` returns what is wrong with one, or ""; a field that may
// be empty has a `clear`.
function makeNumberField(input, take, problem = () => "", clear = null) {
  const complaint = document.getElementById(input.getAttribute("aria-describedby"));
  let good = NaN;
  const complain = text => {
    complaint.textContent = text;
    text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  };
  const set = number => {
    good = number;
    input.value = Number.isNaN(number) ? "" : String(number);
    complain("");
  };
  const judge = () => {
    const number = readNumber(input.value);
    return { number, wrong: Number.isNaN(number) ? unreadable(input.value) : problem(number) };
  };
  input.addEventListener("input", () => {
    if (clear && !input.value.trim()) {
      set(NaN);
      return clear();
    }
    const { number, wrong } = judge();
    // Half a number is no mistake yet: a complaint waits until the reader leaves the field.
    if (wrong) return;
    complain("");
    good = number;
    take(number);
  });
  input.addEventListener("change", () => {
    const { wrong } = judge();
    const empty = clear && !input.value.trim();
    complain(wrong && !empty ? `${wrong}${Number.isNaN(good) ? "" : ` ${good} stays.`}` : "");
  });
  input.addEventListener("keydown", event => {
    if (event.key === "Escape") set(good);
  });
  return { set };
}

function unreadable(text) {
  if (!text.trim()) return "A number is missing.";
  const hint = text.includes(",") ? " Write it with a point and without commas." : "";
  return `“${text.trim().slice(0, 20)}” is not a number.${hint}`;
}

function rateProblem(eta) {
  return eta > 0 ? "" : "η must be above 0.";
}
