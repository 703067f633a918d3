"""What devices send, one file per protocol: bytes in, camera events out. No network, no database, no clock."""
