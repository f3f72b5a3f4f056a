"""The operational store: what people set at run time, such as API keys and report schedules.

SQLite in the home, or PostgreSQL at SOCIAL_ASSETS_CONTROL_URL. Each module holds one table and its
repository. `engine` connects, `migrate` brings the tables up to date. Nothing here belongs to the
data path. Importing this package imports no SQLAlchemy: streaming runs do without it.
"""
