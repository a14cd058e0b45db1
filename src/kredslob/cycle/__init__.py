"""The domain: parameters, scenarios, accounts, equity and the threshold of the cycle."""
