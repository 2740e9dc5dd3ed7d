"""Ops that only the compiler makes: several of the graph's in one."""
