"""The parts of the benchmark `bench/overhead.py`."""
