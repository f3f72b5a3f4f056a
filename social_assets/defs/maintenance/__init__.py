"""Jobs that rebuild days, and the nightly maintenance."""
