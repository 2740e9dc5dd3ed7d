"""What shall be computed: nodes, graphs, variables, scopes."""
