"""Decisions: pure, without network, database or clock."""
