"""The parsers of what devices send, under hundreds of thousands of spoilt messages."""
