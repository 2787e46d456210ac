/* What the theme would put into onclick attributes: as a file, a strict policy allows it. */
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-click]");
  if (!button) return;
  if (button.dataset.click === "print") window.print();
  if (button.dataset.click === "fullscreen") window.toggleFullScreen();
});
