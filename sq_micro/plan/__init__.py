"""Where every tensor lies: lifetimes, scratch, offsets in the one static arena."""
