"""`trueup erase`: from an intent to the last byte, over store, archive, models, reports, mails and caches."""
