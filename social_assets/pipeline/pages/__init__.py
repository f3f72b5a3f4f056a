"""The steps of collected pages: spooled, landed with their positions, cleaned, loaded."""
