"""Lines that users of other libraries write by habit: they work here, or say what to write."""
