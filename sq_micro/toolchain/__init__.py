"""From a tree of C to a firmware image, and what the image takes: flash, SRAM, stack."""
