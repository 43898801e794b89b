"""The conversation: turn table, prompt order, clause cutting, language. Pure: no clock, socket or thread."""
