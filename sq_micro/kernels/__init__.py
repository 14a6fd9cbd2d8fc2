"""Which C computes an operator, what scratch it needs, and how weights are packed for it."""
