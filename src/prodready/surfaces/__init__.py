"""Where users meet the analysis besides the command line: thin adapters."""
