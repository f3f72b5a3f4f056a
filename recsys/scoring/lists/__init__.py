"""What is made of a model's lists: varied ones, with limits; and the reasons for an item."""
