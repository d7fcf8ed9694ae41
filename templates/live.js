"use strict";
// What only works with JavaScript is shown from here on, and what stands in for it is hidden (see style.css).
document.documentElement.classList.add("live");

// What can wait until the page is on the screen.
function afterFirstPaint(task) {
  requestAnimationFrame(() => setTimeout(task));
}
