"""Event files, which TensorBoard opens: how they are written, and what stands in them."""
