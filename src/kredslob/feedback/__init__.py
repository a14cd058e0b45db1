"""Feedback of any model: its causal graph, its loops, and which of them drives it when."""
