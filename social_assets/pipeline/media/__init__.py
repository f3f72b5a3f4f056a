"""Pictures of posts: fetched once, kept by hash, recorded in `post_media`, removed in time."""
