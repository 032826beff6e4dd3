"""What is measured: Quoth inside this process (`local`) or any running Quoth over HTTP (`remote`); `target` is their face."""
