"""How probabilities are written."""

from django.template import Library

register = Library()


@register.filter
def percent(probability: float) -> str:
    r"""Return a probability in per cent, with spaces that do not break.

    >>> [percent(one).replace("\N{NO-BREAK SPACE}", " ") for one in (0.9342, 0.00001, 0.99999)]
    ['93.4%', '< 0.1%', '> 99.9%']
    """
    value = 100 * probability
    if 0 < value < 0.05:  # noqa: PLR2004  # rounds to 0
        return "<\N{NO-BREAK SPACE}0.1%"
    if 99.95 <= value < 100:  # noqa: PLR2004  # rounds to 100
        return ">\N{NO-BREAK SPACE}99.9%"
    return f"{value:.1f}%"
