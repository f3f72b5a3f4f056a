"""New posts at some places of served lists, by a policy that learns from what is clicked."""
