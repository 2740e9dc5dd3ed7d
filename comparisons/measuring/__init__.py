"""What a training costs in time and memory, each in processes of its own."""
