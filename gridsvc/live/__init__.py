"""The live feed: deltas as they come, to whoever may see them, by WebSocket and by server-sent events."""
