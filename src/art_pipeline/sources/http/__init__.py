"""The only HTTP client: rate limiting, retries, bounds on answers, redirects."""
