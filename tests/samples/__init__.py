"""Our ops and layers held against samples and counts that others made: PyTorch's own samples of its ops
(`python -m tests.samples.ops`) and of its modules (`python -m tests.samples.modules`), and the ops that
training code uses most."""
