// The page of a check: its table of files can be sorted, its formulas copied.
import { find, findAll } from "./dom.js";
import { watchScrollers } from "./scrollers.js";

const compare = new Intl.Collator(undefined, { numeric: true }).compare;

// Sort rows by a column; a second time, the other way round.
/** @param {HTMLTableElement} table @param {HTMLTableCellElement} header */
function sortBy(table, header) {
  const falls = header.getAttribute("aria-sort") === "ascending";
  const text = (/** @type {HTMLTableRowElement} */ row) => row.cells[header.cellIndex]?.textContent ?? "";
  const rows = [...(table.tBodies[0]?.rows ?? [])].sort((a, b) => compare(text(a), text(b)) * (falls ? -1 : 1));
  for (const other of findAll("th[aria-sort]", HTMLTableCellElement, table)) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", falls ? "descending" : "ascending");
  table.tBodies[0]?.append(...rows);
}

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  for (const header of findAll("thead th", HTMLTableCellElement, table)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sortBy(table, header));
    header.append(button);
  }
}

// Where the clipboard is out of reach, the formula is selected, to be copied by hand.
/** @param {HTMLButtonElement} button */
async function copyFormula(button) {
  const code = find("code", HTMLElement, button.parentElement ?? document);
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    find("#copied").textContent = "Copied";
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } catch {
    getSelection()?.selectAllChildren(code);
  }
}

// Bring the first marked cell of a sheet into sight, beside the row numbers.
/** @param {HTMLElement} region */
function showMarked(region) {
  const mark = region.querySelector(".cells .at")?.closest("td");
  if (mark) region.scrollLeft = mark.offsetLeft - region.clientWidth / 2;
}

document.documentElement.classList.add("live");
findAll("table.sortable", HTMLTableElement).forEach(makeSortable);
for (const button of findAll("button.copy", HTMLButtonElement)) {
  button.addEventListener("click", () => { void copyFormula(button); });
}
findAll(".scroll:has(.cells)").forEach(showMarked);
watchScrollers();
document.documentElement.classList.add("painted");
