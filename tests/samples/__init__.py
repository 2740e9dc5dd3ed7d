"""Our ops held against samples and counts that others made: PyTorch's own samples of its ops
(`python -m tests.samples.ops`), and the ops that training code uses most."""
