"""What makes the data needs packages that the tests do not."""

collect_ignore_glob = ["*/make.py"]
