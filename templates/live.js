"use strict";
// What only works with JavaScript is shown from here on, and what stands in for it is hidden (see style.css).
document.documentElement.classList.add("live");
