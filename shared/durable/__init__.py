"""Nothing lost, nothing left behind: files written whole, interrupts that wait."""
