"""Report schedules, and what was delivered of them."""
