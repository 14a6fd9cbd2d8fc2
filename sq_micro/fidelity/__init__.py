"""Where accuracy goes: every operator's output in integers against the float network's."""
