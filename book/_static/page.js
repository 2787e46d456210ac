/* What the theme would put into onclick attributes (as a file, a strict policy allows it), and what
   it misses: whether a box scrolls, and so must be reached by keyboard, changes when it unfolds. */
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-click]");
  if (!button) return;
  if (button.dataset.click === "print") window.print();
  if (button.dataset.click === "fullscreen") window.toggleFullScreen();
});

const SCROLLING = "pre, .cell_output, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";

function reach() {
  document.querySelectorAll(SCROLLING).forEach((box) => {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  });
}

window.addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
document.addEventListener("click", (event) => {
  if (event.target.closest(".toggle-button, .admonition-title")) reach();
});
