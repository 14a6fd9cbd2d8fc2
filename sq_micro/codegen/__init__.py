"""QuantGraph, Plan, Board → C that a person can read: views hold finished literals, templates only place them."""
