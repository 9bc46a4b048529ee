"""One loop for every objective: fitting, checkpoints, processes."""
