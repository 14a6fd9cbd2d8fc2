"""The stages of a run. Each reads what the one before left in the workspace, and leaves its own artefacts there."""
