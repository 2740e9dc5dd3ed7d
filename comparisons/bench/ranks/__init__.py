"""What many ranks cost: training on several, ours beside PyTorch's, and a model of the messages."""
