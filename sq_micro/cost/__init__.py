"""What a candidate takes of a board: flash, SRAM, time and energy, and what it is allowed to take."""
