"""Benchmarks: a suite from its file to its report."""

from mmcloudseg.benchmark.suite import SuiteError
from mmcloudseg.benchmark.workflow import BenchmarkSettings, benchmark

__all__ = ["BenchmarkSettings", "SuiteError", "benchmark"]
