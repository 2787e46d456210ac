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

/* On paper everything is open and light, whatever the screen shows; afterwards it is as before. */
const paper = { closed: [], theme: null };

function toPaper() {
  const page = document.documentElement;
  if (paper.theme === null) paper.theme = page.dataset.theme || "";
  page.dataset.theme = "light";
  for (const box of document.querySelectorAll("details:not([open])")) {
    paper.closed.push(box);
    box.open = true;
  }
}

function fromPaper() {
  if (paper.theme === null) return;
  document.documentElement.dataset.theme = paper.theme;
  paper.theme = null;
  for (const box of paper.closed.splice(0)) box.open = false;
}

window.addEventListener("beforeprint", toPaper);
window.addEventListener("afterprint", fromPaper);
window.matchMedia("print").addEventListener("change", (media) => (media.matches ? toPaper() : fromPaper()));
