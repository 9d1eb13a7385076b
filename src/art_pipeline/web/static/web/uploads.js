"use strict";
// Forms with an image: shows the chosen image, checks its size, and sends the form once.
(() => {
  const MEGABYTE = 1e6, PREVIEW = 640; // bytes, pixels

  const show = async (input, canvas) => {
    canvas.hidden = true;
    if (!input.files.length) return;
    try {
      const image = await createImageBitmap(input.files[0]);
      const scale = Math.min(1, PREVIEW / Math.max(image.width, image.height));
      canvas.width = Math.round(image.width * scale);
      canvas.height = Math.round(image.height * scale);
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.hidden = false;
    } catch { /* a format that this browser does not show */ }
  };

  const problem = (input, limit) => {
    const file = input.files[0];
    if (!file) return "Choose an image.";
    return file.size > limit * MEGABYTE ? `The file has ${Math.ceil(file.size / MEGABYTE)} MB. Choose one of at most ${limit} MB.` : "";
  };

  for (const form of document.querySelectorAll("form[data-upload]")) {
    const input = form.querySelector("input[type=file]"), button = form.querySelector("button:not([type=button])");
    const limit = Number(form.dataset.megabytes);
    input.addEventListener("change", () => {
      show(input, form.querySelector("canvas"));
      input.setCustomValidity(input.files.length ? problem(input, limit) : "");
      input.reportValidity();
    });
    form.addEventListener("submit", (event) => {
      input.setCustomValidity(problem(input, limit));
      if (!input.reportValidity()) { event.preventDefault(); return; }
      button.setAttribute("aria-disabled", "true");
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "true";
    });
    window.addEventListener("pageshow", () => { delete form.dataset.sent; button.removeAttribute("aria-disabled"); });
  }
})();
