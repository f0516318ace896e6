"""Interchange interventions: values of one text put into another."""
