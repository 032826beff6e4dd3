"""What is observed for each case and how it is scored, one file per task. `task` is the interface of all four."""
