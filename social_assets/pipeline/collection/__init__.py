"""What is due of a platform, collected and landed; the endpoints of its tracked accounts."""
