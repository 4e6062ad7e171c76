"""Campaigns: what is planned and gathered here."""
