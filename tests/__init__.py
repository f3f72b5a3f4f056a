"""Tests: unit and integration tests mirror the code; end-to-end tests run commands; mutation."""
