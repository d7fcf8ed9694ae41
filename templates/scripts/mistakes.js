// A count of the confusion matrix shows the images behind it in place; without JavaScript it is a link to them.
import { find, findAll } from "./dom.js";

export function startMistakes() {
  const groups = findAll(".mistake");
  // A network without a mistake has a matrix alone.
  if (!groups.length) return;
  const matrix = find("#confusion"), links = findAll("a", HTMLAnchorElement, matrix);
  const status = find("#shown"), everything = status.textContent, button = find("#show-all");

  const showOnly = (/** @type {string | null} */ name) => {
    for (const group of groups) group.hidden = name !== null && group.id !== name;
    for (const link of links) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    button.hidden = name === null;
    const shown = groups.find(group => group.id === name);
    const count = shown && find(".of", HTMLElement, shown).textContent;
    status.textContent = shown ? `${shown.getAttribute("aria-label")}: ${count}.` : everything;
  };

  matrix.addEventListener("click", event => {
    const link = links.find(one => event.target instanceof Node && one.contains(event.target));
    // A new tab is not for us to take.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const wasChosen = link.getAttribute("aria-current") === "true";
    showOnly(wasChosen ? null : link.hash.slice(1));
    if (!wasChosen) find(link.hash).scrollIntoView({ block: "nearest" });
  });

  button.addEventListener("click", () => {
    const last = matrix.querySelector("a[aria-current]");
    showOnly(null);
    // The button is gone: the focus returns to where the choice was made.
    if (last instanceof HTMLElement) last.focus({ preventScroll: true });
  });

  matrix.addEventListener("keydown", event => {
    if (event.key === "Escape" && !button.hidden) button.click();
  });
}
