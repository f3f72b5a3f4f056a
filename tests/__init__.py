"""Tests: unit and integration tests mirror the code; graph tests run commands; mutation."""
