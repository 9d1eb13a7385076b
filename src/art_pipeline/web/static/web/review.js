"use strict";
// Single-key shortcuts, unless they are switched off, and the next image ahead of time.
(() => {
  const ahead = document.getElementById("next-image");
  if (ahead) new Image().src = ahead.dataset.src;

  const list = document.getElementById("shortcuts");
  if (!list || list.dataset.on !== "1") return;
  const writes = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const use = (target) => {
    if (target.matches("input:not([type=checkbox])")) target.focus();
    else target.click();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.key === "Escape" && event.target.id === "label") event.target.blur();
    if (writes(event.target)) return;
    if (event.key === "?") {
      list.open = !list.open;
      list.querySelector("summary").focus();
    }
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    use(target);
  });
})();
