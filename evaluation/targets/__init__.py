"""What is measured: Quoth inside this process (`local`) or any running Quoth over HTTP (`remote`), behind one face (`target`)."""
