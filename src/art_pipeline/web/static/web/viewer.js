"use strict";
// Zooms and moves an image by buttons, keys, wheel, drag and pinch. Without it the whole image is shown.
(() => {
  const LARGEST = 8, STEP = 1.5, SHIFT = 60;

  function createViewer(frame) {
    const image = frame.querySelector("img");
    const points = new Map();
    let scale = 1, x = 0, y = 0;
    frame.classList.add("ready");
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", "Image. Plus and minus zoom, arrows move, 0 shows all of it.");
    const tools = document.createElement("div");
    tools.className = "viewer-tools";
    const level = document.createElement("output");

    function draw() {
      const reach = { x: (scale - 1) * frame.clientWidth / 2, y: (scale - 1) * frame.clientHeight / 2 };
      x = Math.max(-reach.x, Math.min(reach.x, x));
      y = Math.max(-reach.y, Math.min(reach.y, y));
      image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      frame.classList.toggle("zoomed", scale > 1);
      level.textContent = `${Math.round(100 * scale)}%`;
    }
    // Keeps the point (px, py), measured from the centre of the frame, where it is.
    function zoom(factor, px = 0, py = 0) {
      const before = scale;
      scale = Math.max(1, Math.min(LARGEST, scale * factor));
      x = px - (px - x) * scale / before;
      y = py - (py - y) * scale / before;
      draw();
    }
    function move(dx, dy) { x += dx; y += dy; draw(); }
    function reset() { scale = 1; x = 0; y = 0; draw(); }
    function fromCentre(event) {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    }
    function add(text, label, action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-outline-secondary btn-sm";
      button.textContent = text;
      button.setAttribute("aria-label", label);
      button.addEventListener("click", action);
      tools.append(button);
    }
    add("+", "Zoom in", () => zoom(STEP));
    add("−", "Zoom out", () => zoom(1 / STEP));
    add("←", "Move left", () => move(SHIFT, 0));
    add("→", "Move right", () => move(-SHIFT, 0));
    add("↑", "Move up", () => move(0, SHIFT));
    add("↓", "Move down", () => move(0, -SHIFT));
    add("Whole image", "Show the whole image", reset);
    if (frame.requestFullscreen) add("Full screen", "Show the image on the full screen", () => frame.requestFullscreen());
    tools.append(level);
    frame.after(tools);

    const KEYS = {
      "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": reset,
      ArrowLeft: () => move(SHIFT, 0), ArrowRight: () => move(-SHIFT, 0),
      ArrowUp: () => move(0, SHIFT), ArrowDown: () => move(0, -SHIFT),
    };
    frame.addEventListener("keydown", (event) => {
      const action = KEYS[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key.startsWith("Arrow") && scale === 1) return;  // the page scrolls
      event.preventDefault();
      action();
    });
    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && scale === 1) return;  // the page scrolls
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, ...fromCentre(event));
    }, { passive: false });
    frame.addEventListener("dblclick", (event) => (scale > 1 ? reset() : zoom(3, ...fromCentre(event))));
    frame.addEventListener("pointerdown", (event) => {
      points.set(event.pointerId, event);
      frame.setPointerCapture(event.pointerId);
      frame.classList.add("dragging");
    });
    frame.addEventListener("pointermove", (event) => {
      const last = points.get(event.pointerId);
      if (!last) return;
      const [other] = [...points.values()].filter((point) => point.pointerId !== event.pointerId);
      if (other) {
        const gap = (point) => Math.hypot(point.clientX - other.clientX, point.clientY - other.clientY);
        zoom(gap(event) / Math.max(1, gap(last)), ...fromCentre(event));
      } else {
        move(event.clientX - last.clientX, event.clientY - last.clientY);
      }
      points.set(event.pointerId, event);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      frame.addEventListener(name, (event) => {
        points.delete(event.pointerId);
        if (!points.size) frame.classList.remove("dragging");
      });
    }
    draw();
  }
  document.querySelectorAll("[data-viewer]").forEach(createViewer);
})();
