// A count of the confusion matrix shows the images behind it in place; without JavaScript it is a link to them.
{
  const matrix = document.getElementById("confusion");
  const groups = [...document.querySelectorAll(".mistake")];
  const status = document.getElementById("shown");
  const button = document.getElementById("show-all");
  const everything = status?.textContent;

  const showOnly = name => {
    for (const group of groups) group.hidden = name !== null && group.id !== name;
    for (const link of matrix.querySelectorAll("a")) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    button.hidden = name === null;
    const shown = groups.find(group => group.id === name);
    const label = shown?.getAttribute("aria-label");
    status.textContent = shown ? `${label}: ${shown.querySelector(".of").textContent}.` : everything;
  };

  matrix.addEventListener("click", event => {
    const link = event.target.closest("a");
    // A new tab, or a link that is already chosen, is not for us to take.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const chosen = link.getAttribute("aria-current") === "true";
    showOnly(chosen ? null : link.hash.slice(1));
    if (!chosen) document.getElementById(link.hash.slice(1)).scrollIntoView({ block: "nearest" });
  });

  button?.addEventListener("click", () => {
    const last = matrix.querySelector("a[aria-current]");
    showOnly(null);
    // The button is gone: the focus returns to where the choice was made.
    last?.focus({ preventScroll: true });
  });

  matrix.addEventListener("keydown", event => {
    if (event.key === "Escape" && button?.hidden === false) button.click();
  });
}
