"""The page that plays one training step, from its recording."""
