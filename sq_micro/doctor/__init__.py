"""`sq-micro doctor`: what this machine has, for all boards or for one, and a support archive of a run."""
