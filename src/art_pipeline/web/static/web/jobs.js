"use strict";
// Follows background jobs: shows their progress, and when they finish reloads the page or goes to the result.
(() => {
  if (window.followsJobs) return;
  window.followsJobs = true;
  const SHORTEST = 250, LONGEST = 3000; // milliseconds between two requests

  const follow = async (element, pause) => {
    let job = null;
    try {
      const response = await fetch(element.dataset.job, { headers: { Accept: "application/json" } });
      if (response.status === 404) return;
      if (response.ok) job = await response.json();
    } catch { /* the server is away: ask again */ }
    if (job && job.html !== element.dataset.shown) {
      element.innerHTML = job.html;
      element.dataset.shown = job.html;
    }
    if (!job || !job.is_finished) setTimeout(follow, pause, element, Math.min(pause * 1.3, LONGEST));
    else if (element.dataset.then === "reload" && job.state === "done") location.reload();
    else if (element.dataset.then === "go" && job.state === "done" && job.address) location.replace(job.address);
  };

  for (const element of document.querySelectorAll("[data-job]:not([data-finished])")) follow(element, SHORTEST);
})();
