"""The same models on both engines, what was measured, and the report.

    python -m comparisons run         train everything on both engines, write the report
    python -m comparisons list        what there is to run
    python -m comparisons report      draw the pages again from report.json
"""
