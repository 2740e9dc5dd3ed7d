"""Files that were written before `static` and `shared` stood in rooms: see `test_before.py`."""
