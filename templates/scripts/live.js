"use strict";
// What only works with JavaScript is shown from here on, and what stands in for it is hidden (see style.css).
document.documentElement.classList.add("live");

// What can wait until the page is on the screen.
function afterFirstPaint(task) {
  requestAnimationFrame(() => setTimeout(task));
}

// A region that shows all it holds is no stop on the keyboard's way; without this script, every one is.
function stopAtScrollers() {
  for (const region of document.querySelectorAll("[role=region]:not(.explained)")) {
    region.tabIndex = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight ? 0 : -1;
  }
}
afterFirstPaint(() => afterFirstPaint(stopAtScrollers));  // once the live parts are in their places
addEventListener("resize", stopAtScrollers);
document.addEventListener("toggle", stopAtScrollers, true);

// From here on the whole page is laid out, so that nothing moves while one scrolls (see style.css).
afterFirstPaint(() => document.documentElement.classList.add("painted"));
