"""Numbers in texts."""


def percent(share: float) -> str:
    """Return a share or a probability as per cent, whole unless that would say never or always.

    >>> percent(0.416), percent(0.004), percent(0.9996), percent(1)
    ('42%', '0.4%', '99.96%', '100%')
    """
    value = 100 * share
    digits = next((one for one in (0, 1, 2) if 0 < round(value, one) < 100), 0)  # noqa: PLR2004
    return f"{value:.{digits}f}%"
