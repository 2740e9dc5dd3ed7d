"""What is to be tried where there is a GPU, outside of the suite: `tests/gpu/run`.

Each part runs in processes of its own, which end when their time is over; what came of them stands in one
JSON file, written anew after each.
"""
