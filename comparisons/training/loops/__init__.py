"""The training scripts, in pairs: each idiomatic for its engine, and each what really runs.

A script is a generator function `train(task, seed)`. It yields the name of a phase that is
over ("build", "compile") or the loss of a step, and returns (model, optimiser or a tuple of them,
answers to what the task asks at the end). Whoever drives it decides when it goes on, so two
scripts can be run in step. Its local variables are open to the driver under these names: `loss`,
and in static `graph`, `session`, `train_op` and, if there is one, `feed`.
"""
