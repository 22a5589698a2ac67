"""git as values: argv out, parsers in; nothing here runs anything."""
