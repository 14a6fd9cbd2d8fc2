"""Ways to choose the widths. Each takes a Problem and gives a Proposal."""
