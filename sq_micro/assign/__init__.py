"""Chooses a bitwidth per operator under the budgets of a board."""
