"""HTTP client of museum services: rate limiter, retries, limits of size and time."""
