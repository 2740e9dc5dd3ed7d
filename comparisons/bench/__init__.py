"""How fast is a training step, here and in the systems that people use?

    python -m comparisons bench                       everything that is installed
    python -m comparisons bench lstm --peers torch    one workload against one system

`docs/benchmark.md` says how it measures.
"""
