"""Review of predictions by cataloguers: the queue, decisions, statistics, corrections."""
