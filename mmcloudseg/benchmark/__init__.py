"""Benchmarks: many methods over several seeds, one report."""
