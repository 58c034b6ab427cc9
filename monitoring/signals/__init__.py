"""What a check measures: each signal, the catalogue of them, and the budget of false alarms they share."""
