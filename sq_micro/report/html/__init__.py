"""`report.html`: one file with everything in it, for a browser without a network."""
