// Regions that scroll by themselves, and the keyboard's way through the page.
import { afterFirstPaint, findAll } from "./dom.js";

// A region that shows all it holds is no stop on the keyboard's way; without this script, every one is.
function stopAtScrollers() {
  for (const region of findAll("[role=region]:not(.explained)")) {
    const scrolls = region.scrollWidth > region.clientWidth || region.scrollHeight > region.clientHeight;
    region.tabIndex = scrolls ? 0 : -1;
  }
}

export function watchScrollers() {
  afterFirstPaint(() => afterFirstPaint(stopAtScrollers)); // once the live parts are in their places
  addEventListener("resize", stopAtScrollers);
  document.addEventListener("toggle", stopAtScrollers, true);
}
