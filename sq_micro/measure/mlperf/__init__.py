"""The MLPerf Tiny runner and our images: the files that it reads, and a way for it to simulated devices.

What comes of it is runner-compatible. Only a submission that was reviewed may be called an MLPerf result.
"""
