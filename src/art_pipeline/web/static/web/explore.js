"use strict";
// Submits a choice at once, and closes the filters on narrow screens; without it there is a button, and they are open.
(() => {
  for (const select of document.querySelectorAll("select[data-submits]")) {
    select.form.querySelector("button").hidden = true;
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  const filters = document.getElementById("filters");
  const wide = window.matchMedia("(min-width: 768px)");
  const fold = () => { filters.open = wide.matches; };
  if (filters) {
    wide.addEventListener("change", fold);
    fold();
  }
})();
