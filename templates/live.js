"use strict";
// What only works with JavaScript is shown from here on, and what stands in for it is hidden (see style.css).
document.documentElement.classList.add("live");

// What can wait until the page is on the screen.
function afterFirstPaint(task) {
  requestAnimationFrame(() => setTimeout(task));
}

// From here on the whole page is laid out, so that nothing moves while one scrolls (see style.css).
afterFirstPaint(() => document.documentElement.classList.add("painted"));
