"""Pages in Chromium, and what axe finds in them."""

from typing import Any

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any) -> list[str]:
    """Return what axe finds in an open page: rule, help and elements."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found]


def overflow(page: Any) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def small_targets(page: Any) -> list[str]:
    """Return the controls that are smaller than 24 by 24 pixels; links within text may be."""
    script = """() => [...document.querySelectorAll('button, select, input:not([type=hidden]), summary')]
      .filter(one => one.checkVisibility() && !one.closest('.visually-hidden'))
      .map(one => [one, one.getBoundingClientRect()])
      .filter(([_, box]) => box.width && Math.min(box.width, box.height) < 24).map(([one]) => one)
      .filter(one => !(one.labels && [...one.labels].some(label => label.getBoundingClientRect().height >= 24)))
      .map(one => one.outerHTML.slice(0, 200))"""
    return list(page.evaluate(script))
