"""Engine, transactions, migrations."""
