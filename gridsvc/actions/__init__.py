"""Stories: one verb, one file, one public function: look, decide, keep, tell, answer.

Each takes an open transaction of its caller and the moment it began; none opens a connection,
asks a clock or talks to the network.
"""
