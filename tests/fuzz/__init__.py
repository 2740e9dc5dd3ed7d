"""Garbage thrown at every public function: each call gives a result, or an error of ours that names it."""
